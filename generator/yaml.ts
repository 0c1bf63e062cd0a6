import { constructFromEvents, EVENT_ID, getScalarValue, parseEvents, YAMLException, type Event } from "js-yaml";

/** A place in a text, both counted from 1 as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A complaint about a text, at an offset into it. */
export interface Complaint {
  readonly offset: number;
  readonly message: string;
}

/** Keys and indices that lead from the root of a document to a value. */
export type Path = readonly (string | number)[];

/** A YAML text: its value, or why it has none. */
export interface Document {
  /** The value; undefined if there are complaints or if the text holds none. */
  readonly value: unknown;
  readonly complaints: readonly Complaint[];
  /** Offsets of places, in their order; the nearest parent's where a value is absent. */
  locate(places: readonly Place[]): number[];
}

/** A value in a document, or the key that names it. */
export interface Place {
  readonly path: Path;
  readonly what: "key" | "value";
}

/**
 * Reads one YAML document, strictly: no anchors, aliases, merge keys, tags or repeated keys, and no key `__proto__`,
 * because each of them makes a value that is not what the line in front of the reader says.
 *
 * @param text the file
 */
export function parseYaml(text: string): Document {
  let events: Event[];
  try {
    events = parseEvents(text, {});
  } catch (error) {
    return broken(text, error);
  }
  const complaints = structureComplaints(text, events);
  if (complaints.length > 0) return { value: undefined, complaints, locate: (places) => places.map(() => 0) };
  try {
    // `maxAliases` is belt and braces: the events were searched for aliases already.
    const [value] = constructFromEvents(events, { source: text, maxAliases: 0 });
    return { value, complaints: [], locate: (places) => locateAll(text, parseEvents(text, {}), places) };
  } catch (error) {
    return broken(text, error);
  }
}

/** A function that tells line and column of an offset into the text. */
export function positionFinder(text: string): (offset: number) => Position {
  const starts = [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((end) => end.index + end[0].length)];
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function broken(text: string, error: unknown): Document {
  if (!(error instanceof YAMLException)) throw error;
  const offset = Math.min(error.mark?.position ?? 0, text.length);
  return {
    value: undefined,
    complaints: [{ offset, message: yamlMessage(error.reason) }],
    locate: (places) => places.map(() => 0),
  };
}

/** The parser's words, with what would be right where they do not say it themselves. */
function yamlMessage(reason: string): string {
  if (/tab/i.test(reason)) return "a tab in the indentation; YAML is indented with spaces";
  if (/complex keys/.test(reason)) return "a key that is a list or a mapping; write a plain word before the colon";
  return `not valid YAML: ${reason}`;
}

type Frame =
  | { readonly kind: "map"; readonly seen: Map<string, number>; key: string | undefined }
  | { readonly kind: "list"; index: number };

/** Walks the events as a tree: `visit` is called for each document, key and value, with the frames around it. */
function walk(text: string, events: readonly Event[], visit: (visit: Visit) => void): void {
  const frames: Frame[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      if (frames.pop() === undefined) continue;
      valueEnded(frames);
      continue;
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      visit({ event, frames, isKey: false, offset: 0 });
      frames.length = 0;
      continue;
    }
    const top = frames.at(-1);
    const isKey = top?.kind === "map" && top.key === undefined;
    visit({ event, frames, isKey, offset: offsetOf(event) });
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      frames.push(
        event.type === EVENT_ID.MAPPING ? { kind: "map", seen: new Map(), key: undefined } : { kind: "list", index: 0 },
      );
    } else if (isKey) {
      top.key = event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : "";
    } else {
      valueEnded(frames);
    }
  }
}

interface Visit {
  readonly event: Event;
  readonly frames: readonly Frame[];
  readonly isKey: boolean;
  readonly offset: number;
}

function valueEnded(frames: readonly Frame[]): void {
  const parent = frames.at(-1);
  if (parent?.kind === "map") parent.key = parent.key === undefined ? "" : undefined;
  else if (parent?.kind === "list") parent.index += 1;
}

