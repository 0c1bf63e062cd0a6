import { z } from "zod";
import { nearest } from "./nearest";
import type { Path } from "./yaml";

/** What a schema has against a value, in words, and where. */
export interface SchemaProblem {
  readonly path: Path;
  readonly what: "key" | "value";
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** The parts of a JSON schema that messages are made from. */
interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
}

/**
 * Turns what zod found into sentences that say what is wrong and what would be right. Descriptions and known keys come
 * from the schema itself, so that there is nothing to keep in step.
 *
 * @param schema the schema that refused the value
 * @param value the refused value
 * @param issues what zod found
 */
export function schemaProblems(schema: z.ZodType, value: unknown, issues: readonly Issue[]): SchemaProblem[] {
  return withoutConsequences(issues).flatMap((issue) => problems(nodeOf(schema), value, issue, []));
}

/** A large schema takes a while to turn, and a file with many mistakes asks for it at each of them. */
const NODES = new WeakMap<z.ZodType, SchemaNode>();

function nodeOf(schema: z.ZodType): SchemaNode {
  let node = NODES.get(schema);
  if (node === undefined) {
    node = z.toJSONSchema(schema, { target: "draft-7", io: "input", unrepresentable: "any" }) as SchemaNode;
    NODES.set(schema, node);
  }
  return node;
}

function problems(root: SchemaNode, value: unknown, issue: Issue, outer: Path): SchemaProblem[] {
  const path: Path = [...outer, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  const nodes = nodesAt(root, path);
  const found = valueAt(value, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({ path: [...path, key], what: "key", message: unknownKey(key, nodes) }));
    case "invalid_key":
      return issue.issues.map((inner) => ({ path, what: "key", message: `${label(path)} ${inner.message}` }));
    case "invalid_union":
      return unionProblems(root, value, issue, path);
    case "invalid_type":
      return [{ path, what: "value", message: wrongType(path, found, issue.expected, nodes) }];
    case "invalid_value":
      return [{ path, what: "value", message: wrongValue(path, found, issue, nodes) }];
    default: {
      const shown = typeof found === "string" || typeof found === "number" ? ` ${JSON.stringify(found)}` : "";
      return [{ path, what: "value", message: `${label(path)}${shown} ${issue.message}` }];
    }
  }
}

/** Of a union's branches, the one that the value was meant for: it is the one that got furthest, or fits its type. */
function unionProblems(
  root: SchemaNode,
  value: unknown,
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
): SchemaProblem[] {
  const found = valueAt(value, path);
  if (found === undefined) {
    return [{ path, what: "value", message: `${label(path)} is missing${purpose(nodesAt(root, path))}` }];
  }
  const deepest = (branch: readonly Issue[]) =>
    Math.max(...branch.map(({ path: inner, code }) => inner.length * 2 + (code === "invalid_type" ? 0 : 1)));
  // A list of names says nothing to a value that is no name.
  const isNameOnly = ([first]: readonly Issue[]) => first?.code === "invalid_value" && first.path.length === 0;
  const branches = issue.errors.filter((branch) => typeof found === "string" || !isNameOnly(branch));
  const options = nodesAt(root, path).flatMap((node) => node.enum ?? []);
  if (typeof found === "string" && options.length > 0) return [unknownName(path, found, nodesAt(root, path))];
  const ranked = [...branches].sort((left, right) => deepest(right) - deepest(left));
  const [best] = ranked;
  if (best === undefined || deepest(best) === 0) {
    const message = `${label(path)} must not be ${kindOf(found)}${purpose(nodesAt(root, path))}`;
    return [{ path, what: "value", message }];
  }
  return withoutConsequences(best).flatMap((inner) => problems(root, value, inner, path));
}

/** What a mapping lacks as a whole follows from its unknown key, which is reported already. */
function withoutConsequences(issues: readonly Issue[]): readonly Issue[] {
  const at = (issue: Issue) => JSON.stringify(issue.path);
  const withUnknownKeys = new Set(issues.filter(({ code }) => code === "unrecognized_keys").map(at));
  return issues.filter((issue) => issue.code !== "custom" || !withUnknownKeys.has(at(issue)));
}

function unknownName(path: Path, found: string, nodes: readonly SchemaNode[]): SchemaProblem {
  const bare = nodes.flatMap((node) => node.enum ?? []).map(String);
  const keyed = nodes.flatMap((node) => Object.keys(node.properties ?? {}));
  if (keyed.includes(found)) {
    return { path, what: "value", message: `${quoted(found)} needs settings; write them as - ${found}: { ... }` };
  }
  const known = [...new Set([...bare, ...keyed])];
  return { path, what: "value", message: `unknown name ${quoted(found)}; ${alternatives(found, known)}` };
}

function unknownKey(key: string, nodes: readonly SchemaNode[]): string {
  const known = [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
  return `unknown key ${quoted(key)}; ${alternatives(key, known)}`;
}

function wrongType(path: Path, found: unknown, expected: string, nodes: readonly SchemaNode[]): string {
  if (found === undefined) return `${label(path)} is missing${purpose(nodes)}`;
  if (found === null) return `${label(path)} is empty; it takes ${TYPES[expected] ?? expected}${purpose(nodes, ": ")}`;
  const quotes =
    expected === "string" && typeof found !== "object" ? `; put it in quotes if it is meant: "${String(found)}"` : "";
  return `${label(path)} must be ${TYPES[expected] ?? expected}, not ${kindOf(found)}${quotes || purpose(nodes)}`;
}

function wrongValue(
  path: Path,
  found: unknown,
  issue: z.core.$ZodIssueInvalidValue,
  nodes: readonly SchemaNode[],
): string {
  if (found === undefined) return `${label(path)} is missing${purpose(nodes)}`;
  const known = issue.values.map(String);
  const near = typeof found === "string" ? nearest(found, known) : undefined;
  const shown = typeof found === "object" ? kindOf(found) : JSON.stringify(found);
  return `${label(path)} is ${shown}; ${near === undefined ? `it takes ${known.join(" or ")}` : `did you mean ${quoted(near)}?`}`;
}

function alternatives(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? `known here: ${[...known].sort().join(", ")}` : `did you mean ${quoted(near)}?`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping (key: value)",
  record: "a mapping (key: value)",
  array: "a list (- ...)",
};

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return `the text ${quoted(value)}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

function purpose(nodes: readonly SchemaNode[], start = "; it is "): string {
  const description = nodes.find((node) => node.description !== undefined)?.description;
  return description === undefined ? "" : start + description;
}

function label(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "the file";
  if (typeof last === "string") return quoted(last);
  const list = [...path].reverse().find((part) => typeof part === "string");
  return `item ${last + 1} of ${quoted(String(list ?? "the list"))}`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function nodesAt(root: SchemaNode, path: Path): SchemaNode[] {
  return path.reduce<SchemaNode[]>(
    (nodes, part) => nodes.flatMap((node) => alternativesOf(child(node, part))),
    alternativesOf(root),
  );
}

function child(node: SchemaNode, part: string | number): SchemaNode | undefined {
  if (typeof part === "number") return node.items;
  if (node.properties !== undefined && Object.hasOwn(node.properties, part)) return node.properties[part];
  return typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
}

function alternativesOf(node: SchemaNode | undefined): SchemaNode[] {
  if (node === undefined) return [];
  return [node, ...(node.anyOf ?? []).flatMap((branch) => alternativesOf(branch))];
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((container, part) => {
    if (typeof container !== "object" || container === null || !Object.hasOwn(container, part)) return undefined;
    return (container as Record<string | number, unknown>)[part];
  }, value);
}
