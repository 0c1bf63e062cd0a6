import { counted } from "../../generator/units";
import { type Action, ACTIONS, type Change, type Plan } from "./plan";

/** What a pull request means for one stack. */
export interface StackReport {
  readonly stack: string;
  /** Difference of the inventories, in monitoring terms; or why there is none. */
  readonly inventory: string;
  /** What a deployment would do; or why that is not known. */
  readonly plan: Plan | { readonly problem: string } | { readonly withheld: string };
}

/** Which state of the pull request it is about. */
export interface ReportedBuild {
  readonly number: number;
  /** First digits of the commit's hash; empty if not known. */
  readonly commit: string;
  /** Such as `main`; empty if not known. */
  readonly destination: string;
}

/** Bitbucket takes 32,768 characters; it is not documented whether they are counted as bytes. */
export const LONGEST_COMMENT_BYTES = 30_000;

/** Lines that a block shows: as many as leave the comment short enough. */
const BLOCK_LINES = [400, 150, 60, 20, 5];

/** Bitbucket shows HTML comments as text, but of a reference that nobody refers to it shows nothing. */
const MARKER = "[//]: # (icinga-swarm report of build ";

const CANNOT_SEE =
  "The plan compares the program with the state of the last deployment. It cannot see what somebody changed on the swarm " +
  "since then, nor whether nodes, registry and images are there: it never talks to the stack's own machines.";

/** The build whose report a comment is; undefined for any other comment. */
export function buildOf(raw: string): number | undefined {
  if (!raw.startsWith(MARKER)) return undefined;
  const number = /^(\d+)\)/.exec(raw.slice(MARKER.length))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** The comment on a pull request, in the Markdown that Bitbucket knows, which has no HTML. */
export function renderComment(build: ReportedBuild, reports: readonly StackReport[]): string {
  const texts = BLOCK_LINES.map((lines) => render(build, reports, lines));
  const fitting = texts.find((text) => Buffer.byteLength(text) <= LONGEST_COMMENT_BYTES);
  if (fitting !== undefined) return fitting;
  const counts = reports.map(({ stack, plan }) => `- ${stack}: ${headline(plan)}\n`).join("");
  return `${head(build)}The report is too long for a comment; the pipeline's log has it.\n\n${counts}`;
}

function render(build: ReportedBuild, reports: readonly StackReport[], lines: number): string {
  const hasPlan = reports.some(({ plan }) => "changes" in plan);
  const sections = reports.map((report) => section(report, lines)).join("");
  return `${head(build)}${sections}${hasPlan ? `---\n\n${CANNOT_SEE}\n` : ""}`;
}

function head({ number, commit, destination }: ReportedBuild): string {
  const what = /^[0-9a-f]{7,40}$/.test(commit) ? ` ${commit.slice(0, 12)}` : "";
  // Names of branches come from people.
  const where = /^[\w./-]{1,60}$/.test(destination) ? ` into \`${destination}\`` : "";
  return `${MARKER}${number})\n\n## What merging${what}${where} does\n\n`;
}

function section({ stack, inventory, plan }: StackReport, lines: number): string {
  return [
    `### Stack ${stack}`,
    "**Monitoring**",
    block(inventory, lines),
    `**Deployment:** ${headline(plan)}`,
    ...("problem" in plan ? [block(plan.problem, lines)] : []),
    ...("changes" in plan && plan.changes.length > 0 ? [block(planText(plan), lines)] : []),
    "",
  ].join("\n\n");
}

function headline(plan: StackReport["plan"]): string {
  if ("withheld" in plan) return plan.withheld;
  if ("problem" in plan) return "the plan could not be made:";
  const counts = ACTIONS.flatMap((action) => {
    const count = plan.changes.filter((change) => change.action === action).length;
    return count === 0 ? [] : [`${count} to ${action}`];
  });
  return counts.length === 0 ? "nothing changes" : `${counts.join(", ")}, ${plan.unchanged} unchanged`;
}

const SIGNS: Readonly<Record<Action, string>> = { delete: "-", replace: "!", update: "~", create: "+" };

/** A plan as text, for a log or a comment: a line for each resource, and below it what changes of it. */
export function planText({ changes, unchanged }: Plan): string {
  const lines = changes.flatMap(({ action, name, type, properties }: Change) => [
    `${SIGNS[action]} ${action.padEnd(7)} ${name} (${type})`,
    ...properties.map((property) => `          ${property}`),
  ]);
  return [...lines, `  ${counted(unchanged, "resource")} unchanged`].join("\n");
}

/**
 * Text that comes from others, as a block in which Markdown means nothing: whatever is in it, it is neither a link nor an
 * image, nobody is mentioned, and it does not end before its end.
 */
export function block(text: string, lines: number): string {
  const all = text.trim().split("\n");
  const shown = all.length <= lines + 1 ? all : [...all.slice(0, lines), `... and ${all.length - lines} lines more`];
  return ["```text", ...shown.map(harmless), "```"].join("\n");
}

/** Lines of logs can be of any length. */
const LONGEST_LINE = 400;

function harmless(line: string): string {
  const short = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} ...` : line;
  return (
    short
      .replace(/\t/g, "  ")
      // Also what turns the writing's direction, or shows nothing.
      .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "\u{fffd}")
      .replaceAll("`", "'")
      // An invisible sign between it and a name: the name can be read, and is nobody's.
      .replaceAll("@", "@\u{2060}")
  );
}
