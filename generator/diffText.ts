import type { Group, Item, Part } from "./diff";

/** How many names, and how many different things, a list shows. */
const SHOWN = 20;

/** Characters that a comment on a pull request may have, with room for what is around this. */
const LONGEST_COMMENT = 60_000;

const NO_DIFFERENCE = "Monitoring stays as it is.";

/**
 * Differences as text: counts first, then lists of a readable length.
 *
 * @param title what is compared
 */
export function diffText(title: string, parts: readonly Part[]): string {
  if (parts.length === 0) return `${title}\n\n${NO_DIFFERENCE}\n`;
  const counts = parts.map((part) => `${part.title}: ${headlines(part)}\n`).join("");
  const lists = parts.map((part) => `\n${part.title}\n${part.groups.map(groupText).join("")}`).join("");
  return `${title}\n\n${counts}${lists}`;
}

function headlines({ groups }: Part): string {
  return groups.map(({ headline }) => headline).join(", ");
}

function groupText({ headline, items }: Group): string {
  const { first, rest } = firstOf(items, SHOWN);
  const lines = [...first.map(itemText), ...(rest === 0 ? [] : [`... and ${rest} more`])];
  return `  ${headline}\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

function itemText({ text, names }: Item): string {
  const list = namesOf(names, SHOWN, (name) => name);
  return text === "" ? list : `${text}  (${list})`;
}

function namesOf(names: readonly string[], count: number, write: (name: string) => string): string {
  const { first, rest } = firstOf(names, count);
  return [...first.map(write), ...(rest === 0 ? [] : [`... and ${rest} more`])].join(", ");
}

/** One more is shown rather than counted. */
function firstOf<T>(list: readonly T[], count: number): { first: readonly T[]; rest: number } {
  const length = list.length <= count + 1 ? list.length : count;
  return { first: list.slice(0, length), rest: list.length - length };
}

/**
 * Differences as Markdown, for a comment on a pull request: a table of counts, and lists to unfold. Lists get shorter
 * where the comment would be too long to be taken.
 *
 * @param title what is compared
 */
export function diffMarkdown(title: string, parts: readonly Part[]): string {
  if (parts.length === 0) return `### ${code(title)}\n\n${NO_DIFFERENCE}\n`;
  const rows = parts.map((part) => `| ${code(part.title)} | ${headlines(part)} |\n`).join("");
  const counts = `### ${code(title)}\n\n| where | what changes |\n| --- | --- |\n${rows}`;
  const texts = [SHOWN, 5, 1].map((count) => counts + parts.map((part) => details(part, count)).join(""));
  const short = `${counts}\n${SHORTENED}\n`;
  return texts.find((text) => text.length <= LONGEST_COMMENT) ?? short;
}

const SHORTENED = "The lists are too long for a comment; the command shows them without `--markdown`.";

function details(part: Part, count: number): string {
  const groups = part.groups.map(({ headline, items }) => {
    const { first, rest } = firstOf(items, count);
    const lines = [...first.map((item) => markdownItem(item, count)), ...(rest === 0 ? [] : [`... and ${rest} more`])];
    return `\n**${headline}**\n\n${lines.map((line) => `- ${line}\n`).join("")}`;
  });
  return `\n<details><summary>${code(part.title)}</summary>\n${groups.join("")}\n</details>\n`;
}

function markdownItem({ text, names }: Item, count: number): string {
  const list = namesOf(names, count, code);
  return text === "" ? list : `${code(text)}: ${list}`;
}

/**
 * Text that comes from people, as code: whatever is in it, it is neither Markdown nor HTML, and nobody is mentioned.
 * Every sign is written by its number, because Markdown has a meaning for most of them.
 */
export function code(text: string): string {
  const visible = text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  const escaped = visible.replace(/[^\p{L}\p{N} ]/gu, (sign) => `&#${sign.codePointAt(0)};`);
  return `<code>${escaped}</code>`;
}
