import {
  decide,
  progressLine,
  staleTasks,
  timeLimitMessage,
  type LogLine,
  type ServiceView,
  type Snapshot,
  type TaskView,
} from "../../../../commands/waitReady/decision";

const NOW = Date.parse("2026-11-01T12:00:00Z");

function service(changes: Partial<ServiceView> = {}): ServiceView {
  return { name: "icinga-master", specHash: "new", replicas: 1, updatedAt: NOW, ...changes };
}

function task(changes: Partial<TaskView> = {}): TaskView {
  return {
    id: "task-1",
    slot: 1,
    node: "hq-1",
    state: "starting",
    desiredState: "running",
    hasContainer: true,
    createdAt: NOW,
    superseded: false,
    ...changes,
  };
}

function log(...texts: string[]): LogLine[] {
  return texts.map((text) => ({ text, old: false }));
}

function judge(
  tasks: readonly TaskView[],
  changes: Partial<Snapshot> & { stale?: readonly string[]; logOf1?: readonly LogLine[] } = {},
): ReturnType<typeof decide> {
  const logs = new Map(changes.logOf1 ? [["task-1", changes.logOf1]] : []);
  const snapshot = { service: service(), tasks, logs, elapsedMs: 1_000, ...changes };
  return decide(snapshot, { specHash: "new", staleTasks: new Set(changes.stale) });
}

describe("a service is ready", () => {
  it("when every slot runs", () => {
    const tasks = [task({ state: "running" }), task({ id: "task-2", slot: 2, state: "running" })];
    expect(judge(tasks, { service: service({ replicas: 2 }) })).toEqual({ kind: "ready" });
  });

  it("when a crash was mended before the gate could see the slot empty", () => {
    const tasks = [
      task({ id: "task-0", state: "failed", desiredState: "shutdown", superseded: true }),
      task({ state: "running", createdAt: NOW + 5_000 }),
    ];
    expect(judge(tasks)).toEqual({ kind: "ready" });
  });

  it("when its update is complete", () => {
    expect(judge([task({ state: "running" })], { service: service({ updateState: "completed" }) }).kind).toBe("ready");
  });

  it("when Swarm has gone back to just the awaited spec", () => {
    const tasks = [task({ state: "running" })];
    expect(judge(tasks, { service: service({ updateState: "rollback_started" }) }).kind).toBe("waiting");
    expect(judge(tasks, { service: service({ updateState: "rollback_completed" }) }).kind).toBe("ready");
    expect(judge(tasks, { service: service({ updateState: "rollback_paused" }) }).kind).toBe("failed");
  });

  it("when it is to have no task", () => {
    expect(judge([], { service: service({ replicas: 0 }) }).kind).toBe("ready");
  });
});

describe("a service is waited for", () => {
  it("while one of its slots is missing", () => {
    const decision = judge([task({ state: "running" })], { service: service({ replicas: 2 }) });
    expect(decision).toEqual({ kind: "waiting", state: "1 of 2 running, 1 of 2 not created yet", reason: undefined });
  });

  it("while Swarm still updates it, even if all its tasks run", () => {
    expect(judge([task({ state: "running" })], { service: service({ updateState: "updating" }) }).kind).toBe("waiting");
  });

  it("while its running task is about to be stopped", () => {
    const decision = judge([task({ state: "running", desiredState: "shutdown" })]);
    expect(decision).toMatchObject({ kind: "waiting", state: "1 of 1 stopping" });
  });

  it("with the last reason that its container gave", () => {
    const decision = judge([task()], { logOf1: log("waiting: for the CA", "waiting: MySQL does not answer", "noise") });
    expect(decision).toEqual({ kind: "waiting", state: "1 of 1 starting", reason: "waiting: MySQL does not answer" });
  });

  it("with Swarm's reason when no node suits", () => {
    const error = "no suitable node (scheduling constraints not satisfied on 1 node)";
    const decision = judge([task({ state: "pending", error, hasContainer: false, node: undefined })]);
    expect(decision).toMatchObject({ kind: "waiting", state: "1 of 1 pending", reason: error });
  });

  it("with what Swarm does not say of a task that gets no address", () => {
    const decision = judge([task({ state: "new", hasContainer: false, node: undefined })]);
    expect(decision).toMatchObject({ reason: expect.stringContaining("subnet overlaps") });
  });

  it("when a task of it was only shut down", () => {
    const tasks = [task({ id: "task-0", state: "shutdown", superseded: true }), task({ createdAt: NOW + 1 })];
    expect(judge(tasks)).toMatchObject({ kind: "waiting", state: "1 of 1 starting" });
  });
});

