import { dataVolumes } from "../../../commands/docker/dataVolumes";
import { abandonedVolumes, expectedServices } from "../../../commands/status/report";
import { locationSchema } from "../../../generator/location";
import { recordStack } from "../program/recorder";

// Recording a stack loads the whole program.
jest.setTimeout(60_000);

const LOCATIONS = [
  { name: "frankfurt", nodes: ["self"], slaves: 3 },
  { name: "chicago", nodes: ["self"] },
];
const SETTINGS = {
  "icinga-swarm:inventory": "inventory/dev",
  "icinga-swarm:locations": JSON.stringify(LOCATIONS),
};

interface ServiceInputs {
  readonly name: string;
  readonly taskSpec: { readonly containerSpec: { readonly mounts: readonly { readonly source: string }[] } };
}

/** The names that commands go by are those that the components give. */
describe("the stack's names", () => {
  const locations = LOCATIONS.map((location) => locationSchema.parse(location));
  let services: ServiceInputs[];
  beforeAll(async () => {
    const resources = await recordStack(SETTINGS);
    services = resources
      .filter(({ type }) => type === "docker:index/service:Service")
      .map(({ inputs }) => inputs as unknown as ServiceInputs);
  });

  it("are known as services", () => {
    expect(services.map(({ name }) => name).sort()).toEqual(expectedServices(locations).sort());
  });

  it("are known as volumes with data, and no slot's volume counts as left behind", () => {
    const volumes = services
      .flatMap(({ taskSpec }) => taskSpec.containerSpec.mounts.map(({ source }) => source))
      .map((source) => source.replace("{{.Task.Slot}}", "1"))
      .sort();
    expect(volumes.length).toBeGreaterThan(8);
    expect(dataVolumes([...volumes, "somebody-elses-data", "mysql-data-of-others"])).toEqual(volumes);
    expect(abandonedVolumes({ volumes, locations, ownNode: "hq-1", places: {} })).toEqual([]);
  });
});
