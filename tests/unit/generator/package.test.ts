import * as fs from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import { parseInventory, readInventory } from "../../../generator/inventory";
import { renderPackage } from "../../../generator/package";
import { SITES } from "./sites";

const GOLDEN = path.join(__dirname, "golden");
const WEEK = { monday: "2026-11-23" };

function golden(): ReadonlyMap<string, string> {
  const { inventory, problems } = readInventory(path.join(GOLDEN, "inventory"), SITES);
  expect(problems).toEqual([]);
  return renderPackage(inventory, SITES, WEEK);
}

function filesBelow(folder: string): Map<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      return [path.relative(folder, file), fs.readFileSync(file, "utf8")];
    }),
  );
}

/** What is between the braces of an object. */
function objectNamed(text: string | undefined, kind: string, name: string): string {
  const start = text?.indexOf(`object ${kind} "${name}" {`) ?? -1;
  if (start < 0) throw new Error(`no ${kind} ${name}`);
  return text?.slice(start).split("\n}\n")[0] ?? "";
}

describe("the package", () => {
  it("is what it was (UPDATE_GOLDEN=1 writes the files anew)", () => {
    const folder = path.join(GOLDEN, "package");
    if (process.env["UPDATE_GOLDEN"]) {
      fs.rmSync(folder, { recursive: true, force: true });
      for (const [file, text] of golden()) {
        fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        fs.writeFileSync(path.join(folder, file), text);
      }
    }
    expect(golden()).toEqual(filesBelow(folder));
  });

  it("is sorted by path, and does not depend on the order of locations or files", () => {
    const paths = [...golden().keys()];
    expect(paths).toEqual([...paths].sort());
    const { inventory } = readInventory(path.join(GOLDEN, "inventory"), SITES);
    expect([...renderPackage(inventory, [...SITES].reverse(), WEEK)]).toEqual([...golden()]);
  });

  it("leaves the master's own zone and endpoint to the master", () => {
    const zones = golden().get("conf.d/zones.conf") ?? "";
    expect(zones).not.toMatch(/object (Zone|Endpoint) "(master|icinga-master|global-templates)"/);
    expect(zones).not.toContain("host =");
    expect(zones.match(/parent = "master"/g)).toHaveLength(5);
  });

  it("bounds what the master keeps for slaves that are out of reach", () => {
    const { inventory } = readInventory(path.join(GOLDEN, "inventory"), SITES);
    const zones = (replayHours?: number) =>
      renderPackage(inventory, SITES, { ...WEEK, replayHours }).get("conf.d/zones.conf") ?? "";
    const endpoints = SITES.reduce((sum, { slaves }) => sum + slaves, 0);
    expect(zones().match(/^ {2}log_duration = 24h$/gm)).toHaveLength(endpoints);
    expect(zones(72).match(/^ {2}log_duration = 72h$/gm)).toHaveLength(endpoints);
  });

  it("has a host for each slave, checked on that very slave", () => {
    const text = golden().get("zones.d/chicago-p2/stack.conf");
    for (const endpoint of ["icinga-slave-chicago-p2-1", "icinga-slave-chicago-p2-2"]) {
      const host = objectNamed(text, "Host", endpoint);
      expect(host).toContain(`command_endpoint = "${endpoint}"`);
      expect(host).toContain('groups = [ "icinga-swarm", "location-chicago" ]');
    }
    expect(
      golden()
        .get("zones.d/chicago-p3/stack.conf")
        ?.match(/object Host/g),
    ).toHaveLength(1);
  });

  it("watches every zone from the master", () => {
    const text = golden().get("zones.d/master/stack.conf");
    for (const zone of ["chicago", "chicago-p2", "chicago-p3", "frankfurt", "singapore"]) {
      expect(objectNamed(text, "Service", `zone ${zone}`)).toContain(`vars.cluster_zone = "${zone}"`);
    }
  });

  it("puts each host into one zone of its location, with the location's group", () => {
    const hosts = Array.from({ length: 50 }, (_, index) => `h${index}`);
    const text = `hosts: [${hosts.map((name) => `{ name: ${name}, address: 10.0.0.1, location: chicago }`).join(", ")}]`;
    const { inventory, problems } = parseInventory({ "a.yaml": text }, SITES);
    expect(problems).toEqual([]);
    const files = renderPackage(inventory, SITES, WEEK);
    const zones = ["chicago", "chicago-p2", "chicago-p3"].map((zone) => files.get(`zones.d/${zone}/hosts.conf`) ?? "");
    for (const name of hosts) {
      const found = zones.filter((zone) => zone.includes(`object Host "${name}" {`));
      expect(found).toHaveLength(1);
      expect(objectNamed(found[0], "Host", name)).toContain('groups = [ "location-chicago" ]');
    }
  });

  it("has no file for a zone without hosts, but still its slaves", () => {
    expect([...golden().keys()].filter((file) => file.includes("/singapore/"))).toEqual([
      "zones.d/singapore/stack.conf",
    ]);
  });

  it("keeps one object per object, whatever people write", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(text, text, text, (displayName, argument, variable) => {
        const file = JSON.stringify({
          hosts: [
            {
              name: "a",
              address: "10.0.0.1",
              location: "singapore",
              displayName,
              vars: { x: variable, list: [variable] },
              checks: [{ nrpe: { command: "c", arguments: [argument] } }, { http: { contains: argument } }],
            },
          ],
        });
        const { inventory, problems } = parseInventory({ "a.yaml": file }, SITES);
        fc.pre(problems.length === 0);
        const rendered = renderPackage(inventory, SITES, WEEK).get("zones.d/singapore/hosts.conf") ?? "";
        const lines = rendered.split("\n").filter((line) => line !== "");
        // Every line is a comment, the start or the end of an object, or an attribute of one: none is broken in two.
        for (const line of lines) expect(line).toMatch(/^(\/\/ .*|object (Host|Service) "[a-z]+" \{|\}| {2}\S.*)$/su);
        expect(lines.filter((line) => line.startsWith("object ")).length).toBe(3);
      }),
      { numRuns: 300 },
    );
  });
});

