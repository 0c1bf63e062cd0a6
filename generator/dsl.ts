/**
 * Icinga's configuration language, as text. Everything that comes from people passes `quote` or `literal`; nothing else
 * in the generator puts quotation marks around a value.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/**
 * What may not stand as it is inside an Icinga string: its delimiter, the escape sign, every control character, half of a
 * surrogate pair, and a digit behind a character that is written as its number: Icinga would read one longer number.
 */
const UNSAFE =
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  /["\\\u0000-\u001f\u007f\p{Cs}]|(?<=[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f][0-9]*)[0-9]/gu;

/**
 * A string in Icinga's own notation. For attributes that Icinga takes literally (names, display names, addresses).
 *
 * @param text any text; half of a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD
 */
export function quote(text: string): string {
  return `"${text.replace(UNSAFE, escaped)}"`;
}

function escaped(character: string): string {
  if (character > "\u007f") return "\ufffd";
  return ESCAPES[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`;
}

/**
 * A string for a custom variable. Icinga resolves `$macros$` in the variables that a check's arguments use, so a dollar
 * sign that means itself is written twice.
 *
 * @param text any text
 */
export function literal(text: string): string {
  return quote(text.replaceAll("$", "$$$$"));
}

/** What a custom variable can hold. A `macro` is for Icinga to resolve; every other text means itself. */
export type Value = string | number | boolean | readonly (string | number | boolean)[] | Macro;

/** Text with Icinga's own macros, written by the generator alone. */
export interface Macro {
  readonly macro: string;
}

/**
 * A custom variable's value in Icinga's notation.
 *
 * @param value text, number, truth value, or a list of them
 */
export function value(content: Value): string {
  if (typeof content === "string") return literal(content);
  if (typeof content === "number") return decimal(content);
  if (typeof content === "boolean") return String(content);
  if ("macro" in content) return quote(content.macro);
  return list(content.map((item) => value(item)));
}

/** Icinga's language has no exponents. What is smaller than 1e-100 becomes 0. */
function decimal(number: number): string {
  const shortest = String(number);
  if (!shortest.includes("e")) return shortest;
  if (Number.isInteger(number)) return BigInt(number).toString();
  return number.toFixed(100).replace(/\.?0+$/, "");
}

/** A list of names in Icinga's notation. */
export function names(all: readonly string[]): string {
  return list(all.map(quote));
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "[ ]" : `[ ${items.join(", ")} ]`;
}

/** An attribute of an object and its value, already in Icinga's notation. `undefined` leaves the attribute out. */
export type Attribute = readonly [name: string, notation: string | undefined];

/** Words that cannot follow `vars.` as they are. */
const KEYWORDS = new Set(
  (
    "object template include include_recursive include_zones library null true false const var this globals locals " +
    "use using namespace default ignore_on_error current_filename current_line apply to where import assign ignore " +
    "function return break continue for if else while throw try except in debugger"
  ).split(" "),
);

/** How a custom variable is named in an assignment. */
function variableName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name) ? `vars.${name}` : `vars[${quote(name)}]`;
}

/** Custom variables as attributes, sorted by name. */
export function vars(variables: Readonly<Record<string, Value | undefined>>): Attribute[] {
  return Object.keys(variables)
    .sort()
    .map((name) => {
      const variable = variables[name];
      return [variableName(name), variable === undefined ? undefined : value(variable)];
    });
}

interface ObjectText {
  /** `object Host`, `template Service`, `apply Notification`, ... */
  readonly kind: string;
  readonly name: string;
  /** What an apply rule makes objects for. */
  readonly to?: "Host" | "Service";
  readonly imports?: readonly string[];
  readonly attributes: readonly Attribute[];
  /** Statements behind the attributes, such as `assign where ...`. */
  readonly rules?: readonly string[];
}

/** One object, a blank line behind it. */
export function object({ kind, name, to, imports = [], attributes, rules = [] }: ObjectText): string {
  const lines = [
    `${kind} ${quote(name)}${to === undefined ? "" : ` to ${to}`} {`,
    ...imports.map((template) => `  import ${quote(template)}`),
    ...attributes.flatMap(([attribute, notation]) => (notation === undefined ? [] : [`  ${attribute} = ${notation}`])),
    ...rules.map((rule) => `  ${rule}`),
    "}\n\n",
  ];
  return lines.join("\n");
}
