import { posixPattern } from "./posixPattern";

/** What names may stand for. */
export interface Candidates<T> {
  /** In the order in which Nagios goes through them. */
  readonly all: readonly T[];
  readonly nameOf: (candidate: T) => string | undefined;
  readonly find: (name: string) => T | undefined;
  /** Wildcards pass over what is not registered; a name does not. */
  readonly isRegistered: (candidate: T) => boolean;
}

/** What a list of names stands for. */
export interface Expansion<T> {
  /** The last one first, as in Nagios. */
  readonly chosen: readonly T[];
  /** Named with a `!`. */
  readonly rejected: ReadonlySet<T>;
}

export interface Matching {
  readonly patterns: "none" | "where they look like one" | "always";
  /** Behind the first pattern of a list, Nagios takes hosts and contacts for patterns, too. @default false */
  readonly sticky?: boolean;
}

/** A name that matches nothing, or a pattern that is none. */
export class NoMatch extends Error {}

/**
 * Finds what a list of names stands for: names, `*` for all, `!name` for those to leave out, regular expressions where the
 * main file allows them.
 *
 * @throws NoMatch
 */
export function expand<T>(names: string, what: string, candidates: Candidates<T>, matching: Matching): Expansion<T> {
  const chosen = new Set<T>();
  const rejected = new Set<T>();
  let wasPattern = false;
  for (const name of names
    .split(",")
    .filter((part) => part !== "")
    .map((part) => part.trim())) {
    const isPattern: boolean = (matching.sticky === true && wasPattern) || isPatternIn(matching, name);
    wasPattern ||= isPattern;
    if (isPattern || name === "*") {
      const test = isPattern ? patternTest(name) : () => true;
      const found = candidates.all.filter((one) => test(candidates.nameOf(one)));
      if (isPattern && found.length === 0) throw new NoMatch(`no ${what} matches ${JSON.stringify(name)}`);
      for (const one of found) if (candidates.isRegistered(one)) chosen.add(one);
      continue;
    }
    const found = candidates.find(name.replace(/^!/, ""));
    if (found === undefined) throw new NoMatch(`there is no ${what} ${JSON.stringify(name.replace(/^!/, ""))}`);
    (name.startsWith("!") ? rejected : chosen).add(found);
  }
  return { chosen: [...chosen].reverse(), rejected };
}

/** Whether a name is a regular expression: the main file may say so of all, or of those with * ? + or \. in them. */
export function isPatternIn({ patterns }: Matching, name: string): boolean {
  return patterns === "always" || (patterns !== "none" && /[*?+]|\\\./.test(name));
}

/** A test of names by a pattern. @throws NoMatch if it is none */
export function patternTest(pattern: string): (name: string | undefined) => boolean {
  const compiled = posixPattern(pattern);
  if (compiled === undefined) throw new NoMatch(`not a regular expression: ${JSON.stringify(pattern)}`);
  return (name) => name !== undefined && compiled.test(name);
}
