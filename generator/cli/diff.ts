import * as path from "node:path";
import { compareInventories } from "../diff";
import { diffMarkdown, diffText } from "../diffText";
import type { Site } from "../inventory";
import { type Reading, readClosely } from "../reading";
import type { Call, Command, Surroundings } from "./command";
import { Commit } from "./git";
import {
  choose,
  findSource,
  inventoryOfStack,
  type Named,
  refuse,
  SOURCE_OPTIONS,
  type Source,
  validLocations,
  validReading,
} from "./source";

/** What --exit-code ends with where there are differences. */
const DIFFERENT = 3;

export const diff: Command = {
  summary: "says what a change means for monitoring: since a commit, up to the files as they are now",
  details: `Compares the inventory and the locations at a branch, tag or commit with those in front of you: hosts and
services that come, go, move and change, who is told no more or from now on, and contacts, rules and
periods that change. In a pull request compare with where it began: diff "$(git merge-base origin/main HEAD)".

Both sides must be without problems: those of the old one are named as <git ref>:<file>:<line>:<column>.
A stack that the commit does not have yet is taken for an empty one.`,
  operands: ["<git ref>"],
  options: {
    ...SOURCE_OPTIONS,
    markdown: { text: "write Markdown, for a comment on a pull request" },
    "exit-code": { text: `end with ${DIFFERENT} if there is a difference, and with 0 only if there is none` },
  },
  examples: ["diff main --stack prod", "diff HEAD~1 --stack prod --markdown"],
  run: async (call, around) => {
    const source = findSource(call, around);
    const after = validReading(source, around);
    const parts = compareInventories(await readingAt(call, source, around), after);
    const title = `${source.dir.shown}, ${call.operands[0]} -> now`;
    around.out(call.options["markdown"] === undefined ? diffText(title, parts) : diffMarkdown(title, parts));
    return parts.length > 0 && call.options["exit-code"] !== undefined ? DIFFERENT : 0;
  },
};

/**
 * The inventory at the commit that the user names.
 *
 * @param now the one of today, for what the commit's repository does not have
 * @throws UsageError, InvalidInventory
 */
async function readingAt(call: Call, now: Source, around: Surroundings): Promise<Reading> {
  const [ref = ""] = call.operands;
  const { stack, inventory, locations } = choose(call, around);
  const commit = await Commit.find(ref, (inventory ?? (stack as Named)).path);
  const stackThen = stack === undefined ? undefined : await commit.text(stack.path);
  if (inventory === undefined && stackThen === undefined) return readClosely({}, []).reading;
  const atRef = (shown: string) => ({ shown: `${ref}:${shown}` });
  const dir = inventory ?? inventoryOfStack(atRef((stack as Named).shown), stackThen ?? "", around);
  const sites = await locationsAt(commit, locations, now.locations, atRef(locations.shown), around);
  const { files, problems } = (await commit.inventory(dir.path)) ?? { files: {}, problems: [] };
  const named = (file: string) => `${ref}:${path.join(dir.shown, file)}`;
  const all = Object.fromEntries(Object.entries(files).map(([file, text]) => [named(file), text]));
  const result = readClosely(all, sites);
  const found = [...problems.map((problem) => ({ ...problem, file: named(problem.file) })), ...result.problems];
  if (found.length > 0) throw refuse(found, around);
  return result.reading;
}

/** Locations may stand outside of the inventory's repository: then they are those of today. */
async function locationsAt(
  commit: Commit,
  file: Named,
  today: readonly Site[],
  shown: Pick<Named, "shown">,
  around: Surroundings,
): Promise<readonly Site[]> {
  const text = await commit.text(file.path);
  return text === undefined ? today : validLocations(shown, text, around);
}
