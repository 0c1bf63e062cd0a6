import type { Place } from "./refusal";

/**
 * - `lost`: what the inventory cannot say
 * - `changed`: what it says in another way, which somebody should look at
 * - `ignored`: what Nagios itself passes over, or takes for something else than is written
 */
export type Kind = "lost" | "changed" | "ignored";

/** One thing to tell whoever imports, for one line of the configuration. */
export interface Entry extends Place {
  readonly kind: Kind;
  readonly message: string;
  /** How many objects it is about: a template's line is many hosts'. */
  readonly count: number;
}

/** What an import has to tell. The same of the same line is said once. */
export class Report {
  private readonly found = new Map<string, Entry>();

  add(kind: Kind, { file, line }: Place, message: string): void {
    const key = JSON.stringify([kind, file, line, message]);
    const count = (this.found.get(key)?.count ?? 0) + 1;
    this.found.set(key, { kind, file, line, message, count });
  }

  /** By kind, then as they stand in the files. */
  entries(kind: Kind): Entry[] {
    const order = (left: Entry, right: Entry) =>
      left.file === right.file ? left.line - right.line : left.file < right.file ? -1 : 1;
    return [...this.found.values()].filter((entry) => entry.kind === kind).sort(order);
  }
}

const TITLES: Readonly<Record<Kind, string>> = {
  lost: "Not carried over",
  changed: "Carried over in another way",
  ignored: "Ignored by Nagios itself",
};

/**
 * The report as text, one line for each entry.
 *
 * @param shown how a file is called for the reader
 */
export function describeReport(report: Report, shown: (file: string) => string): string {
  const sections = (Object.keys(TITLES) as Kind[]).flatMap((kind) => {
    const entries = report.entries(kind);
    if (entries.length === 0) return [];
    const lines = entries.map(({ file, line, message, count }) => {
      const times = count === 1 ? "" : ` (${count} times)`;
      // Some messages name a second place.
      const said = message.replace(/\/[^\s()]+(?=:\d+)/g, shown);
      return `${shown(file)}:${line}: ${said}${times}\n`;
    });
    return [`${TITLES[kind]} (${entries.length}):\n${lines.join("")}`];
  });
  return sections.join("\n");
}
