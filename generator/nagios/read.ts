import * as fs from "node:fs";
import * as path from "node:path";
import { type Place, type Remark, Remarks } from "./refusal";

/** One `name value` line of a definition, or `name=value` line of a main file; continued lines are one. */
export interface Directive extends Place {
  readonly name: string;
  readonly value: string;
}

/** A `define <type> { ... }` as it is written. */
export interface Definition extends Place {
  readonly type: ObjectType;
  readonly directives: readonly Directive[];
}

/** Everything that the files say, before any of it is understood. */
export interface Sources {
  readonly definitions: readonly Definition[];
  /** The main file's settings, in order. */
  readonly settings: readonly Directive[];
  /** `USER1` and so on -> what the resource files say. */
  readonly userMacros: ReadonlyMap<string, Directive>;
  /** What Nagios passes over without a word. */
  readonly notes: readonly Remark[];
}

export const OBJECT_TYPES = [
  "timeperiod",
  "command",
  "contact",
  "contactgroup",
  "host",
  "hostgroup",
  "service",
  "servicegroup",
  "hostdependency",
  "servicedependency",
  "hostescalation",
  "serviceescalation",
  "hostextinfo",
  "serviceextinfo",
] as const;

/** Kind of an object of Nagios. */
export type ObjectType = (typeof OBJECT_TYPES)[number];

/**
 * Reads a Nagios configuration, from its main file on.
 *
 * @param main path of nagios.cfg
 * @param root folder that stands for / of the machine the files are from. @default paths are those of this machine
 * @throws Refusal with everything that Nagios cannot read either
 */
export function readSources(main: string, root?: string): Sources {
  const reader = new Reader(path.dirname(main), root);
  reader.readMain(main);
  reader.problems.refuse();
  const { definitions, settings, userMacros, notes } = reader;
  return { definitions, settings, userMacros, notes: notes.all };
}

/** The last value of a setting; undefined where the main file says none. */
export function setting(sources: Pick<Sources, "settings">, name: string): Directive | undefined {
  return sources.settings.findLast((one) => one.name === name);
}

interface Line {
  readonly text: string;
  /** Where it starts. */
  readonly line: number;
}

class Reader {
  readonly definitions: Definition[] = [];
  readonly settings: Directive[] = [];
  readonly userMacros = new Map<string, Directive>();
  readonly problems = new Remarks();
  readonly notes = new Remarks();

  constructor(
    private readonly base: string,
    private readonly root: string | undefined,
  ) {}

