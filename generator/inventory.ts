import * as path from "node:path";
import { type CheckSettings, serviceName } from "./checks";
import { schemaProblems } from "./issues";
import { type InventoryFiles, loadInventoryFiles, type Problem } from "./inventoryFiles";
import { type Location, MASTER } from "./location";
import { suggestion } from "./nearest";
import {
  checkSchema,
  fileSchema,
  hostSchema,
  type InventoryCheck,
  type InventoryFile,
  type InventoryHost,
} from "./schema";
import { seconds } from "./units";
import { type Document, parseYaml, type Path, positionFinder } from "./yaml";
import type { Value } from "./dsl";

export { describeProblem, type Problem } from "./inventoryFiles";
export { packShipment, unpackShipment } from "./shipment";

/** What the generator knows of a location. */
export type Site = Pick<Location, "name" | "slaves" | "displayName">;

/** How often to check, in seconds, and how many failures in a row make a problem. */
export interface Timing {
  readonly interval: number;
  readonly retryInterval: number;
  readonly attempts: number;
}

/** A check of a host: one service. */
export interface Check {
  /** The service's name, unique on its host. */
  readonly name: string;
  readonly check: CheckSettings;
  /** What differs from the inventory's defaults. */
  readonly timing: Partial<Timing>;
}

/** A host to monitor. */
export interface Host {
  readonly name: string;
  readonly address: string;
  readonly location: string;
  readonly displayName?: string;
  readonly vars: Readonly<Record<string, Value>>;
  readonly checks: readonly Check[];
}

/** A whole inventory, validated, hosts sorted by name. */
export interface Inventory {
  readonly defaults: Timing;
  readonly hosts: readonly Host[];
}

const DEFAULT_TIMING: Timing = { interval: 60, retryInterval: 30, attempts: 3 };

/**
 * Reads and validates the inventory in a folder.
 *
 * @param dir the folder; its problems are reported as `<dir>/<file>`
 * @param locations the stack's locations
 * @returns every problem there is; the inventory is complete only if there are none
 */
export function readInventory(
  dir: string,
  locations: readonly Site[],
): { inventory: Inventory; problems: readonly Problem[] } {
  const { files, problems } = loadInventoryFiles(dir);
  const parsed = parseInventory(files, locations);
  const inDir = parsed.problems.map((problem) => ({ ...problem, file: path.join(dir, problem.file) }));
  return { inventory: parsed.inventory, problems: [...problems, ...inDir] };
}

/**
 * Validates an inventory's files, already read.
 *
 * @param files path -> text
 * @param locations the stack's locations
 */
export function parseInventory(
  files: InventoryFiles,
  locations: readonly Site[],
): { inventory: Inventory; problems: readonly Problem[] } {
  const sources = Object.keys(files)
    .sort()
    .map((file) => new Source(file, files[file] ?? ""));
  defaultsInOneFile(sources);
  hostsInOnePlace(sources);
  for (const source of sources) {
    knownLocations(source, locations);
    freeNames(source);
    servicesOnce(source);
  }
  const defaults = sources.map((source) => source.content?.defaults).find((found) => found !== undefined);
  const hosts = sources.flatMap((source) => [...source.hosts.values()]);
  return {
    inventory: {
      defaults: { ...DEFAULT_TIMING, ...timingOf(defaults ?? {}) },
      hosts: hosts.map(toHost).sort((left, right) => compare(left.name, right.name)),
    },
    problems: sources.flatMap((source) => source.problems()),
  };
}

/**
 * Where a host stands in an inventory. Looked up when somebody asks: places kept for every host would cost more than
 * they are worth.
 *
 * @param files the inventory's files
 * @param name the host's name
 */
export function placeOfHost(files: InventoryFiles, name: string): Omit<Problem, "message"> | undefined {
  for (const file of Object.keys(files).sort()) {
    const source = new Source(file, files[file] ?? "");
    const index = source.rawHosts.findIndex((host) => host.name === name);
    if (index >= 0) return source.placeOfHost(index);
  }
  return undefined;
}

/** What a host may be before it is known to be valid. */
type RawHost = Readonly<Record<string, unknown>>;

/**
 * A file while it is being read. Checks across hosts and files look at the raw hosts, so that one mistake does not hide
 * the next. Problems are collected by path and get their lines together, at the end.
 */
class Source {
  /** The file's content if its shape is right. */
  readonly content: InventoryFile | undefined;
  /** Its hosts as written, by index. */
  readonly rawHosts: readonly RawHost[];
  /** Those of its hosts whose shape is right, by index. */
  readonly hosts = new Map<number, InventoryHost>();

  private readonly document: Document;
  private readonly found: { path: Path; what: "key" | "value"; message: string }[] = [];
  private hostPlaces: number[] | undefined;

  constructor(
    readonly file: string,
    private readonly text: string,
  ) {
    this.document = parseYaml(text);
    const { value } = this.document;
    const listed = isMapping(value) && Array.isArray(value.hosts) ? (value.hosts as unknown[]) : [];
    this.rawHosts = listed.map((host) => (isMapping(host) ? host : {}));
    // A file of comments only is an empty one, not a mistake.
    if (value === undefined || value === null) return;
    const result = fileSchema.safeParse(value);
    if (result.success) {
      this.content = result.data;
      result.data.hosts.forEach((host, index) => this.hosts.set(index, host));
      return;
    }
    this.found.push(...schemaProblems(fileSchema, value, result.error.issues));
    listed.forEach((host, index) => {
      const parsed = hostSchema.safeParse(host);
      if (parsed.success) this.hosts.set(index, parsed.data);
    });
  }

