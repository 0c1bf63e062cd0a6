import fc from "fast-check";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readInventory } from "../../../../generator/inventory";
import { importNagios } from "../../../../generator/nagios";
import { Refusal } from "../../../../generator/nagios/refusal";
import { readSources } from "../../../../generator/nagios/read";
import { resolve } from "../../../../generator/nagios/resolve";
import { judge } from "./nagios";
import { type Comparable, comparableOf, readPrecached } from "./precached";

const oneOf = (...values: string[]) => fc.constantFrom(...values);
const rarely = <T>(arbitrary: fc.Arbitrary<T>, common: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary }, { weight: 12, arbitrary: common });

const HOSTS = ["h1", "h2", "h3"];
const GROUPS = ["g1", "g2", "g3"];
const PEOPLE = ["p1", "p2"];
const TEMPLATES = ["t1", "t2", "t3"];

/** A list of some of the names as people write them: here and there with another one left out, or everything. */
function names(known: readonly string[], isPattern: boolean, everything?: string): fc.Arbitrary<string> {
  const some = fc.tuple(
    fc.subarray([...known], { minLength: 1 }),
    // A pattern that starts with a ! only matches one: nothing, here.
    fc.array(
      fc.constantFrom(...known).map((name) => `!${name}`),
      { maxLength: isPattern ? 0 : 1 },
    ),
    oneOf(",", " , ", ",\t"),
  );
  const listed = some.map(([chosen, rejected, comma]) => [...chosen, ...rejected].join(comma));
  if (everything === undefined) return listed;
  if (isPattern) return fc.oneof(listed, fc.constant(everything));
  const all = fc.constantFrom(...known).map((name) => `${everything},!${name}`);
  return fc.oneof({ weight: 3, arbitrary: listed }, all, fc.constant(everything));
}

/** What may add to a template's, or be taken away. */
function inherited(list: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return rarely(
    fc.constant("null"),
    fc.oneof(
      list,
      list.map((text) => `+${text}`),
    ),
  );
}

type Lines = Readonly<Record<string, fc.Arbitrary<string>>>;

/** A definition with some of the lines. */
function definition(type: string, lines: Lines, always: Readonly<Record<string, string>> = {}): fc.Arbitrary<string> {
  const optional = Object.fromEntries(
    Object.entries(lines).map(([name, value]) => [name, fc.option(value, { nil: undefined, freq: 2 })]),
  );
  return fc.record(optional).map((chosen) => {
    const written = Object.entries({ ...always, ...defined(chosen) });
    return `define ${type} {\n${written.map(([name, value]) => `  ${name} ${value}\n`).join("")}}\n`;
  });
}

