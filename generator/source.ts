import type { Problem } from "./inventoryFiles";
import { schemaProblems } from "./issues";
import type { InventoryFile, InventoryHost, Schemas } from "./schema";
import { type Document, parseYaml, type Path, type Place, positionFinder } from "./yaml";

/** What something may be before it is known to be valid. */
export type Raw = Readonly<Record<string, unknown>>;

type What = "key" | "value";

/**
 * A file while it is being read. Checks across hosts and files look at what is written, valid or not, so that one
 * mistake does not hide the next. Problems are collected by path and get their lines together, at the end.
 */
export class Source {
  /** The file as written; empty if it is no mapping. */
  readonly raw: Raw;
  /** Its hosts as written; each gives way to the valid one, so that a large inventory is not in memory twice. */
  readonly rawHosts: Raw[];
  /** The file's content without its hosts, if the shape of it is right. */
  content: InventoryFile | undefined;
  /** Those of its hosts whose shape is right, by index. */
  readonly hosts = new Map<number, InventoryHost>();

  private document: Document;
  private readonly found: { path: Path; what: What; message: string }[] = [];
  private hostOffsets: number[] | undefined;

  constructor(
    readonly file: string,
    private readonly text: string,
  ) {
    this.document = parseYaml(text);
    const { value } = this.document;
    const { hosts, ...rest } = isMapping(value) ? value : ({} as Raw);
    this.raw = isMapping(value) ? rest : {};
    this.rawHosts = Array.isArray(hosts) ? hosts.map((host) => (isMapping(host) ? host : {})) : [];
  }

  /** A section that is a mapping from names; empty if it is anything else. */
  section(name: string): Raw {
    const section = this.raw[name];
    return isMapping(section) ? section : {};
  }

  /** Checks the shape of everything in it. */
  validate(schemas: Schemas): void {
    const { value } = this.document;
    // A file of comments only is an empty one, not a mistake.
    if (value === undefined || value === null) return;
    const listed = isMapping(value) && Array.isArray(value.hosts) ? (value.hosts as unknown[]) : undefined;
    const result = schemas.file.safeParse(listed === undefined ? value : { ...(value as Raw), hosts: [] });
    if (result.success) this.content = result.data;
    else this.found.push(...schemaProblems(schemas.file, value, result.error.issues));
    listed?.forEach((host, index) => this.validateHost(schemas, host, index));
    // What is valid is kept once; its text is read again if somebody asks for a place in it.
    this.document = { ...this.document, value: undefined };
  }

  private validateHost(schemas: Schemas, host: unknown, index: number): void {
    const result = schemas.host.safeParse(host);
    if (result.success) {
      this.hosts.set(index, result.data);
      this.rawHosts[index] = result.data as unknown as Raw;
      return;
    }
    const problems = schemaProblems(schemas.host, host, result.error.issues);
    this.found.push(...problems.map((problem) => ({ ...problem, path: ["hosts", index, ...problem.path] })));
  }

  report(path: Path, message: string, what: What = "value"): void {
    this.found.push({ path, what, message });
  }

  /** Where something stands; the nearest parent if it is not there. */
  place(path: Path, what: What = "value"): Omit<Problem, "message"> {
    const [offset = 0] = this.document.locate([{ path, what }]);
    return { file: this.file, ...positionFinder(this.text)(offset) };
  }

  /** The same for several, which are looked up at once. */
  places(wanted: readonly Place[]): Omit<Problem, "message">[] {
    const position = positionFinder(this.text);
    return this.document.locate(wanted).map((offset) => ({ file: this.file, ...position(offset) }));
  }

  /** The same for each of its hosts: the places of all names are looked up at once. */
  placeOfHost(index: number): Omit<Problem, "message"> {
    this.hostOffsets ??= this.document.locate(
      this.rawHosts.map((_, host) => ({ path: ["hosts", host, "name"], what: "value" })),
    );
    return { file: this.file, ...positionFinder(this.text)(this.hostOffsets[index] ?? 0) };
  }

  get hasProblems(): boolean {
    return this.found.length > 0 || this.document.complaints.length > 0;
  }

  /** Its valid hosts, in the order of the text, given away: the source forgets them. */
  takeHosts(): InventoryHost[] {
    const hosts = [...this.hosts.values()];
    this.hosts.clear();
    this.rawHosts.length = 0;
    return hosts;
  }

  /** All its problems, in the order of the text. */
  problems(): Problem[] {
    if (!this.hasProblems) return [];
    const position = positionFinder(this.text);
    const offsets = this.found.length === 0 ? [] : this.document.locate(this.found);
    const located = this.found.map(({ message }, index) => ({ offset: offsets[index] ?? 0, message }));
    return [...this.document.complaints, ...located]
      .sort((left, right) => left.offset - right.offset)
      .map(({ offset, message }) => ({ file: this.file, ...position(offset), message }));
  }
}

export function isMapping(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
