/**
 * What the readiness gate makes of what it sees: pure functions over snapshots of a service, its tasks and their logs.
 * `commands/waitReady.ts` takes the snapshots.
 */

/** A service as far as the gate needs it. */
export interface ServiceView {
  readonly name: string;
  /** SPEC_HASH of the service's current spec. */
  readonly specHash: string | undefined;
  /** Tasks that must run. */
  readonly replicas: number;
  /** When the current spec came into force, in milliseconds of the manager's clock. */
  readonly updatedAt: number;
  /** Swarm's own word on the update: updating, paused, completed, rollback_started, rollback_paused, rollback_completed. */
  readonly updateState?: string;
  readonly updateMessage?: string;
}

/** A task of the awaited spec, as far as the gate needs it. */
export interface TaskView {
  readonly id: string;
  readonly slot: number;
  /** Host name of its node, once it has one. */
  readonly node?: string;
  readonly state: string;
  readonly desiredState: string;
  /** Swarm's error for this state, such as "no suitable node (...)". */
  readonly error?: string;
  readonly exitCode?: number;
  /** Whether it got as far as having a container, and so a log. */
  readonly hasContainer: boolean;
  /** In milliseconds of the manager's clock. */
  readonly createdAt: number;
  /** Whether its slot has a newer task, of this spec or another. */
  readonly superseded: boolean;
}

/** One line of a task's log. */
export interface LogLine {
  readonly text: string;
  /** Logged before the gate began watching an older deployment: explains, but decides nothing. */
  readonly old: boolean;
}

/** What the gate sees at one moment. */
export interface Snapshot {
  readonly service: ServiceView;
  /** The tasks of the awaited spec, those that ended included. */
  readonly tasks: readonly TaskView[];
  /** The last lines of each task's log, oldest first, by task id. */
  readonly logs: ReadonlyMap<string, readonly LogLine[]>;
  /** How long the gate has waited. */
  readonly elapsedMs: number;
}

/** What the gate looks for, fixed when it begins. */
export interface Watch {
  readonly specHash: string;
  /** Tasks that had ended before the deployment this gate stands for: what ended them may be mended since. */
  readonly staleTasks: ReadonlySet<string>;
}

export type Decision =
  | { readonly kind: "ready" }
  | { readonly kind: "waiting"; readonly state: string; readonly reason?: string }
  | { readonly kind: "failed"; readonly message: string };

/** A gate that begins within this time of the service's last update is the gate of that update. */
const FRESH_MS = 30_000;
/** The swarm's allocator touches a service shortly after its first tasks were made. */
const CLOCK_SLACK_MS = 2_000;
/** Swarm replaces a failed task at once; a slot that is still without a new one after this time gets none. */
const REPLACEMENT_MS = 3_000;
const LOG_LINES_SHOWN = 15;
/** Pulumi's state still has the spec that failed: only a refresh shows it that the swarm runs another. */
const RETRY = "pulumi up --refresh tries the new one again";
/** What keeps a task in the state `new`; Swarm itself only says so in the manager's own log. */
const UNALLOCATED =
  "Swarm has not given it its networks yet; it never does for a network whose subnet overlaps another network's";
const ENDED_STATES = new Set(["failed", "rejected", "complete"]);

/** Whether a task ended otherwise than by Swarm's wish (which is `shutdown`). A service's task has no reason to end. */
export function hasFailed(task: TaskView): boolean {
  return ENDED_STATES.has(task.state);
}

/**
 * Whether a task is of a time before the deployment that this gate stands for: right after an update, those made before
 * it; in a gate that is run again later, all it finds. What they did says nothing about what becomes of the service now.
 *
 * @param managerNow the manager's clock when the gate began, in milliseconds
 */
export function isFromBefore(task: TaskView, service: ServiceView, managerNow: number): boolean {
  const fresh = managerNow - service.updatedAt <= FRESH_MS;
  return !fresh || task.createdAt < service.updatedAt - CLOCK_SLACK_MS;
}

/** Those of the tasks that a gate finds from before that have ended, or are about to: Swarm has made new ones since. */
export function staleTasks(service: ServiceView, tasks: readonly TaskView[], managerNow: number): Set<string> {
  const ended = tasks.filter((task) => hasFailed(task) || task.superseded);
  return new Set(ended.filter((task) => isFromBefore(task, service, managerNow)).map((task) => task.id));
}

/** Judges one snapshot. */
export function decide(snapshot: Snapshot, watch: Watch): Decision {
  const { service, tasks } = snapshot;
  const slots = tasks.filter((task) => !task.superseded).sort((a, b) => a.slot - b.slot);
  const interruption = howItWasInterrupted(service, watch);
  if (!interruption && isSettled(service) && slots.filter(isRunning).length >= service.replicas)
    return { kind: "ready" };

  const cause = definiteCause(snapshot, tasks, watch) ?? failedTask(snapshot, tasks, slots, watch);
  if (cause) return { kind: "failed", message: `${service.name} is not ready: ${cause}` };
  if (interruption) return { kind: "failed", message: `${service.name} is not ready: ${interruption}` };
  return { kind: "waiting", state: describe(slots, service), reason: waitingFor(snapshot, slots) };
}

/**
 * What to say when the time is up: what was waited for, as far as it is known, and in which state that was.
 *
 * @param decision the last one, if there was any
 * @param problem why the service could not be seen at the end
 */
