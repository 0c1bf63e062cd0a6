import type Docker from "dockerode";

/** What this project gives swarms that it started: a node counts as down after three minutes without a sign. */
export const HEARTBEAT_SECONDS = 60;
/** Periods without a sign after which Swarm takes a node for down, and replaces its tasks. */
export const MISSED_PERIODS = 3;

const NANOSECONDS = 1e9;
/** Somebody else may change the swarm between our reading and writing. */
const ATTEMPTS = 5;
const OUT_OF_SEQUENCE = /out of sequence/;

/** The parts of a swarm's own object that are used here. */
interface Swarm {
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Dispatcher?: { readonly HeartbeatPeriod?: number } };
}

/** How often the swarm's nodes give a sign of life, in seconds. */
export async function readHeartbeat(docker: Docker): Promise<number> {
  return heartbeatOf((await docker.swarmInspect()) as Swarm);
}

/**
 * Sees to it that short outages of a link replace no task: a shorter heartbeat becomes `HEARTBEAT_SECONDS`, a longer one
 * stays.
 *
 * @returns whether it was changed
 */
export async function ensureHeartbeat(docker: Docker): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const swarm = (await docker.swarmInspect()) as Swarm;
    if (heartbeatOf(swarm) >= HEARTBEAT_SECONDS) return false;
    const Dispatcher = { ...swarm.Spec.Dispatcher, HeartbeatPeriod: HEARTBEAT_SECONDS * NANOSECONDS };
    try {
      await docker.swarmUpdate({ version: swarm.Version.Index, ...swarm.Spec, Dispatcher });
      return true;
    } catch (error) {
      if (attempt >= ATTEMPTS || !OUT_OF_SEQUENCE.test((error as Error).message)) throw error;
    }
  }
}

function heartbeatOf({ Spec }: Swarm): number {
  return (Spec.Dispatcher?.HeartbeatPeriod ?? 0) / NANOSECONDS;
}
