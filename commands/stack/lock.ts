import { hostname } from "node:os";

/** Who holds a stack, as Pulumi's lock file says. */
export interface StackLock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** When they began. */
  readonly since: Date;
}

const LOCK_LINE = /^\s+\S+: created by (.*)@(\S+) \(pid (\d+)\) at (\S+)$/gm;
const LOCKED = /the stack is currently locked by \d+ lock/;

/** The locks that Pulumi names where it refuses to work on a stack; none where it ended for another reason. */
export function locksIn(output: string): StackLock[] {
  if (!LOCKED.test(output)) return [];
  return [...output.matchAll(LOCK_LINE)].map(([, user = "", host = "", pid = "", time = ""]) => ({
    user,
    host,
    pid: Number(pid),
    since: new Date(time),
  }));
}

/** What the lock's reader is, so that a process of theirs can be looked for. */
export interface Here {
  readonly now: Date;
  /** @default this machine's name */
  readonly host?: string;
  /** Whether a process of this machine runs. @default asks the system */
  readonly runs?: (pid: number) => boolean;
}

/**
 * Explains why Pulumi refused: who works on the stack, since when, and what to do.
 *
 * @param output what Pulumi wrote to its standard error
 * @returns undefined if it did not refuse because of a lock
 */
export function explainLock(stack: string, output: string, here: Here): string | undefined {
  const locks = locksIn(output);
  if (locks.length === 0) return undefined;
  const dead = locks.filter((lock) => isDead(lock, here));
  const holders = locks.map((lock) => `  ${describe(lock, here)}`);
  const remove = `pulumi cancel --stack ${stack} --yes`;
  const advice =
    dead.length === locks.length
      ? `Nobody works on it any more: the Pulumi that made the lock was killed. Remove the lock with: ${remove}`
      : `Two at once would undo each other's work: wait until they are done, then run this again. If that Pulumi is gone ` +
        `(killed, its machine or its pipeline stopped), its lock stays behind; ask them, then remove it with: ${remove}`;
  return [`Somebody else works on the stack ${stack}:`, ...holders, advice, "More in docs/many-hands.md."].join("\n");
}

function describe(lock: StackLock, here: Here): string {
  const place = isDead(lock, here) ? "which does not run any more" : `process ${lock.pid}`;
  return `${lock.user} on ${lock.host}, since ${lock.since.toISOString()} (${ago(lock.since, here.now)}), ${place}`;
}

function isDead({ host, pid }: StackLock, here: Here): boolean {
  return host === (here.host ?? hostname()) && !(here.runs ?? processRuns)(pid);
}

/** Whether a process of this machine runs, whoever's it is. */
export function processRuns(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function ago(since: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - since.getTime()) / 60_000);
  if (minutes < 1) return "less than a minute ago";
  if (minutes < 120) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} hours ago` : `${Math.floor(hours / 24)} days ago`;
}