describe("a service has failed", () => {
  it("with the container's own word, while its task still runs", () => {
    const decision = judge([task()], {
      logOf1: log("waiting: for MySQL", "failed: MySQL refused user icinga: Access denied for user 'icinga'", "more"),
    });
    expect(decision).toEqual({
      kind: "failed",
      message: "icinga-master is not ready: MySQL refused user icinga: Access denied for user 'icinga'",
    });
  });

  it("with what a process said before its supervisor gave it up", () => {
    const decision = judge([task()], {
      logOf1: log("Error: no such file", "failed: generator does not stay up; its own last messages are above", "bye"),
    });
    expect(decision).toMatchObject({
      message:
        "icinga-master is not ready: generator does not stay up; its own last messages are above:\n    Error: no such file",
    });
  });

  it("with the exit code, what it waited for and the end of the log of a task that ended", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
    const decision = judge([task({ state: "failed", exitCode: 3, error: "task: non-zero exit (3)" })], {
      logOf1: log("waiting: for MySQL", ...lines),
    });
    const message = decision.kind === "failed" ? decision.message.split("\n") : [];
    expect(message[0]).toBe(
      "icinga-master is not ready: its task in slot 1 on node hq-1 failed (exit code 3); " +
        "last waiting: for MySQL; the end of its log:",
    );
    expect(message.slice(1)).toEqual(lines.slice(-15).map((line) => `    ${line}`));
  });

  it("when Swarm rejects its task", () => {
    const decision = judge([task({ state: "rejected", hasContainer: false, error: "No such image: nothing:1" })]);
    expect(decision).toEqual({
      kind: "failed",
      message: "icinga-master is not ready: its task in slot 1 on node hq-1 was rejected: No such image: nothing:1",
    });
  });

  it("when its health check kept failing", () => {
    const error = "task: non-zero exit (143): dockerexec: unhealthy container";
    const decision = judge([task({ state: "failed", exitCode: 143, error })]);
    expect(decision).toMatchObject({ message: expect.stringContaining("because its health check kept failing") });
  });

  it("when a task ends without an error", () => {
    const decision = judge([task({ state: "complete", exitCode: 0 })]);
    expect(decision).toMatchObject({ message: expect.stringContaining("ended by itself (exit code 0)") });
  });

  it("with the task's error rather than the roll-back that followed from it", () => {
    const rolledBack = service({
      specHash: "old",
      updateState: "rollback_completed",
      updateMessage: "rollback completed",
    });
    const decision = judge([task({ state: "failed", desiredState: "shutdown", exitCode: 1 })], { service: rolledBack });
    expect(decision).toMatchObject({ message: expect.stringContaining("failed (exit code 1)") });
  });

  it("when it was rolled back and nothing shows why", () => {
    const rolledBack = service({
      specHash: "old",
      updateState: "rollback_started",
      updateMessage: "update rolled back",
    });
    expect(judge([], { service: rolledBack })).toEqual({
      kind: "failed",
      message:
        "icinga-master is not ready: Swarm went back to its previous spec: update rolled back; " +
        "pulumi up --refresh tries the new one again",
    });
  });

  it("when somebody else changed it", () => {
    expect(judge([], { service: service({ specHash: "other" }) })).toMatchObject({
      message: "icinga-master is not ready: it was changed while it was being waited for",
    });
  });

  it("when Swarm paused its update, also with all slots running", () => {
    const paused = service({ updateState: "paused", updateMessage: "update paused due to failure of task x" });
    expect(judge([task({ state: "running" })], { service: paused })).toMatchObject({
      message: "icinga-master is not ready: Swarm paused its update: update paused due to failure of task x",
    });
  });

  it("in one slot while the other runs", () => {
    const tasks = [task({ state: "running" }), task({ id: "task-2", slot: 2, state: "failed", exitCode: 1 })];
    expect(judge(tasks, { service: service({ replicas: 2 }) })).toMatchObject({
      message: expect.stringContaining("its task in slot 2 on node hq-1 failed"),
    });
  });
});

