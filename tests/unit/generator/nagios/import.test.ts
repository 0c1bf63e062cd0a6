import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type Inventory, readInventory } from "../../../../generator/inventory";
import type { IcingaCheck, Timing } from "../../../../generator/model";
import { type Import, importNagios, REPORT_FILE } from "../../../../generator/nagios";
import { renderPackage } from "../../../../generator/package";
import { judge, nagiosFiles } from "./nagios";
import { type Comparable, readPrecached } from "./precached";

const trees = path.join(__dirname, "trees");

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "import-"))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Imports a configuration into a folder of its own. */
function imported(options: Pick<Import, "nagiosCfg"> & Partial<Import>) {
  const said = { out: "", err: "" };
  const output = path.join(folder, "inventory");
  const code = importNagios({
    output,
    shown: (file) => path.relative(path.dirname(options.nagiosCfg), file),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
    ...options,
  });
  const read = (file: string) => fs.readFileSync(path.join(output, file), "utf8");
  return { code, output, read, ...said };
}

function inventoryOf(output: string, ...locations: string[]): Inventory {
  const sites = locations.map((name) => ({ name, slaves: 1 }));
  const { inventory, problems } = readInventory(output, sites);
  expect(problems).toEqual([]);
  // What Icinga gets of it can be made, too.
  renderPackage(inventory, sites, { monday: "2026-11-23" });
  return inventory;
}

/** What Nagios itself makes of a configuration. */
function precachedOf(nagiosCfg: string, root?: string): Comparable {
  const { precached, output } = judge(nagiosCfg, root);
  if (precached === undefined) throw new Error(output);
  return readPrecached(precached);
}

interface Expected {
  readonly nagiosCfg: string;
  readonly root?: string;
  readonly userMacros: Readonly<Record<string, string>>;
  /** Names that the inventory does not take. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Services that the import says it leaves out. */
  readonly left?: readonly string[];
}

/** Hosts and services of Nagios's own precached objects, in a form to compare. */
function expectedObjects({ nagiosCfg, root, userMacros, renamed = {}, left = [] }: Expected) {
  const { host: hosts = [], service: services = [], command: commands = [] } = precachedOf(nagiosCfg, root);
  const lines = new Map(commands.map((command) => [command["command_name"], command["command_line"] ?? ""]));
  const argvOf = (object: Readonly<Record<string, string>>, macros: Readonly<Record<string, string>>) => {
    if (object["check_command"] === undefined || object["active_checks_enabled"] === "0") return [];
    const [name = "", ...args] = object["check_command"].split(/(?<!\\)!/);
    const all: Record<string, string> = { ...userMacros, ...macros };
    args.forEach((arg, index) => (all[`ARG${index + 1}`] = fill(arg.replaceAll("\\!", "!"), all)));
    return splitByShell(fill(lines.get(name) ?? "", all));
  };
  const seen = (object: Readonly<Record<string, string>>) => ({
    interval: Number(object["check_interval"]) * 60,
    retryInterval: Number(object["retry_interval"]) * 60,
    attempts: Number(object["max_check_attempts"]),
  });
  const macrosOf = (name: string) => {
    const host = hosts.find((one) => one["host_name"] === name) ?? {};
    return {
      HOSTNAME: name,
      HOSTADDRESS: host["address"] ?? "",
      HOSTALIAS: host["alias"] ?? "",
      ...customOf(host, "_HOST"),
    };
  };
  return hosts
    .map((host) => {
      const name = host["host_name"] ?? "";
      const ofHost = services.filter((service) => service["host_name"] === name);
      return {
        name: renamed[name] ?? name,
        address: host["address"],
        ...aliveOf(argvOf(host, macrosOf(name)), seen(host)),
        services: ofHost
          .filter((service) => !left.includes(service["service_description"] ?? ""))
          .map((service) => ({
            name: renamed[service["service_description"] ?? ""] ?? service["service_description"],
            argv: argvOf(service, { ...macrosOf(name), ...customOf(service, "_SERVICE") }),
            ...seen(service),
          }))
          .sort(byName),
      };
    })
    .sort(byName);
}

