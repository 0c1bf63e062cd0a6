import * as fc from "fast-check";
import { assignPair } from "../../../generator/assign";
import { topology } from "../../../generator/location";

const HOSTS = Array.from({ length: 2000 }, (_, index) => `host-${index}`);

function zones(slaves: number): Map<string, string> {
  const pairs = topology({ name: "frankfurt", slaves });
  return new Map(HOSTS.map((host) => [host, assignPair(host, pairs).zone]));
}

describe("hosts of a location with several pairs", () => {
  it("spread evenly", () => {
    const counts = new Map<string, number>();
    for (const zone of zones(8).values()) counts.set(zone, (counts.get(zone) ?? 0) + 1);
    expect(counts.size).toBe(4);
    for (const count of counts.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });

  it("move only to a further pair, and about as many as it deserves", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), (pairs) => {
        const [before, after] = [zones(2 * pairs), zones(2 * pairs + 1)];
        const moved = HOSTS.filter((host) => before.get(host) !== after.get(host));
        expect(moved.every((host) => after.get(host) === `frankfurt-p${pairs + 1}`)).toBe(true);
        expect(Math.abs(moved.length / HOSTS.length - 1 / (pairs + 1))).toBeLessThan(0.05);
      }),
      { numRuns: 6 },
    );
  });

  it("stay where they are when a pair gets its second slave", () => {
    expect(zones(3)).toEqual(zones(4));
  });

  it("needs a pair", () => {
    expect(() => assignPair("a", [])).toThrow("no pair to assign a to");
  });
});
