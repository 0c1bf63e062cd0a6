import { parseInventory } from "../../../generator/inventory";
import { certificateProblems } from "../../../generator/nrpeCertificates";
import { generatorSchema, serviceSchema } from "../../../generator/serviceSettings";
import { SITES } from "./sites";

function problemsOf(text: string) {
  const files = { "sites/a.yaml": "hosts: []\n", "sites/b.yaml": text };
  const { inventory, problems } = parseInventory(files, SITES);
  expect(problems).toEqual([]);
  return certificateProblems(inventory, files);
}

const host = (more: string) => `hosts:\n  - { name: h, address: 10.0.0.1, location: frankfurt, ${more} }\n`;

describe("an inventory for a stack without certificates for NRPE clients", () => {
  it.each([
    ["a host", "nrpe: { ssl: certificates }, checks: [load]"],
    ["a check", "checks: [{ nrpe: { command: check_x, ssl: certificates } }]"],
  ])("is wrong at the host where %s asks for them", (_what, more) => {
    expect(problemsOf(host(more))).toEqual([
      {
        file: "sites/b.yaml",
        line: 2,
        column: 13,
        message: expect.stringMatching(
          /NRPE client of h .* icinga-swarm:nrpeCaCertificate.* and run pulumi up$/,
        ) as string,
      },
    ]);
  });

  it.each(["nrpe: { ssl: anonymous }, checks: [load]", "nrpe: { ssl: certificates }, checks: [ping]"])(
    "is right where nothing is asked with them: %s",
    (more) => expect(problemsOf(host(more))).toEqual([]),
  );
});

it("is what the service, and only the service, is told of", () => {
  expect(serviceSchema.parse({ nrpeCertificates: true }).nrpeCertificates).toBe(true);
  expect(serviceSchema.parse({}).nrpeCertificates).toBe(false);
  expect(generatorSchema.safeParse({ nrpeCertificates: true }).success).toBe(false);
});