describe("what hosts share", () => {
  const inventory = (count: number) => {
    const hosts = Array.from(
      { length: count },
      (_, index) => `{ name: h${index}, address: h, location: singapore, roles: [r] }`,
    );
    const parsed = parseInventory({ "a.yaml": `roles: { r: { checks: [ssh] } }\nhosts: [${hosts.join(", ")}]` }, SITES);
    expect(parsed.problems).toEqual([]);
    return renderPackage(parsed.inventory, SITES, WEEK);
  };

  it("is written once, where that is smaller", () => {
    const rules = inventory(2).get("zones.d/global-templates/services.conf");
    expect(rules).toContain('apply Service "ssh" {');
    expect(rules).toContain('assign where "r/ssh" in host.vars.checks');
    const hosts = inventory(2).get("zones.d/singapore/hosts.conf") ?? "";
    expect(hosts.match(/vars\.checks = \[ "r\/ssh" \]/g)).toHaveLength(2);
    expect(hosts).not.toContain("object Service");
  });

  it("is written at the host that has it alone", () => {
    expect(inventory(1).get("zones.d/global-templates/services.conf")).toBeUndefined();
    expect(objectNamed(inventory(1).get("zones.d/singapore/hosts.conf"), "Service", "ssh")).toContain(
      'host_name = "h0"',
    );
  });
});

describe("a zone that is cut off", () => {
  it("is told once, within two minutes, and holds back the rest", () => {
    const service = objectNamed(golden().get("zones.d/master/stack.conf"), "Service", "zone frankfurt");
    expect(service).toContain("vars.notify_once = true");
    // A dead link is noticed after 60 to 90 s; then come one look and its confirmation.
    const seconds = (attribute: string) => Number(new RegExp(`${attribute} = (\\d+)s`).exec(service)?.[1]);
    expect(90 + seconds("check_interval") + seconds("retry_interval")).toBeLessThan(110);
    expect(seconds("retry_interval")).toBeGreaterThan(10);
    expect(service).toContain("max_check_attempts = 2");
    expect(golden().get("zones.d/master/notifications.conf")).toContain(
      "if (service.vars.notify_once) { interval = 0 }",
    );
    const held = golden().get("zones.d/master/dependencies.conf") ?? "";
    expect(
      held.match(
        /parent_service_name = "zone " \+ host\.zone\n {2}disable_checks = false\n {2}disable_notifications = true/g,
      ),
    ).toHaveLength(2);
  });
});

describe("times of other zones", () => {
  it("change with the week, and only they", () => {
    const { inventory } = readInventory(path.join(GOLDEN, "inventory"), SITES);
    const [one, other] = ["2026-11-23", "2026-11-30"].map((monday) => renderPackage(inventory, SITES, { monday }));
    const changed = [...(one ?? [])].flatMap(([file, text]) => (other?.get(file) === text ? [] : [file]));
    expect(changed).toEqual(["zones.d/global-templates/periods.conf", "zones.d/master/downtimes.conf"]);
  });
});

describe("who is told when", () => {
  it("a location that is cut off is told to those, too, who want to hear of hosts alone", () => {
    const text = `contacts: { al: { email: al@example.com } }
notifications: { hosts: { contacts: [al], on: [down, recovery] } }
hosts: [{ name: h, address: h, location: singapore }]
`;
    const { inventory, problems } = parseInventory({ "a.yaml": text }, SITES);
    expect(problems).toEqual([]);
    const found = renderPackage(inventory, SITES, WEEK).get("zones.d/master/notifications.conf");
    expect(found).toMatch(
      /to Service \{[^}]*states = \[ Critical, OK \][^}]*assign where service\.vars\.notify_once && /,
    );
  });

  const rules = golden().get("zones.d/master/notifications.conf") ?? "";

  /** The rule for hosts of a name. */
  const rule = (name: string) =>
    rules.split("\n\n").find((text) => text.includes(`apply Notification "${name}" to Host {`));

  it("is the rule's own business: Icinga never tells what a user's own filter held back", () => {
    expect(golden().get("zones.d/master/contacts.conf")).not.toMatch(/period|states|types/);
    expect(rule("web in office-hours")).toMatch(/users = \[ "alice" \][^]*period = "office-hours"/);
    expect(rule("ops on down critical recovery")).toMatch(/users = \[ "bob" \][^]*states = \[ Down, Up \]/);
  });

  it("is the time that is in the rule's period and in the contact's", () => {
    expect(rule("web in working-week")).toMatch(/users = \[ "carol" \][^]*period = "office-hours & working-week"/);
    const period = objectNamed(
      golden().get("zones.d/global-templates/periods.conf"),
      "TimePeriod",
      "office-hours & working-week",
    );
    // 09:00 in Berlin to 18:00 in Singapore.
    expect(period).toContain('"2026-11-23" = "08:00-10:00"');
    expect(period).not.toContain("2026-12-08");
  });
});