function defined(chosen: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(chosen).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

const monitored: Lines = {
  check_interval: oneOf("1", "2.5", "10"),
  notification_interval: oneOf("0", "30"),
  notification_options: oneOf("n", "r,u", "all", "f,s"),
  notification_period: oneOf("always", "null"),
  contacts: inherited(names(PEOPLE, true)),
  contact_groups: inherited(oneOf("c1", "c2", "c1, c2")),
  notes: oneOf("a note", "null", "one; not this", String.raw`\; that`),
  _X: oneOf("1", "2", "null", ""),
  _y: oneOf("z"),
};
const template = fc.subarray(TEMPLATES, { minLength: 1 }).map((chosen) => chosen.join(","));

/** Objects of every kind: those that others need, and some of the rest. */
function objects(isPattern: boolean): fc.Arbitrary<string> {
  const all = isPattern ? "h.*" : "*";
  const allGroups = isPattern ? "g.?" : "*";
  const host: Lines = {
    ...monitored,
    hostgroups: inherited(rarely(names(GROUPS, isPattern, allGroups), oneOf("g1", "g2", "g1,g3", "g3,g1,g2"))),
    parents: rarely(inherited(oneOf("h1", "h2")), oneOf("null", "h0")),
  };
  const service: Lines = {
    ...monitored,
    host_name: inherited(names(HOSTS, isPattern, all)),
    hostgroup_name: inherited(names(GROUPS, isPattern, allGroups)),
    servicegroups: inherited(oneOf("sg1", "sg2", "sg1,sg2,!sg1")),
    check_command: rarely(oneOf("null"), oneOf("check", "check!a", "!check!b")),
  };
  const everywhere = fc.tuple(
    definition("host", {}, { host_name: "h0", max_check_attempts: "1" }),
    ...TEMPLATES.map((name) =>
      definition("host", name === "t3" ? { ...host, use: oneOf("t1", "t2", "t1,t2") } : host, { name, register: "0" }),
    ),
    ...HOSTS.map((name) =>
      definition("host", { use: template, ...host }, { host_name: name, max_check_attempts: "3" }),
    ),
    ...TEMPLATES.map((name) => definition("service", service, { name, register: "0" })),
    ...GROUPS.map((name, index) => {
      const below = GROUPS.slice(index + 1);
      const lines: Lines = {
        members: names(HOSTS, isPattern, all),
        ...(below.length > 0 ? { hostgroup_members: oneOf(...below) } : {}),
      };
      return definition("hostgroup", lines, { hostgroup_name: name });
    }),
    ...["sg1", "sg2"].map((name) => definition("servicegroup", {}, { servicegroup_name: name })),
    ...["c1", "c2"].map((name) =>
      definition(
        "contactgroup",
        { members: names(PEOPLE, isPattern, isPattern ? "p+" : "*") },
        { contactgroup_name: name },
      ),
    ),
  );
  const services = ["s1", "s2", "s3", "s1", "s2"].map((name, index) => {
    const place: Record<string, string> = index < 3 ? { host_name: "h1" } : { hostgroup_name: "g1" };
    const fixed = { service_description: name, max_check_attempts: "2", check_command: "check", ...place };
    return definition("service", { use: template, ...service }, fixed);
  });
  const relations = [
    definition(
      "servicegroup",
      { members: oneOf("h1,s1", "h1,*", "h1,s1,h1,s2", "h1,!s1,h1,*"), servicegroup_members: oneOf("sg2") },
      { servicegroup_name: "sg3" },
    ),
    definition(
      "hostescalation",
      {
        host_name: names(HOSTS, isPattern, all),
        hostgroup_name: names(GROUPS, isPattern),
        contacts: inherited(oneOf("p1")),
      },
      { first_notification: "1", last_notification: "0" },
    ),
    definition(
      "serviceescalation",
      {
        contact_groups: inherited(oneOf("c1")),
        servicegroup_name: names(["sg1", "sg2"], isPattern),
        contacts: inherited(oneOf("p2")),
      },
      { host_name: "h1", service_description: isPattern ? "s[12]*" : "*", first_notification: "2" },
    ),
    definition(
      "hostdependency",
      { host_name: names(HOSTS, isPattern), hostgroup_name: names(GROUPS, isPattern) },
      { dependent_host_name: "h0", notification_failure_options: "d" },
    ),
    definition(
      "servicedependency",
      { dependent_host_name: names(HOSTS, isPattern), execution_failure_options: oneOf("w,u", "n", "p") },
      {
        host_name: "h1",
        service_description: "s1",
        dependent_service_description: isPattern ? "s[23]*" : "*,!s1",
        notification_failure_options: "c",
      },
    ),
    definition(
      "servicedependency",
      { dependent_hostgroup_name: names(GROUPS, isPattern), dependent_servicegroup_name: oneOf("sg1") },
      {
        service_description: "s1",
        dependent_host_name: "h1",
        dependent_service_description: isPattern ? "s[23]?" : "*,!s1",
        execution_failure_options: "c",
      },
    ),
    definition(
      "hostextinfo",
      { hostgroup_name: names(GROUPS, isPattern), notes: oneOf("extended") },
      { host_name: "h1", icon_image: "x.png" },
    ),
  ];
  const maybe = [...services, ...relations].map((one, index) => fc.option(one, { nil: "", freq: index < 5 ? 4 : 2 }));
  return fc.tuple(everywhere, fc.tuple(...maybe)).map(([needed, rest]) => [...needed, ...rest].join(""));
}

const config = rarely(fc.constant(true), fc.boolean()).chain((isPattern) =>
  fc.record({
    settings: fc.record({
      use_regexp_matching: oneOf(isPattern ? "1" : "0"),
      use_true_regexp_matching: oneOf("0", "0", "0", "1"),
      allow_empty_hostgroup_assignment: oneOf("0", "1"),
    }),
    objects: objects(isPattern),
  }),
);

const FIXED = `
define command {
  command_name check
  command_line /bin/check $ARG1$
}
define timeperiod {
  timeperiod_name always
  alias always
  monday 08:00-17:00
}
define contact {
  contact_name p1
  host_notification_commands check
  service_notification_commands check
}
define contact {
  contact_name p2
  contactgroups c1
  host_notification_commands check
  service_notification_commands check!a check
}
`;

describe("any Nagios configuration", () => {
  let folder: string;
  beforeAll(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "anything-"))));
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it("is refused if Nagios refuses it, and otherwise resolves and is imported to the same objects", () => {
    const main = path.join(folder, "nagios.cfg");
    let accepted = 0;
    fc.assert(
      fc.property(config, ({ settings, objects: text }) => {
        fs.writeFileSync(path.join(folder, "objects.cfg"), FIXED + text);
        const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
        fs.writeFileSync(main, ["cfg_file=objects.cfg", ...lines, ""].join("\n"));
        const { precached, output } = judge(main);
        const theirs = precached === undefined ? undefined : readPrecached(precached);
        const ours = resolved(main);
        if (theirs !== undefined) accepted += 1;
        if (theirs === undefined && typeof ours !== "string") throw new Error(`only Nagios refuses:\n${output}`);
        if (theirs === undefined) return;
        expect(ours).toEqual(theirs);
        expect(importedNames(main, folder)).toEqual(namesOf(theirs));
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(15);
  });
});

function resolved(main: string): Comparable | string {
  try {
    return comparableOf(resolve(readSources(main)));
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** Hosts with their services, by name. */
function namesOf({ host = [], service = [] }: Comparable): Record<string, (string | undefined)[]> {
  const entries = host.map(({ host_name: name = "" }) => {
    const ofHost = service.filter((one) => one["host_name"] === name);
    return [name, ofHost.map((one) => one["service_description"]).sort()];
  });
  return Object.fromEntries(entries) as Record<string, (string | undefined)[]>;
}

/** The same of the inventory that a configuration is imported to. */
function importedNames(nagiosCfg: string, folder: string): Record<string, (string | undefined)[]> {
  const output = path.join(folder, "inventory");
  fs.rmSync(output, { recursive: true, force: true });
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  expect([
    importNagios({ nagiosCfg, output, location: "here", timezone: "UTC", out: say, err: say }),
    said.slice(1),
  ]).toEqual([0, []]);
  const { inventory, problems } = readInventory(output, [{ name: "here", slaves: 1 }]);
  expect(problems).toEqual([]);
  return Object.fromEntries(
    inventory.hosts.map(({ name, checks }) => [name, checks.map((check) => check.name).sort()]),
  );
}