  readMain(file: string): void {
    for (const { text, line } of this.lines(file, { file, line: 1 })) {
      const content = strip(text);
      if (content === "" || /^[#;]/.test(content)) continue;
      const [, name = "", value = ""] = /^=*([^=]*)=?(.*)$/s.exec(content) ?? [];
      const directive = { name: strip(name), value: strip(value), file, line };
      if (value === "") this.problems.add(directive, `the setting ${name} has no value`);
      // Nagios takes these two at their word.
      else if (/^cfg_(file|dir)$/.test(directive.name) && name !== directive.name) {
        this.problems.add(directive, `there must be no blank before the = of ${directive.name}`);
      } else this.take(directive);
    }
  }

  private take(directive: Directive): void {
    this.settings.push(directive);
    const file = () => this.locate(directive.value);
    if (directive.name === "cfg_file") this.readObjects(file(), directive);
    else if (directive.name === "cfg_dir") this.readFolder(file().replace(/\/$/, ""), directive);
    else if (directive.name === "resource_file") this.readResources(file(), directive);
  }

  /** Where a path that the configuration names is here. */
  private locate(named: string): string {
    if (!named.startsWith("/")) return path.join(this.base, named);
    return this.root === undefined ? named : path.join(this.root, named);
  }

  private readFolder(folder: string, from: Place, above: readonly string[] = []): void {
    let names: string[];
    let real: string;
    try {
      names = fs.readdirSync(folder).sort();
      real = fs.realpathSync(folder);
    } catch (error) {
      this.problems.add(from, `cannot read the folder ${folder}: ${reason(error)}`);
      return;
    }
    if (above.includes(real)) {
      this.problems.add(from, `${folder} links back to a folder that it is in`);
      return;
    }
    for (const name of names) {
      if (name.startsWith(".")) continue;
      const member = path.join(folder, name);
      const stat = fs.statSync(member, { throwIfNoEntry: false });
      if (stat === undefined) this.problems.add(from, `cannot read ${member}: it links to nothing`);
      else if (stat.isDirectory()) this.readFolder(member, from, [...above, real]);
      else if (stat.isFile() && name.endsWith(".cfg")) this.readObjects(member, from);
    }
  }

  private readResources(file: string, from: Place): void {
    for (const { text, line } of this.lines(file, from)) {
      const content = strip(text);
      if (content === "" || text.startsWith("#")) continue;
      const [, name = "", value = ""] = /^=*([^=]*)=?(.*)$/s.exec(content) ?? [];
      const place = { file, line };
      if (name === "" || value === "") this.problems.add(place, `not a line such as $USER1$=/usr/lib: ${content}`);
      const number = Number.parseInt(/^\$USER(.+)\$$/.exec(name)?.[1] ?? "", 10);
      if (number >= 1 && number <= 256) this.userMacros.set(`USER${number}`, { name, value, ...place });
      else this.notes.add(place, `Nagios knows no such macro: ${name}`);
    }
  }

  private readObjects(file: string, from: Place): void {
    let open: { type: ObjectType; directives: Directive[]; line: number } | undefined;
    for (const { text, line } of this.lines(file, from)) {
      const place = { file, line };
      const content = strip(withoutComment(text));
      if (content === "" || content.startsWith("#")) continue;
      if (content.startsWith("define")) {
        const type = this.typeOf(content, place);
        if (open !== undefined) this.problems.add(place, `the definition of line ${open.line} is not closed with a }`);
        // What follows belongs to something unknown: the first mistake of a file is the last that means anything.
        if (open !== undefined || type === undefined) return;
        open = { type, directives: [], line };
      } else if (open === undefined) {
        if (!this.include(content, place)) {
          this.problems.add(place, `not part of a definition: ${content}${hint(content)}`);
          return;
        }
      } else if (content === "}") {
        this.definitions.push({ type: open.type, directives: open.directives, file, line: open.line });
        open = undefined;
      } else {
        const [, name = "", value = ""] = /^([^ \t]*)[ \t]*(.*)$/s.exec(content) ?? [];
        open.directives.push({ name, value: strip(value), ...place });
      }
    }
    if (open !== undefined) this.problems.add({ file, line: open.line }, "this definition is not closed with a }");
  }

  private typeOf(content: string, place: Place): ObjectType | undefined {
    const [, type = "", rest = ""] = /^define[ \t]*([^ \t{]*)[ \t]*\{?(.*)$/s.exec(content) ?? [];
    if (strip(rest) !== "") this.notes.add(place, `Nagios ignores what follows in this line: ${strip(rest)}`);
    const known = OBJECT_TYPES.find((one) => one === type);
    if (known === undefined) this.problems.add(place, type === "" ? "no type of object" : `unknown type ${type}`);
    return known;
  }

  private include(content: string, place: Place): boolean {
    const [, what, named = ""] = /^include_(file|dir)=(.*)$/s.exec(content) ?? [];
    if (what === "file") this.readObjects(this.locate(named), place);
    if (what === "dir") this.readFolder(this.locate(named), place);
    return what !== undefined;
  }

  private lines(file: string, from: Place): Line[] {
    try {
      return logicalLines(decode(fs.readFileSync(file)));
    } catch (error) {
      this.problems.add(from, `cannot read ${file}: ${reason(error)}`);
      return [];
    }
  }
}

/** What Windows has where ISO 8859-1 has control characters, from 0x80 on. */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Text of a file. Nagios takes bytes as they are; files that are not UTF-8 are from the time before, in Windows's form. */
export function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Not with TextDecoder, which in some versions of Node.js takes windows-1252 for ISO 8859-1.
    return bytes
      .toString("latin1")
      .replace(/[\x80-\x9f]/g, (letter) => WINDOWS_1252.charAt(letter.charCodeAt(0) - 0x80));
  }
}

/** Lines with those joined that end in a backslash; two backslashes at the end stand for one and end the line. */
function logicalLines(text: string): Line[] {
  const physical = text.split("\n");
  if (physical.at(-1) === "") physical.pop();
  const lines: Line[] = [];
  let open: Line | undefined;
  physical.forEach((raw, index) => {
    const part = raw.replace(/\r$/, "");
    const joined: Line =
      open === undefined
        ? { text: part, line: index + 1 }
        : { text: open.text + part.replace(/^[ \t]+/, ""), line: open.line };
    open = undefined;
    if (joined.text.endsWith("\\\\")) lines.push({ ...joined, text: joined.text.slice(0, -1) });
    else if (joined.text.length > 1 && joined.text.endsWith("\\")) {
      open = { ...joined, text: joined.text.slice(0, -1) };
    } else lines.push(joined);
  });
  if (open !== undefined) lines.push(open);
  return lines;
}

/** A comment starts at a semicolon; one behind a backslash is itself. */
function withoutComment(text: string): string {
  return text.replace(/(^|[^\\]);.*$/s, "$1").replaceAll("\\;", ";");
}

/** Removes what Nagios takes for white space around a text: other kinds of it belong to names. */
export function strip(text: string): string {
  return text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}

function hint(content: string): string {
  return content.startsWith("\uFEFF") ? " (the file starts with a byte order mark, which Nagios does not take)" : "";
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "it is not there";
  return code ?? (error instanceof Error ? error.message : String(error));
}