export function timeLimitMessage(
  service: string,
  decision: Decision | undefined,
  seconds: number,
  problem?: string,
): string {
  const start = `${service} is not ready within ${seconds} s`;
  if (problem !== undefined || decision?.kind !== "waiting") return `${start}: ${problem ?? "nothing was seen of it"}`;
  const reason =
    decision.reason?.replace(/^waiting: /, "") ?? "its health check has not succeeded, and its log does not say why";
  return `${start}: ${reason} (${decision.state})`;
}

/** One line for people: `icinga-master: 1 of 1 starting, 12 s: waiting: MySQL does not answer at mysql:3306`. */
export function progressLine(service: string, decision: Decision & { kind: "waiting" }, elapsedMs: number): string {
  const reason = decision.reason === undefined ? "" : `: ${decision.reason}`;
  return `${service}: ${decision.state}, ${Math.round(elapsedMs / 1000)} s${reason}`;
}

/** Whether Swarm, or somebody else, has given up the awaited spec. */
function howItWasInterrupted(service: ServiceView, watch: Watch): string | undefined {
  const details = service.updateMessage ? `: ${service.updateMessage}` : "";
  if (service.specHash !== watch.specHash) {
    return service.updateState?.startsWith("rollback")
      ? `Swarm went back to its previous spec${details}; ${RETRY}`
      : "it was changed while it was being waited for";
  }
  return service.updateState?.endsWith("paused") ? `Swarm paused its update${details}` : undefined;
}

/** Whether Swarm is not at work on the service; it may be on its way back to just the awaited spec. */
function isSettled(service: ServiceView): boolean {
  return service.updateState !== "updating" && service.updateState !== "rollback_started";
}

function isRunning(task: TaskView): boolean {
  return task.state === "running" && task.desiredState === "running";
}

/** A container's own word that waiting will not help: its `failed: ` line. */
function definiteCause(snapshot: Snapshot, tasks: readonly TaskView[], watch: Watch): string | undefined {
  for (const task of byAge(tasks).filter(({ id }) => !watch.staleTasks.has(id))) {
    const lines = snapshot.logs.get(task.id) ?? [];
    const index = lines.findLastIndex(({ text, old }) => !old && text.startsWith("failed: "));
    const cause = lines[index]?.text.slice("failed: ".length);
    if (cause === undefined) continue;
    // A supervisor knows only that a process ended; why is what that process said before.
    return cause.endsWith("above") ? withLog(`${cause}:`, lines.slice(0, index)) : cause;
  }
  return undefined;
}

/** A message with the end of a log below it. */
function withLog(message: string, lines: readonly LogLine[]): string {
  return [message, ...lines.slice(-LOG_LINES_SHOWN).map(({ text }) => `    ${text}`)].join("\n");
}

function failedTask(
  snapshot: Snapshot,
  tasks: readonly TaskView[],
  slots: readonly TaskView[],
  watch: Watch,
): string | undefined {
  // A stale task counts after all when it is still the newest of its slot: then Swarm has given the slot up.
  const abandoned = (task: TaskView): boolean => slots.includes(task) && snapshot.elapsedMs > REPLACEMENT_MS;
  const task = byAge(tasks).find((each) => hasFailed(each) && (!watch.staleTasks.has(each.id) || abandoned(each)));
  if (!task) return undefined;
  const lines = snapshot.logs.get(task.id) ?? [];
  const waiting = lines.findLast(({ text }) => text.startsWith("waiting: "))?.text;
  const where = task.node === undefined ? "" : ` on node ${task.node}`;
  const cause = `its task in slot ${task.slot}${where} ${howItEnded(task)}${waiting === undefined ? "" : `; last ${waiting}`}`;
  return lines.length === 0 ? cause : withLog(`${cause}; the end of its log:`, lines);
}

function howItEnded(task: TaskView): string {
  if (task.error?.includes("unhealthy container")) return "was ended because its health check kept failing";
  if (task.state === "rejected") return `was rejected: ${task.error ?? "Swarm gives no reason"}`;
  const exitCode = task.exitCode === undefined ? "" : ` (exit code ${task.exitCode})`;
  // Swarm's "task: non-zero exit (1)" only repeats the exit code.
  const error = task.error && !/^task: non-zero exit \(\d+\)$/.test(task.error) ? `: ${task.error}` : "";
  return task.state === "complete" ? `ended by itself${exitCode}` : `failed${exitCode}${error}`;
}

/** Newest first: what happened last is what the operator has to mend now. */
function byAge(tasks: readonly TaskView[]): TaskView[] {
  return [...tasks].sort((a, b) => b.createdAt - a.createdAt);
}

/** "1 of 2 running, 1 of 2 starting" */
function describe(slots: readonly TaskView[], service: ServiceView): string {
  const counts = new Map<string, number>();
  const add = (state: string, count: number): unknown => counts.set(state, (counts.get(state) ?? 0) + count);
  for (const task of slots) add(task.state === "running" && !isRunning(task) ? "stopping" : task.state, 1);
  const missing = service.replicas - slots.length;
  if (missing > 0) add("not created yet", missing);
  return [...counts].map(([state, count]) => `${count} of ${service.replicas} ${state}`).join(", ");
}

/** What keeps the first task that is not running: its own last `waiting: ` line, or Swarm's error. */
function waitingFor(snapshot: Snapshot, slots: readonly TaskView[]): string | undefined {
  for (const task of slots.filter((each) => !isRunning(each))) {
    const said = snapshot.logs.get(task.id)?.findLast(({ text }) => /^(waiting|failed): /.test(text))?.text;
    const reason = task.error ?? said ?? (task.state === "new" ? UNALLOCATED : undefined);
    if (reason !== undefined) return reason;
  }
  return undefined;
}
