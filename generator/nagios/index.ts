import * as fs from "node:fs";
import * as path from "node:path";
import { dump } from "js-yaml";
import { parseInventory } from "../inventory";
import { describeProblem } from "../inventoryFiles";
import { parseYaml } from "../yaml";
import { zoneProblem } from "../periods/zones";
import { textOf } from "./objects";
import { readSources, setting } from "./read";
import { describeRemark, Refusal, type Remark } from "./refusal";
import { describeReport, Report } from "./report";
import { type Resolved, resolve } from "./resolve";
import { needsTimezone, toInventory, type WrittenInventory } from "./toInventory";

/** What to import, and where to. */
export interface Import {
  /** Path of nagios.cfg. */
  readonly nagiosCfg: string;
  /** Folder that stands for / of the machine that the files are from. @default paths are those of this machine */
  readonly root?: string | undefined;
  /** Folder for the inventory; it must be empty or not there yet. */
  readonly output: string;
  /** Location of hosts that no host group places. @default every host must be placed */
  readonly location?: string | undefined;
  /** A YAML file that places host groups: name of the group -> name of the location. */
  readonly locationsOf?: string | undefined;
  /** Time zone of the machine that Nagios runs on. @default `use_timezone` of nagios.cfg */
  readonly timezone?: string | undefined;
  /** How a file is called for the reader. @default its path */
  readonly shown?: (file: string) => string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** File in the inventory's folder with what an import had to tell. */
export const REPORT_FILE = "import-report.txt";

/**
 * Imports a Nagios configuration: writes an inventory that monitors the same, and tells what it could not carry over.
 *
 * @returns the exit code: 0, or 1 if nothing was written, and why was said
 */
export function importNagios(options: Import): number {
  const { out, err, shown = (file: string) => file } = options;
  if (fs.existsSync(options.output) && fs.readdirSync(options.output).length > 0) {
    err(`${shown(options.output)} is not empty; name a folder that is not there yet\n`);
    return 1;
  }
  try {
    const report = new Report();
    const { files, resolved, locations } = convert(options, report);
    write(files, report, options);
    const text = describeReport(report, shown);
    out(`${text}${text === "" ? "" : "\n"}${summary(resolved, locations, options)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    for (const remark of error.remarks) err(`${describeRemark({ ...remark, file: shown(remark.file) })}\n`);
    err("nothing was imported: Nagios itself would not start with this, or the import needs to know more\n");
    return 1;
  }
}

function convert(options: Import, report: Report) {
  const sources = readSources(options.nagiosCfg, options.root);
  const resolved = resolve(sources);
  const locations = placeHosts(resolved, options);
  const main = { file: options.nagiosCfg, line: 1 };
  const choices = {
    timezone: options.timezone ?? setting(sources, "use_timezone")?.value,
    locationOf: (host: string) => locations.get(host) ?? "",
  };
  const needed = needsTimezone(resolved);
  if (needed !== undefined && choices.timezone === undefined) {
    const message = `the timeperiod ${textOf(needed, "timeperiod_name") ?? ""} depends on where Nagios runs: say it with --timezone <zone>, such as Europe/Berlin`;
    throw new Refusal([{ ...needed.place, message }]);
  }
  const problem = choices.timezone === undefined ? undefined : zoneProblem(choices.timezone);
  if (problem !== undefined) throw new Refusal([{ ...main, message: `the time zone ${choices.timezone} ${problem}` }]);
  const files = yamlOf(toInventory(resolved, sources, choices, report));
  const sites = [...new Set(locations.values())].map((name) => ({ name, slaves: 1 }));
  const [mistake] = parseInventory(files, sites).problems;
  // Everything was checked on the way; what gets here is a mistake of this program, and must not look like success.
  if (mistake !== undefined) throw new Error(`the imported inventory is wrong: ${describeProblem(mistake)}`);
  return { files, resolved, locations: new Set(locations.values()) };
}

/** Where each host is. @throws Refusal for hosts that are nowhere, or at two places */
function placeHosts(resolved: Resolved, options: Import): ReadonlyMap<string, string> {
  const ofGroup = options.locationsOf === undefined ? {} : readPlaces(options.locationsOf, resolved);
  const remarks: Remark[] = [];
  const places = new Map<string, string>();
  for (const [name, host] of resolved.hosts) {
    const groups = (resolved.groupsOfHost.get(name) ?? []).filter((group) => Object.hasOwn(ofGroup, group));
    const found = new Set(groups.map((group) => ofGroup[group] ?? ""));
    const [place = options.location] = found;
    if (found.size > 1) {
      remarks.push({ ...host.place, message: `the host ${name} is at several locations, by ${groups.join(", ")}` });
    } else if (place === undefined) {
      const message = `the host ${name} is at no location: say --location <name> for all, or place one of its groups`;
      remarks.push({ ...host.place, message });
    } else places.set(name, place);
  }
  if (remarks.length > 0) throw new Refusal(remarks);
  return places;
}

function readPlaces(file: string, { hostgroups }: Resolved): Readonly<Record<string, string>> {
  const at = (message: string) => new Refusal([{ file, line: 1, message }]);
  if (!fs.existsSync(file)) throw at("there is no such file");
  const { value, complaints } = parseYaml(fs.readFileSync(file, "utf8"));
  const [complaint] = complaints;
  if (complaint !== undefined) throw at(complaint.message);
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  if (typeof value !== "object" || Array.isArray(value) || entries.some(([, place]) => typeof place !== "string")) {
    throw at("must be a mapping from host groups to locations, such as servers-berlin: berlin");
  }
  const unknown = entries.filter(([group]) => !hostgroups.has(group)).map(([group]) => group);
  if (unknown.length > 0) throw at(`there is no hostgroup ${unknown.join(", ")}`);
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Things stand one below the other, and what they say in a line where that is short: levels from which on that is so. */
const FLOW_LEVELS: Readonly<Record<string, number>> = {
  "roles.yaml": 4,
  "checks.yaml": 3,
  "contacts.yaml": 2,
  "notifications.yaml": 2,
  "groups.yaml": 2,
};

function yamlOf(inventory: WrittenInventory): Record<string, string> {
  const entries = Object.entries(inventory).map(([file, content]) => [
    file,
    dump(content, { lineWidth: -1, noRefs: true, flowLevel: FLOW_LEVELS[file] ?? 4 }),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function write(files: Readonly<Record<string, string>>, report: Report, options: Import): void {
  // Beside the inventories of this repository there is a schema, with which editors complete names.
  const schema = path.resolve(options.output, "../schema.json");
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(options.output, file);
    const relative = path.relative(path.dirname(target), schema);
    const head = fs.existsSync(schema) ? `# yaml-language-server: $schema=${relative}\n` : "";
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, `${head}${text}`);
  }
  fs.writeFileSync(path.join(options.output, REPORT_FILE), describeReport(report, options.shown ?? ((file) => file)));
}

function summary(resolved: Resolved, locations: ReadonlySet<string>, { output, shown }: Import): string {
  const folder = shown?.(output) ?? output;
  const counts = `${resolved.hosts.size} hosts with ${resolved.services.length} services`;
  return (
    `${counts} imported to ${folder}; what is said above is in ${REPORT_FILE} there, too\n` +
    `its locations, which the stack must have: ${[...locations].sort().join(", ")}\n`
  );
}
