const CLASSES: Readonly<Record<string, string>> = {
  alpha: "A-Za-z",
  digit: "0-9",
  alnum: "A-Za-z0-9",
  upper: "A-Z",
  lower: "a-z",
  space: "\\s",
  blank: " \\t",
  punct: "!-\\/:-@\\[-`{-~",
  print: " -~",
  graph: "!-~",
  cntrl: "\\x00-\\x1f\\x7f",
  xdigit: "0-9A-Fa-f",
};

/** What a backslash makes of a letter in the C library; of any other, the letter itself. */
const ESCAPES: Readonly<Record<string, string>> = {
  w: "\\w",
  W: "\\W",
  s: "\\s",
  S: "\\S",
  b: "\\b",
  B: "\\B",
  "<": "\\b(?=\\w)",
  ">": "\\b(?<=\\w)",
  "`": "^",
  "'": "$",
};

/**
 * A POSIX extended regular expression as the C library takes it.
 *
 * @returns undefined if the C library refuses it
 */
export function posixPattern(pattern: string): RegExp | undefined {
  let translated = "";
  // Where the last thing starts that may be repeated: nothing is, at the start and behind ( or |.
  let atom: number | undefined;
  let isRepeated = false;
  const groups: number[] = [];
  const add = (text: string, repeatable = true) => {
    atom = repeatable ? translated.length : undefined;
    isRepeated = false;
    translated += text;
  };
  for (let at = 0; at < pattern.length; at += 1) {
    const letter = pattern.charAt(at);
    const repetition = /^(?:[*+?]|\{\d*(?:,\d*)?\})/.exec(pattern.slice(at))?.[0];
    if (letter === "[") {
      const set = bracket(pattern, at);
      if (set === undefined) return undefined;
      add(set.translated);
      at = set.end;
    } else if (letter === "\\") {
      at += 1;
      const next = pattern.charAt(at);
      if (next === "") return undefined;
      add(/[1-9]/.test(next) ? `\\${next}` : (ESCAPES[next] ?? literal(next)));
    } else if (repetition !== undefined) {
      if (atom === undefined) return undefined;
      // POSIX repeats a repetition; JavaScript would make it a lazy one.
      if (isRepeated) translated = `${translated.slice(0, atom)}(?:${translated.slice(atom)})`;
      translated += repetition.replace("{,", "{0,");
      isRepeated = true;
      at += repetition.length - 1;
    } else if (letter === ")") {
      translated += letter;
      atom = groups.pop() ?? 0;
      isRepeated = false;
    } else {
      if (letter === "(") groups.push(translated.length);
      add(/[{}\]/]/.test(letter) ? `\\${letter}` : letter, !/[(|^]/.test(letter));
    }
  }
  try {
    return new RegExp(translated, "s");
  } catch {
    return undefined;
  }
}

function literal(letter: string): string {
  return /[A-Za-z0-9_]/.test(letter) ? letter : letter.replace(/[^\w\s]/, "\\$&");
}

/** A set in brackets, in which a backslash is itself and a ] may come first. */
function bracket(pattern: string, start: number): { translated: string; end: number } | undefined {
  const [whole, negated = "", content = ""] =
    /^\[(\^?)(\]?(?:\[:[a-z]+:\]|\[\.[^.]+\.\]|\[=[^=]+=\]|[^\]])*)\]/s.exec(pattern.slice(start)) ?? [];
  if (whole === undefined) return undefined;
  let unknown = false;
  const translated = content.replace(/\[:([a-z]+):\]|\[[.=](.)[.=]\]|([\\[\]^])/g, (_all, name, single, special) => {
    if (typeof name === "string") {
      unknown ||= CLASSES[name] === undefined;
      return CLASSES[name] ?? "";
    }
    return `\\${String(single ?? special)}`;
  });
  return unknown ? undefined : { translated: `[${negated}${translated}]`, end: start + whole.length - 1 };
}