/** How often a host is checked, if it is. */
function aliveOf(argv: readonly string[], timing: Timing) {
  return { alive: argv.length === 0 ? "always" : { argv, ...timing } };
}

function customOf(object: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  const entries = Object.entries(object).filter(([name]) => name.startsWith("_"));
  return Object.fromEntries(entries.map(([name, value]) => [`${prefix}${name.slice(1)}`, value]));
}

function fill(text: string, macros: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\w*)\$/g, (_written, name: string) => (name === "" ? "$" : (macros[name] ?? "")));
}

/** Taken apart by a real shell. */
function splitByShell(line: string): string[] {
  const script = `set -f; set -- ${line}\nprintf '%s\\0' "$@"`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

function byName(left: { name?: string | undefined }, right: { name?: string | undefined }): number {
  return (left.name ?? "") < (right.name ?? "") ? -1 : 1;
}

/** The same of an inventory, as the generator understands it. */
function importedObjects(inventory: Inventory, plugins: string) {
  const complete = (timing: Partial<Timing>) => ({ ...inventory.defaults, ...timing });
  return inventory.hosts.map((host) => {
    const argv = (check: IcingaCheck) => argvOf(inventory, check, host, plugins);
    const alive = host.alive === undefined || host.alive === "none" ? undefined : host.alive;
    return {
      name: host.name,
      address: host.address,
      ...aliveOf(alive === undefined ? [] : argv(alive.icinga), complete({ ...host.timing, ...alive?.timing })),
      services: host.checks.map(({ name, icinga, timing }) => ({ name, argv: argv(icinga), ...complete(timing) })),
    };
  });
}

function argvOf(
  inventory: Inventory,
  { command, vars }: IcingaCheck,
  host: Inventory["hosts"][number],
  plugins: string,
): string[] {
  if (command === "passive") return [];
  if (command === "nrpe") return nrpeArgv(vars, host.address, plugins);
  const own = inventory.commands.find(({ name }) => `icinga-swarm-own-${name}` === command);
  const [program = "", ...args] = own?.argv ?? [];
  const macros: Record<string, string> = { check_address: host.address, "host.name": host.name };
  for (const [name, value] of Object.entries(vars)) macros[name] = String(value);
  for (const [name, value] of Object.entries(host.vars)) macros[`host.vars.${name}`] = String(value);
  const filled = args.map((arg) =>
    arg.replace(/\$([^$]*)\$/g, (_macro, name: string) => (name === "" ? "$" : (macros[name] ?? "?"))),
  );
  return [program.startsWith("/") ? program : `${plugins}/${program}`, ...filled];
}

/** As Icinga's own command calls it, in the order of the trees here. */
function nrpeArgv(vars: IcingaCheck["vars"], address: string, plugins: string): string[] {
  const on = (name: string, ...words: unknown[]) => (vars[name] === undefined ? [] : words.map(String));
  return [
    ...[`${plugins}/check_nrpe`, "-H", address],
    ...on("nrpe_version_2", "-2"),
    ...on("nrpe_no_ssl", "-n"),
    ...on("nrpe_port", "-p", vars["nrpe_port"]),
    ...on("nrpe_timeout", "-t", vars["nrpe_timeout"]),
    ...["-c", String(vars["nrpe_command"])],
    ...on("nrpe_arguments", "-a", ...((vars["nrpe_arguments"] as unknown[] | undefined) ?? [])),
  ];
}

describe("an imported Nagios configuration", () => {
  it("has the hosts, services, commands and intervals of Nagios: Debian's sample", () => {
    const root = nagiosFiles();
    const nagiosCfg = path.join(root, "etc/nagios4/nagios.cfg");
    const { code, output } = imported({ nagiosCfg, root, location: "here", timezone: "UTC" });
    expect(code).toBe(0);
    const expected = expectedObjects({ nagiosCfg, root, userMacros: { USER1: "/usr/lib/nagios/plugins" } });
    // The folder of the plugins is the slaves' own.
    expect(importedObjects(inventoryOf(output, "here"), "/usr/lib/nagios/plugins")).toEqual(expected);
  });

  it("has them: every construct", () => {
    const nagiosCfg = path.join(trees, "every-construct/nagios.cfg");
    const { code, output } = imported({ nagiosCfg, location: "here" });
    expect(code).toBe(0);
    const plugins = "/usr/local/nagios/libexec";
    const renamed = { münchen: "munchen", zürich: "zurich", gateway: "host-gateway" };
    const expected = expectedObjects({ nagiosCfg, userMacros: { USER1: plugins }, renamed });
    expect(importedObjects(inventoryOf(output, "here"), plugins)).toEqual(expected);
  });

  const company = path.join(trees, "company/nagios.cfg");
  const byContinent = { nagiosCfg: company, locationsOf: path.join(__dirname, "places.yaml") };

  it("has them: a company's", () => {
    const { code, output } = imported(byContinent);
    expect(code).toBe(0);
    const userMacros = { USER1: "/usr/lib/nagios/plugins", USER2: "/usr/lib/nagios/plugins", USER5: "geheim 1" };
    const expected = expectedObjects({
      nagiosCfg: company,
      userMacros,
      renamed: { "fra db old": "fra-db-old", "Disk /": "Disk" },
      left: ["Syslog", "Web cluster"],
    });
    const sorted = expected.map((host) => ({ ...host, services: host.services.map(inCallOrder) }));
    const ours = importedObjects(inventoryOf(output, "frankfurt", "singapore"), "/usr/lib/nagios/plugins");
    expect(ours.map((host) => ({ ...host, services: host.services.map(inCallOrder) }))).toEqual(sorted);
  });

  it("tells the same people of the same things", () => {
    const { output } = imported(byContinent);
    const { contacts, contactGroups, hosts, notifications } = inventoryOf(output, "frankfurt", "singapore");
    expect(contacts.map(({ name, email, period, on }) => [name, email, period, on?.join()])).toEqual([
      ["alice", "alice@example.com", undefined, "down,warning,critical,unknown,recovery,acknowledgement"],
      ["bob", "bob@example.com", "office", "down,critical,recovery,acknowledgement"],
      ["oncall", "oncall@example.com", undefined, "down,warning,critical,unknown,recovery,acknowledgement"],
    ]);
    expect(contactGroups.map(({ name, members }) => [name, members])).toEqual([
      ["linux-admins", ["alice", "bob"]],
      ["oncall-2", ["oncall"]],
    ]);
    const rulesOf = (host: string, service?: string) => {
      const found = hosts.find(({ name }) => name === host);
      const notify = found?.checks.find(({ name }) => name === service)?.notify ?? found?.notify ?? [];
      const rules = notifications.filter(({ name }) => notify.includes(name));
      return rules
        .map((rule) => ({
          people: [...rule.contacts, ...rule.contactGroups].join(),
          after: rule.after,
          until: rule.until,
          repeat: rule.repeat,
        }))
        .sort((left, right) => left.after - right.after);
    };
    const hour = 3600;
    const admins = { people: "linux-admins", after: 0, until: undefined, repeat: 2 * hour };
    expect(rulesOf("fra-web1")).toEqual([admins]);
    expect(rulesOf("fra-web1", "Load")).toEqual([admins]);
    // After two notifications at intervals of half an hour, others are told every quarter of an hour.
    expect(rulesOf("fra-web1", "HTTP")).toEqual([
      { people: "linux-admins,oncall-2", after: 0, until: hour, repeat: hour / 2 },
      { people: "oncall-2", after: hour, until: undefined, repeat: hour / 4 },
    ]);
    expect(rulesOf("fra-router")).toEqual([
      { ...admins, until: 2 * hour },
      { people: "linux-admins,oncall-2", after: 2 * hour, until: undefined, repeat: 2 * hour },
    ]);
    expect(rulesOf("fra-router", "Ping")).toEqual([]);
    expect(rulesOf("sin-app1", "Orders")).toEqual([{ ...admins, people: "bob" }]);
    expect(rulesOf("sin-app1", "Orders out")).toEqual([
      { people: "linux-admins,oncall-2", after: 600, until: undefined, repeat: 0 },
    ]);
  });

  it("is one that people can read", () => {
    const { output, read } = imported(byContinent);
    const golden = path.join(__dirname, "golden");
    const files = (dir: string) =>
      (fs.readdirSync(dir, { recursive: true }) as string[]).filter((name) => /\.(yaml|txt)$/.test(name)).sort();
    expect(files(output)).toEqual(files(golden));
    for (const file of files(output)) expect(read(file)).toBe(fs.readFileSync(path.join(golden, file), "utf8"));
  });
});

/** check_nrpe takes its options in any order, but for the arguments of the client's command. */
function inCallOrder<T extends { argv: readonly string[] }>(service: T): T {
  const [program = "", ...words] = service.argv;
  if (!program.endsWith("/check_nrpe") || words.includes("jump.example.com")) return service;
  const end = words.indexOf("-a") < 0 ? words.length : words.indexOf("-a");
  // -u and the state behind the time limit are reported as changed.
  const options = words.slice(0, end).flatMap((word) =>
    word === "-u"
      ? []
      : word
          .replace(/^--command=/, "-c ")
          .replace(/:UNKNOWN$/, "")
          .split(" "),
  );
  return { ...service, argv: [program, ...options.sort(), ...words.slice(end)] };
}

describe("an import", () => {
  const nagiosCfg = path.join(trees, "company/nagios.cfg");

  it("does not write into a folder that has something in it", () => {
    fs.mkdirSync(path.join(folder, "inventory"));
    fs.writeFileSync(path.join(folder, "inventory/mine.yaml"), "hosts: []\n");
    const { code, err } = imported({ nagiosCfg, location: "here" });
    expect([code, err]).toEqual([1, expect.stringContaining("is not empty; name a folder that is not there yet")]);
    expect(fs.readdirSync(path.join(folder, "inventory"))).toEqual(["mine.yaml"]);
  });

  it("asks where hosts are that no group places", () => {
    fs.writeFileSync(path.join(folder, "places.yaml"), "europe: frankfurt\n");
    const { code, err, output } = imported({ nagiosCfg, locationsOf: path.join(folder, "places.yaml") });
    expect(code).toBe(1);
    expect(err).toContain("conf.d/asia.cfg:5: the host sin-app1 is at no location: say --location <name> for all");
    expect(fs.existsSync(output)).toBe(false);
  });

  it("places the hosts that no group places at the one location", () => {
    fs.writeFileSync(path.join(folder, "places.yaml"), "europe: frankfurt\n");
    const { output } = imported({ nagiosCfg, locationsOf: path.join(folder, "places.yaml"), location: "elsewhere" });
    const { hosts } = inventoryOf(output, "frankfurt", "elsewhere");
    expect(hosts.filter(({ location }) => location === "elsewhere").map(({ name }) => name)).toEqual([
      "sin-app1",
      "sin-old",
    ]);
  });

  it("refuses a host that two groups place at two locations", () => {
    fs.writeFileSync(path.join(folder, "places.yaml"), "europe: frankfurt\nweb-servers: web\nasia: x\n");
    const { code, err } = imported({ nagiosCfg, locationsOf: path.join(folder, "places.yaml") });
    expect(code).toBe(1);
    expect(err).toContain("conf.d/europe.cfg:21: the host fra-web1 is at several locations, by europe, web-servers\n");
  });

  it("asks for the time zone where one matters and none is said", () => {
    const tree = path.join(folder, "nagios");
    fs.cpSync(path.dirname(nagiosCfg), tree, { recursive: true });
    const main = path.join(tree, "nagios.cfg");
    fs.writeFileSync(main, fs.readFileSync(main, "utf8").replace(/use_timezone=.*\n/, ""));
    const { code, err } = imported({ nagiosCfg: main, location: "here" });
    expect(code).toBe(1);
    expect(err).toContain(
      "conf.d/people.cfg:23: the timeperiod holidays depends on where Nagios runs: say it with --timezone",
    );
    const { read } = imported({ nagiosCfg: main, location: "here", timezone: "Asia/Tokyo" });
    expect(read("periods.yaml")).toContain("timezone: Asia/Tokyo");
  });

  /** A configuration in which hosts have a template, and are asked with one command. */
  function treeOf(template: string, hosts: readonly string[], commandLine = "/bin/check"): string {
    const define = (type: string, ...lines: string[]) => `define ${type} {\n  ${lines.join("\n  ")}\n}\n`;
    const objects = [
      define("host", "name t", "register 0", template, "max_check_attempts 1"),
      ...hosts.map((name) => define("host", "use t", `host_name ${name}`, "address 192.0.2.1")),
      define("service", "host_name *", "service_description s", "check_command get", "max_check_attempts 1"),
      define("command", "command_name get", `command_line ${commandLine}`),
      define("contact", "contact_name p", "host_notification_commands get", "service_notification_commands get"),
    ];
    fs.writeFileSync(path.join(folder, "objects.cfg"), objects.join(""));
    const main = path.join(folder, "nagios.cfg");
    fs.writeFileSync(main, "cfg_file=objects.cfg\n");
    return main;
  }

  it("calls a program without a folder from PATH, as Nagios does", () => {
    const main = treeOf("", ["a"], "snmpget -v 2c $HOSTADDRESS$");
    const { read } = imported({ nagiosCfg: main, location: "here" });
    expect(read("checks.yaml")).toContain("plugin: [/usr/bin/env, snmpget, -v, 2c, $address$]");
    expect(read(REPORT_FILE)).toContain("the slaves' image must have the program snmpget");
  });

  it("says once what is wrong with a template's link, and what a host's name breaks with the name", () => {
    const main = treeOf("action_url /graph?host=$HOSTNAME$\n  notes_url https://wiki/$HOSTNAME$", ["a", "b", "c d"]);
    const { read } = imported({ nagiosCfg: main, location: "here" });
    expect(read(REPORT_FILE)).toContain(
      "objects.cfg:4: action_url is no web address: /graph?host=$HOSTNAME$ (3 times)\n" +
        "objects.cfg:5: notes_url is no web address: https://wiki/c d\n",
    );
  });

  it("says what Nagios refuses, at its place, and writes nothing", () => {
    const main = path.join(folder, "nagios.cfg");
    fs.writeFileSync(main, "cfg_file=objects.cfg\n");
    fs.writeFileSync(path.join(folder, "objects.cfg"), "define host {\n  use nothing\n  host_name a\n}\n");
    const { code, err, output } = imported({ nagiosCfg: main, location: "here" });
    expect([code, fs.existsSync(output)]).toEqual([1, false]);
    expect(err).toBe(
      'objects.cfg:2: there is no host template "nothing"\n' +
        "nothing was imported: Nagios itself would not start with this, or the import needs to know more\n",
    );
  });

  it("names the schema beside the inventories to editors", () => {
    fs.writeFileSync(path.join(folder, "schema.json"), "{}");
    const { read } = imported({ nagiosCfg, location: "here" });
    expect(read("roles.yaml").split("\n")[0]).toBe("# yaml-language-server: $schema=../schema.json");
    expect(read("hosts/here.yaml").split("\n")[0]).toBe("# yaml-language-server: $schema=../../schema.json");
  });

  it("leaves its report with the inventory", () => {
    const { out, read } = imported({ nagiosCfg, location: "here" });
    expect(out.startsWith(read(REPORT_FILE))).toBe(true);
    expect(read(REPORT_FILE)).toContain("conf.d/asia.cfg:59: no check for the command check_log");
  });
});