function offsetOf(event: Event): number {
  switch (event.type) {
    case EVENT_ID.SCALAR:
      // The value of a quoted scalar starts behind its quotation mark.
      return event.style === 2 || event.style === 3 ? event.valueStart - 1 : event.valueStart;
    case EVENT_ID.MAPPING:
    case EVENT_ID.SEQUENCE:
      return event.start;
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    default:
      return 0;
  }
}

function structureComplaints(text: string, events: readonly Event[]): Complaint[] {
  const complaints: Complaint[] = [];
  let documents = 0;
  walk(text, events, ({ event, frames, isKey, offset }) => {
    if (event.type === EVENT_ID.DOCUMENT) {
      documents += 1;
      return;
    }
    if (event.type === EVENT_ID.ALIAS) {
      complaints.push({ offset, message: "an alias (*) stands for text elsewhere; write the value itself" });
      return;
    }
    if (event.type === EVENT_ID.POP) return;
    if (event.anchorStart >= 0) {
      const message = "an anchor (&) serves only aliases, which are not taken here; leave it out";
      complaints.push({ offset: event.anchorStart - 1, message });
    }
    if (event.tagStart >= 0) {
      complaints.push({ offset: event.tagStart, message: "a tag (!) is not taken here; write the plain value" });
    }
    const top = frames.at(-1);
    if (isKey && top?.kind === "map" && event.type === EVENT_ID.SCALAR) {
      complaints.push(...keyComplaints(text, getScalarValue(text, event), offset, top.seen));
    }
  });
  if (documents > 1) {
    const offset = text.search(/^---/m);
    const second = text.slice(offset + 3).search(/^---/m);
    complaints.push({
      offset: second < 0 ? Math.max(offset, 0) : offset + 3 + second,
      message: "a second document (---) in one file; put it into a file of its own",
    });
  }
  return complaints;
}

function keyComplaints(text: string, key: string, offset: number, seen: Map<string, number>): Complaint[] {
  const first = seen.get(key);
  seen.set(key, first ?? offset);
  // JavaScript takes it for something else: whatever copies the mapping would lose it without a word.
  if (key === "__proto__") return [{ offset, message: "the key __proto__ is not taken here; choose another name" }];
  if (key === "<<") return [{ offset, message: "a merge key (<<) is not taken here; write the values themselves" }];
  if (first === undefined) return [];
  const { line } = positionFinder(text)(first);
  return [{ offset, message: `the key ${JSON.stringify(key)} stands in line ${line} already; keep one of the two` }];
}

/**
 * Offsets are looked up by reading the text again, once for all: problems are few, and positions kept for every value
 * would cost more memory than a large inventory itself.
 */
function locateAll(text: string, events: readonly Event[], places: readonly Place[]): number[] {
  const keys = new Map<string, number>();
  const values = new Map<string, number>();
  const wanted = new Set(places.flatMap(({ path }) => path.map((_, index) => pathId(path.slice(0, index + 1)))));
  wanted.add(pathId([]));
  walk(text, events, ({ event, frames, isKey, offset }) => {
    if (event.type === EVENT_ID.DOCUMENT) return;
    const parents = frames.map((frame) => (frame.kind === "map" ? (frame.key ?? "") : frame.index));
    if (isKey && event.type === EVENT_ID.SCALAR) parents[parents.length - 1] = getScalarValue(text, event);
    const id = pathId(parents);
    if (!wanted.has(id)) return;
    // An empty value stands nowhere: its key has to do.
    (isKey ? keys : values).set(id, offset < 0 ? (keys.get(id) ?? 0) : offset);
  });
  return places.map(({ path, what }) => {
    const id = pathId(path);
    if (what === "key" && keys.has(id)) return keys.get(id) ?? 0;
    for (let length = path.length; length >= 0; length -= 1) {
      const offset = values.get(pathId(path.slice(0, length)));
      if (offset !== undefined) return offset;
    }
    return 0;
  });
}

function pathId(path: Path): string {
  return path.map((part) => JSON.stringify(String(part))).join(",");
}