  /** Whether the text is YAML that can be read. */
  get isReadable(): boolean {
    return this.document.complaints.length === 0;
  }

  report(path: Path, message: string, what: "key" | "value" = "value"): void {
    this.found.push({ path, what, message });
  }

  placeOfHost(index: number): Omit<Problem, "message"> {
    this.hostPlaces ??= this.document.locate(
      this.rawHosts.map((_, host) => ({ path: ["hosts", host, "name"], what: "value" })),
    );
    return { file: this.file, ...positionFinder(this.text)(this.hostPlaces[index] ?? 0) };
  }

  /** All its problems, in the order of the text. */
  problems(): Problem[] {
    const position = positionFinder(this.text);
    const offsets = this.document.locate(this.found);
    const located = this.found.map(({ message }, index) => ({ offset: offsets[index] ?? 0, message }));
    return [...this.document.complaints, ...located]
      .sort((left, right) => left.offset - right.offset)
      .map(({ offset, message }) => ({ file: this.file, ...position(offset), message }));
  }
}

function defaultsInOneFile(sources: readonly Source[]): void {
  const [first, ...others] = sources.filter((source) => source.content?.defaults !== undefined);
  for (const source of others) {
    source.report(["defaults"], `"defaults" stands in ${first?.file} already; keep one of the two`, "key");
  }
}

function hostsInOnePlace(sources: readonly Source[]): void {
  const seen = new Map<string, { source: Source; index: number; name: string }>();
  for (const source of sources) {
    source.rawHosts.forEach(({ name }, index) => {
      if (typeof name !== "string") return;
      // Icinga tells them apart; file systems, databases and people do not always.
      const key = name.toLowerCase();
      const first = seen.get(key);
      if (first === undefined) {
        seen.set(key, { source, index, name });
        return;
      }
      const { file, line } = first.source.placeOfHost(first.index);
      const same = first.name === name ? "" : ` as ${JSON.stringify(first.name)}`;
      source.report(
        ["hosts", index, "name"],
        `a host ${JSON.stringify(name)} stands in ${file}:${line} already${same}; rename or remove one of the two`,
      );
    });
  }
}

function knownLocations(source: Source, locations: readonly Site[]): void {
  const names = locations.map(({ name }) => name);
  source.rawHosts.forEach(({ location }, index) => {
    if (typeof location !== "string" || names.includes(location)) return;
    source.report(
      ["hosts", index, "location"],
      `unknown location ${JSON.stringify(location)}; ${suggestion(location, names, "locations")}`,
    );
  });
}

/** Names that the stack's own hosts have, or will have once a location gets another slave. */
function freeNames(source: Source): void {
  source.rawHosts.forEach(({ name }, index) => {
    if (typeof name !== "string" || (name !== MASTER.endpoint && !name.startsWith("icinga-slave-"))) return;
    const message = `the name ${JSON.stringify(name)} belongs to the stack's own containers; choose another one`;
    source.report(["hosts", index, "name"], message);
  });
}

function servicesOnce(source: Source): void {
  source.rawHosts.forEach((raw, hostIndex) => {
    const seen = new Set<string>();
    checksOf(source.hosts.get(hostIndex), raw).forEach((check, index) => {
      if (check === undefined) return;
      const name = serviceName(check);
      if (seen.has(name)) {
        const message = `the host has a check named ${JSON.stringify(name)} already; give this one a "name" of its own`;
        source.report(["hosts", hostIndex, "checks", index], message);
      }
      seen.add(name);
    });
  });
}

/** A host's checks; of a host that is not valid, those that are. */
function checksOf(host: InventoryHost | undefined, raw: RawHost): (CheckSettings | undefined)[] {
  if (host !== undefined) return host.checks.map(checkOf);
  const written = Array.isArray(raw.checks) ? (raw.checks as unknown[]) : [];
  return written.map((check) => {
    const parsed = checkSchema.safeParse(check);
    return parsed.success ? checkOf(parsed.data) : undefined;
  });
}

function toHost(host: InventoryHost): Host {
  const { name, address, location, displayName, vars = {} } = host;
  const checks = host.checks.map((written) => {
    const check = checkOf(written);
    return { name: serviceName(check), check, timing: timingOf(check.settings) };
  });
  return {
    name,
    address,
    location,
    ...(displayName === undefined ? {} : { displayName }),
    vars,
    checks: checks.sort((left, right) => compare(left.name, right.name)),
  };
}

/** `ping` and `{ ping: { ... } }` are two ways to write the same. */
function checkOf(written: InventoryCheck): CheckSettings {
  if (typeof written === "string") return { check: written, settings: {} } as CheckSettings;
  const [[check, settings] = []] = Object.entries(written);
  return { check, settings } as CheckSettings;
}

interface WrittenTiming {
  readonly interval?: string | undefined;
  readonly retryInterval?: string | undefined;
  readonly attempts?: number | undefined;
}

function timingOf({ interval, retryInterval, attempts }: WrittenTiming): Partial<Timing> {
  return {
    ...(interval === undefined ? {} : { interval: seconds(interval) }),
    ...(retryInterval === undefined ? {} : { retryInterval: seconds(retryInterval) }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}

/** Order by code units: the same on every machine, whatever its language. */
export function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
