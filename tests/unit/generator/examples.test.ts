import * as fs from "node:fs";
import * as path from "node:path";
import { describeProblem, readInventory } from "../../../generator/inventory";
import { readLocations } from "../../../generator/locationsFile";
import { renderPackage } from "../../../generator/package";

const ROOT = path.join(__dirname, "..", "..", "..");

describe.each(["dev", "prod"])("the example inventory of the stack %s", (stack) => {
  const file = `Pulumi.${stack}.yaml`;
  const { locations, problems } = readLocations(file, fs.readFileSync(path.join(ROOT, file), "utf8"));
  const read = readInventory(path.join(ROOT, "inventory", stack), locations);

  it("has no problems with the stack's locations", () => {
    expect([...problems, ...read.problems].map(describeProblem)).toEqual([]);
  });

  it("monitors something in every location", () => {
    const used = new Set(read.inventory.hosts.map(({ location }) => location));
    expect([...used].sort()).toEqual(locations.map(({ name }) => name).sort());
    expect([...renderPackage(read.inventory, locations, { monday: "2026-11-23" }).keys()]).toContain(
      "conf.d/zones.conf",
    );
  });
});
