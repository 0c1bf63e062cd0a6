/**
 * How the tasks of a service come to be in its first slots: pure functions over what is seen of them.
 * `commands/keepSlots.ts` does what they say.
 */

/** A task that Swarm means to run. */
export interface SlotTask {
  readonly slot: number;
  /** Host name of its node, once it has one. */
  readonly node?: string;
  /**
   * - `runs`: its node has just answered for it
   * - `silent`: Swarm takes it for running, but its node does not answer: dead since a moment ago, or cut off
   * - `missing`: it does not run
   */
  readonly state: "runs" | "silent" | "missing";
}

/** A service at one moment. */
export interface Slots {
  readonly service: string;
  /** Number of tasks that Swarm is told to run. */
  readonly replicas: number;
  /** Number of slots that the tasks' own settings name. */
  readonly madeFor: number;
  readonly tasks: readonly SlotTask[];
}

export type SlotStep =
  | { readonly kind: "done" }
  /** Nothing can be decided yet. */
  | { readonly kind: "wait"; readonly reason: string }
  /** Tell Swarm to run this many tasks. It numbers the slots of new tasks from 1, and knows no slot of a service with none. */
  | { readonly kind: "scale"; readonly replicas: number };

/**
 * The next step towards a service of which only the slots 1 to `wanted` are left.
 *
 * Of a service with too many tasks Swarm takes away those that do not run, whatever their slot. So where a wanted slot
 * does not run all are taken away, and made anew with numbers from 1. That happens only once it is certain: for as long as
 * Swarm has not given up the node of a silent task, the new one might be put there, and nothing at all would run.
 *
 * A service with fewer tasks than it is made for lost them to a deployment that failed after such a step: where somebody
 * then takes the change back, Pulumi has nothing to do. One that is to grow is made for fewer until Pulumi changes it.
 */
export function nextSlotStep({ service, replicas, madeFor, tasks }: Slots, wanted: number): SlotStep {
  if (tasks.length > replicas) return { kind: "wait", reason: `Swarm takes tasks of ${service} away` };
  const surplus = tasks.filter(({ slot }) => slot > wanted);
  if (surplus.length === 0 && replicas <= wanted) {
    const due = Math.min(wanted, madeFor);
    return replicas < due ? { kind: "scale", replicas: due } : { kind: "done" };
  }

  const silent = tasks.find(({ state, slot }) => state === "silent" && slot <= wanted);
  if (silent) {
    const reason = `node ${silent.node} does not answer for slot ${silent.slot} of ${service}, nor has Swarm given it up`;
    return { kind: "wait", reason };
  }
  const running = tasks.filter(({ state, slot }) => state === "runs" && slot <= wanted);
  return { kind: "scale", replicas: running.length === wanted && replicas > wanted ? wanted : 0 };
}
