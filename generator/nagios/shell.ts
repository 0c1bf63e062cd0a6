/** A command line taken apart as a shell does it; or what of it only a shell can do. */
export type Words = { readonly words: readonly string[] } | { readonly construct: string };

/** What starts something in a shell where it is not quoted. */
const OPERATORS: Readonly<Record<string, string>> = {
  "|": "a pipe (|)",
  "&": "several commands (&)",
  ";": "several commands (;)",
  "<": "a redirection (<)",
  ">": "a redirection (>)",
  "(": "a group of commands",
  ")": "a group of commands",
  "`": "a command in backticks",
  "\n": "several lines",
};

/**
 * Takes a command line apart. Patterns such as `*` are left as they are: a shell does that, too, where no file matches.
 *
 * @param line a command line of Nagios, its macros replaced
 */
export function shellWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const letter = line.charAt(at);
    if (letter === " " || letter === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    if (word === undefined && letter === "#") return { construct: "a comment (#)" };
    if (word === undefined && letter === "~") return { construct: "a home directory (~)" };
    const quoted = quotedPart(line, at);
    if ("construct" in quoted) return quoted;
    word = (word ?? "") + quoted.text;
    at = quoted.end;
  }
  if (word !== undefined) words.push(word);
  const [first] = words;
  if (first === undefined) return { construct: "an empty command" };
  if (/^[A-Za-z_]\w*=/.test(first)) return { construct: `a variable of the environment (${first.split("=")[0]}=)` };
  return { words };
}

type Part = { readonly text: string; readonly end: number } | { readonly construct: string };

/** What stands at a place, up to where quoting may change. */
function quotedPart(line: string, at: number): Part {
  const letter = line.charAt(at);
  if (letter === "'") {
    const end = line.indexOf("'", at + 1);
    if (end < 0) return { construct: "a quotation mark without its other half" };
    return { text: line.slice(at + 1, end), end: end + 1 };
  }
  if (letter === '"') return doubleQuoted(line, at + 1);
  if (letter === "\\") {
    if (at + 1 >= line.length) return { construct: "a backslash with nothing behind it" };
    return { text: line.charAt(at + 1), end: at + 2 };
  }
  if (isExpansion(line, at)) return { construct: "a variable of the shell ($)" };
  const construct = OPERATORS[letter];
  return construct === undefined ? { text: letter, end: at + 1 } : { construct };
}

function doubleQuoted(line: string, start: number): Part {
  let text = "";
  for (let at = start; at < line.length; at += 1) {
    const letter = line.charAt(at);
    const next = line.charAt(at + 1);
    if (letter === '"') return { text, end: at + 1 };
    if (letter === "`") return { construct: OPERATORS["`"] ?? "" };
    if (isExpansion(line, at)) return { construct: "a variable of the shell ($)" };
    if (letter === "\\" && /[$`"\\]/.test(next)) {
      text += next;
      at += 1;
    } else text += letter;
  }
  return { construct: "a quotation mark without its other half" };
}

/** A dollar sign that stands for more than itself. */
function isExpansion(line: string, at: number): boolean {
  return line.charAt(at) === "$" && /[A-Za-z0-9_({?!@*#$-]/.test(line.charAt(at + 1));
}
