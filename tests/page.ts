import * as fs from "node:fs";
import * as path from "node:path";

/** What a page of docs/ has a reader do, in its order. Blocks of other languages (text, cfg) are for the eye. */
export type Step =
  | { readonly kind: "heading"; readonly text: string }
  /** To be typed; has to end well. */
  | { readonly kind: "shell"; readonly script: string }
  /** To be typed, and what is answered. */
  | { readonly kind: "console"; readonly command: string; readonly answer: string }
  /** Contents of a file, or of a place in it: `Pulumi.prod.yaml, in icinga-swarm:locations`. */
  | { readonly kind: "file"; readonly name: string; readonly place?: string; readonly text: string };

/** Takes a page of docs/ apart. */
export function stepsOf(page: string): Step[] {
  const text = fs.readFileSync(path.join(__dirname, "..", "docs", page), "utf8");
  const found = text.matchAll(/^```(sh|yaml|console)\n(.*?)^```$|^## ([^\n]*)$/gms);
  return [...found].map(([, language, block = "", heading]): Step => {
    if (heading !== undefined) return { kind: "heading", text: heading };
    if (language === "sh") return { kind: "shell", script: block };
    const [first = "", ...rest] = block.split("\n");
    if (language === "console") return { kind: "console", command: first.replace(/^\$ /, ""), answer: rest.join("\n") };
    const [name = "", place] = first.replace(/^# /, "").split(", in ");
    return { kind: "file", name, text: block, ...(place === undefined ? {} : { place }) };
  });
}

/** An answer as a page shows it: three dots stand for anything, and blanks and lines fall as they may. */
export function answerPattern(answer: string): RegExp {
  const words = (part: string) => part.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const parts = answer
    .trim()
    .split("...")
    .map((part) => words(part.trim()).join("\\s+"));
  return new RegExp(`^\\s*${parts.join("[^]*?")}\\s*$`);
}