describe("what happened before", () => {
  const failed = task({ id: "task-0", state: "failed", exitCode: 1, superseded: true });
  const next = task({ state: "ready", createdAt: NOW + 1_000 });

  it("counts when it followed from the update that the gate stands for", () => {
    const stale = staleTasks(service(), [failed, next], NOW + 3_000);
    expect(stale).toEqual(new Set());
    expect(judge([failed, next], { stale: [...stale] }).kind).toBe("failed");
  });

  it("counts when the allocator touched the service right after the task was made", () => {
    expect(staleTasks(service({ updatedAt: NOW + 500 }), [failed, next], NOW + 3_000)).toEqual(new Set());
  });

  it("does not count when the service was updated since", () => {
    const stale = staleTasks(service({ updatedAt: NOW + 60_000 }), [failed, next], NOW + 61_000);
    expect(stale).toEqual(new Set(["task-0"]));
    expect(judge([failed, next], { stale: [...stale] }).kind).toBe("waiting");
  });

  it("does not count when the gate is run again on an old deployment", () => {
    const stale = staleTasks(service(), [failed, next], NOW + 600_000);
    expect(stale).toEqual(new Set(["task-0"]));
    expect(judge([failed, next], { stale: [...stale] }).kind).toBe("waiting");
  });

  it("counts after all when Swarm makes no new task", () => {
    const last = { ...failed, superseded: false };
    expect(judge([last], { stale: ["task-0"], elapsedMs: 1_000 }).kind).toBe("waiting");
    expect(judge([last], { stale: ["task-0"], elapsedMs: 4_000 }).kind).toBe("failed");
  });

  it("does not count while a slot that had another spec meanwhile waits for its turn", () => {
    expect(judge([failed], { stale: ["task-0"], elapsedMs: 60_000 })).toMatchObject({
      kind: "waiting",
      state: "1 of 1 not created yet",
    });
  });

  it("does not count when the service returns to a spec that it had before", () => {
    const stopped = task({ id: "task-0", state: "shutdown", desiredState: "shutdown", superseded: true });
    const returned = service({ updatedAt: NOW + 60_000 });
    const stale = staleTasks(returned, [stopped, task({ createdAt: NOW + 60_100 })], NOW + 61_000);
    expect(stale).toEqual(new Set(["task-0"]));
  });

  it("explains, but does not decide, as a line of the log", () => {
    const old = [{ text: "failed: the package was rejected", old: true }];
    expect(judge([task()], { logOf1: old })).toMatchObject({
      kind: "waiting",
      reason: "failed: the package was rejected",
    });
  });

  it("of a task that counts no more does not decide as a line of the log", () => {
    const logs = new Map([["task-0", log("failed: wrong password")]]);
    expect(judge([failed, next], { stale: ["task-0"], logs }).kind).toBe("waiting");
  });
});

describe("what people read", () => {
  const waiting = { kind: "waiting", state: "1 of 1 starting", reason: "waiting: MySQL does not answer" } as const;

  it("is the state, the time and the reason", () => {
    expect(progressLine("icinga-master", waiting, 12_345)).toBe(
      "icinga-master: 1 of 1 starting, 12 s: waiting: MySQL does not answer",
    );
    expect(progressLine("icinga-master", { ...waiting, reason: undefined }, 0)).toBe(
      "icinga-master: 1 of 1 starting, 0 s",
    );
  });

  it("is what was waited for when the time is up", () => {
    expect(timeLimitMessage("icinga-master", waiting, 60)).toBe(
      "icinga-master is not ready within 60 s: MySQL does not answer (1 of 1 starting)",
    );
    expect(timeLimitMessage("icinga-master", { ...waiting, reason: undefined }, 60)).toBe(
      "icinga-master is not ready within 60 s: its health check has not succeeded, and its log does not say why " +
        "(1 of 1 starting)",
    );
    expect(timeLimitMessage("icinga-master", waiting, 60, "no Docker Engine answers")).toBe(
      "icinga-master is not ready within 60 s: no Docker Engine answers",
    );
  });
});
