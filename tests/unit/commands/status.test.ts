import type Docker from "dockerode";
import type { LogPart, LogQuery } from "../../../commands/docker/serviceLogs";
import { type MasterTasks, readMasterWord } from "../../../commands/status";
import type { SwarmNode, SwarmTask } from "../../../commands/docker/swarmApi";

const NOW = 1_800_000_000;
const DOCKER = {} as Docker;

function task(changes: Partial<SwarmTask> = {}): SwarmTask {
  return {
    ID: "t2",
    CreatedAt: "2026-11-01T12:00:00Z",
    Spec: {},
    ServiceID: "s1",
    NodeID: "n1",
    DesiredState: "running",
    Status: { State: "running" },
    ...changes,
  };
}

const HQ: SwarmNode = { ID: "n1", Description: { Hostname: "hq-1" }, Status: { State: "ready" } };
const MASTER: MasterTasks = { tasks: [task()], nodes: [HQ], now: NOW };

function reported(secondsAgo: number, more: object = {}): LogPart["lines"][number] {
  return { time: `${NOW - secondsAgo}`, text: `status ${JSON.stringify({ time: NOW - secondsAgo, ...more })}` };
}

/** Answers one query after the other, and keeps them. */
function log(...parts: LogPart[]) {
  const queries: (LogQuery & { taskId: string })[] = [];
  const read = (_docker: Docker, taskId: string, query: LogQuery): Promise<LogPart> => {
    queries.push({ ...query, taskId });
    return Promise.resolve(parts[queries.length - 1] ?? { lines: [] });
  };
  return { queries, read };
}

it("takes the last report among the last lines, and reads no more", async () => {
  const { queries, read } = log({ lines: [reported(80), reported(20)] });
  const word = await readMasterWord(DOCKER, MASTER, read);
  expect(word).toEqual({ status: { time: NOW - 20 }, ageSeconds: 20 });
  expect(queries).toMatchObject([{ taskId: "t2", tail: 500 }]);
  expect(["status {}", "information/ApiListener: status"].map((text) => queries[0]?.keep?.(text))).toEqual([
    true,
    false,
  ]);
});

it("reads a busy log from a time on after which there must be a report", async () => {
  const { queries, read } = log({ lines: [] }, { lines: [reported(70), reported(10)] });
  expect(await readMasterWord(DOCKER, MASTER, read)).toMatchObject({ ageSeconds: 10 });
  expect(queries[1]).toMatchObject({ since: NOW - 135 });
  expect(queries[1]?.tail).toBeGreaterThanOrEqual(200_000);
});

it("is content with an older report where the rest of the log does not come in time", async () => {
  const cut = "not all of it came within 8 s";
  const { read } = log({ lines: [], problem: cut }, { lines: [reported(120)], problem: cut });
  expect(await readMasterWord(DOCKER, MASTER, read)).toEqual({ status: { time: NOW - 120 }, ageSeconds: 120 });
});

it.each([
  ["no log", { lines: [], problem: "node is not available" }, /^the log of icinga-master on hq-1 cannot be read: node/],
  ["no report", { lines: [] }, /^there is no report in the last 135 s of the log of icinga-master on hq-1$/],
  [
    "Icinga's silence",
    { lines: [reported(5, { problem: "it does not answer (timed out)" })] },
    /^Icinga does not answer: it does not answer \(timed out\) \(5 s ago\)$/,
  ],
])("tells %s from a master that is not there", async (_what, part, expected) => {
  const { read } = log(part, part);
  expect((await readMasterWord(DOCKER, MASTER, read)).problem).toMatch(expected);
});

it("asks no node for a log that is down, and none for a task that does not run", async () => {
  const { queries, read } = log();
  const down = { ...MASTER, nodes: [{ ...HQ, Status: { State: "down" } }] };
  expect(await readMasterWord(DOCKER, down, read)).toEqual({ problem: "icinga-master is on hq-1, which is down" });
  // As Swarm has them once it has given a node up: nothing else may take the centre's place.
  const lost = task({ ID: "t1", DesiredState: "shutdown" });
  const pending = task({ ID: "t3", NodeID: undefined, Status: { State: "pending" } });
  const word = await readMasterWord(DOCKER, { ...MASTER, tasks: [lost, pending] }, read);
  expect(word).toEqual({ problem: "icinga-master does not run" });
  expect(queries).toEqual([]);
});
