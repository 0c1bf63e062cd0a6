import { nextSlotStep, type Slots, type SlotTask } from "../../../../commands/keepSlots/decision";

const SERVICE = "icinga-slave-frankfurt";

function slots(replicas: number, ...tasks: [slot: number, state: SlotTask["state"]][]): Slots {
  return {
    service: SERVICE,
    replicas,
    madeFor: 2,
    tasks: tasks.map(([slot, state]) => ({ slot, node: `fra-${slot}`, state })),
  };
}

function scale(replicas: number): object {
  return { kind: "scale", replicas };
}

it("has nothing to do where no slot is too many", () => {
  expect(nextSlotStep(slots(1, [1, "runs"]), 1)).toEqual({ kind: "done" });
  expect(nextSlotStep(slots(2, [1, "missing"], [2, "runs"]), 2)).toEqual({ kind: "done" });
  expect(nextSlotStep({ ...slots(1, [1, "silent"]), madeFor: 1 }, 2)).toEqual({ kind: "done" });
});

it("gives back what was taken away before, but no slot that the service's settings do not know yet", () => {
  expect(nextSlotStep(slots(1, [1, "runs"]), 2)).toEqual(scale(2));
  expect(nextSlotStep(slots(0), 1)).toEqual(scale(1));
  expect(nextSlotStep({ ...slots(0), madeFor: 1 }, 2)).toEqual(scale(1));
});

it("takes the last slots away where the first ones run, whatever becomes of the last", () => {
  for (const state of ["runs", "silent", "missing"] as const) {
    expect(nextSlotStep(slots(2, [1, "runs"], [2, state]), 1)).toEqual(scale(1));
  }
});

it("waits for Swarm to do what it was told", () => {
  expect(nextSlotStep(slots(1, [1, "runs"], [2, "runs"]), 1).kind).toBe("wait");
});

it("begins anew where a first slot does not run, because Swarm would keep the others", () => {
  expect(nextSlotStep(slots(2, [1, "missing"], [2, "runs"]), 1)).toEqual(scale(0));
  expect(nextSlotStep(slots(2, [2, "runs"]), 1)).toEqual(scale(0));
  expect(nextSlotStep(slots(2, [1, "missing"], [2, "missing"]), 1)).toEqual(scale(0));
});

it("begins anew where Swarm has kept a wrong slot already", () => {
  expect(nextSlotStep(slots(1, [2, "runs"]), 1)).toEqual(scale(0));
});

it("leaves a pair alone while it is not certain that the first slot's node is dead", () => {
  expect(nextSlotStep(slots(2, [1, "silent"], [2, "runs"]), 1)).toEqual({
    kind: "wait",
    reason: "node fra-1 does not answer for slot 1 of icinga-slave-frankfurt, nor has Swarm given it up",
  });
});
