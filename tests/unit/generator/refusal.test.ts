import { explainRefusal } from "../../../generator/refusal";

const UUID = "c3879523-796a-406b-b330-3e2ced72b48b";
const HOSTS = [
  "// header",
  'object Host "web-1" {',
  '  address = "10.0.0.1"',
  "}",
  "",
  'object Service "load" {',
  '  host_name = "web-1"',
  '  check_command = "nope"',
  "}",
  "",
].join("\n");
const FILES = new Map([["zones.d/frankfurt/hosts.conf", HOSTS]]);
const INVENTORY = { "fra.yaml": "hosts:\n  - address: 10.0.0.1\n    name: web-1\n" };

function log(message: string, place: string): string {
  return [
    "[2026-11-23 00:18:00 +0000] information/cli: Loading configuration file(s).",
    `[2026-11-23 00:18:00 +0000] critical/config: Error: ${message}`,
    `Location: in /var/lib/icinga2/api/packages/${place}`,
    "[2026-11-23 00:18:00 +0000] critical/config: 1 error",
  ].join("\n");
}

describe("what Icinga has against a package", () => {
  it.each([2, 3, 6, 8])("is led back to the host, from line %s", (line) => {
    const text = log(
      "Object 'nope' does not exist.",
      `icinga-swarm/${UUID}/zones.d/frankfurt/hosts.conf: ${line}:3-3:4`,
    );
    expect(explainRefusal(text, FILES, INVENTORY)).toBe(
      `Object 'nope' does not exist. (zones.d/frankfurt/hosts.conf:${line}, host web-1, from fra.yaml:3:11 of the inventory)`,
    );
  });

  it("is led back to the check of one's own, past the stack's own commands", () => {
    const commands = new Map([
      [
        "zones.d/global-templates/commands.conf",
        'object CheckCommand "icinga-swarm-own-x" {\n}\n\nobject CheckCommand "icinga-swarm-alive-tcp-f9b12de0" {\n}\n',
      ],
    ]);
    const at = (line: number) =>
      explainRefusal(
        log("No.", `icinga-swarm/${UUID}/zones.d/global-templates/commands.conf: ${line}:1-1:2`),
        commands,
        { "a.yaml": "checks:\n  x: { plugin: [a] }\n" },
      );
    expect(at(1)).toBe("No. (zones.d/global-templates/commands.conf:1, check x, from a.yaml:2:3 of the inventory)");
    expect(at(4)).toBe("No. (zones.d/global-templates/commands.conf:4)");
  });

  it("finds our place where the message itself names it", () => {
    const message =
      `Object 'web-1' re-defined: in /var/lib/icinga2/api/packages/other/${UUID}/x.conf: 1:0-1:22; previous ` +
      `definition: in /var/lib/icinga2/api/packages/icinga-swarm/${UUID}/zones.d/frankfurt/hosts.conf: 2:1-2:23`;
    const explained = explainRefusal(log(message, `other/${UUID}/x.conf: 1:0-1:22`), FILES, INVENTORY);
    expect(explained).toContain("in other/x.conf: 1:0-1:22");
    expect(explained).toContain("(zones.d/frankfurt/hosts.conf:2, host web-1, from fra.yaml:3:11 of the inventory)");
    expect(explained).not.toContain("/var/lib");
  });

  it("is said without a place where there is none of ours", () => {
    expect(explainRefusal(log("No.", "other/x/y.conf: 1:1-1:2"), FILES, INVENTORY)).toBe("No.");
    expect(explainRefusal("killed\n", FILES, INVENTORY)).toBe("killed");
    expect(explainRefusal("", FILES, INVENTORY)).toBe("the validation ended without a message");
  });
});
