/** What names of one kind of thing may be. */
export interface NameRules {
  readonly isAllowed: (name: string) => boolean;
  /** Characters that may stay; others become a hyphen. */
  readonly keep: RegExp;
  readonly longest: number;
  /** What a name starts with of which nothing is left, or that is not allowed otherwise. */
  readonly fallback: string;
  /** Names that differ in capitals only are two. @default they are one */
  readonly distinguishesCase?: boolean;
}

/** Letters that are more than a letter with a mark. */
const SPELLED: Readonly<Record<string, string>> = { ß: "ss", æ: "ae", Æ: "AE", ø: "o", Ø: "O", đ: "d", ł: "l", Ł: "L" };

/**
 * Names for the inventory: those of Nagios where they are allowed, and otherwise the nearest that is free.
 *
 * @param others names that are taken already
 * @returns Nagios's name -> the inventory's
 */
export function allowedNames(
  names: Iterable<string>,
  rules: NameRules,
  others: Iterable<string> = [],
): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  const taken = new Set([...others].map((name) => identity(name, rules)));
  const all = [...new Set(names)];
  const take = (name: string, chosen: string) => {
    taken.add(identity(chosen, rules));
    result.set(name, chosen);
  };
  // Those that can stay come first, so that none has to give way to one that cannot.
  for (const name of all) if (rules.isAllowed(name) && !taken.has(identity(name, rules))) take(name, name);
  for (const name of all) if (!result.has(name)) take(name, freeName(name, rules, taken));
  return result;
}

/** A name that is allowed and free, as near to another one as can be. @param taken as `identity` makes them */
export function freeName(name: string, rules: NameRules, taken: ReadonlySet<string>): string {
  const near = nearestAllowed(name, rules);
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? "" : `-${number}`;
    const candidate = `${trimmed(near.slice(0, rules.longest - suffix.length))}${suffix}`;
    if (!taken.has(identity(candidate, rules)) && rules.isAllowed(candidate)) return candidate;
  }
}

/** What two names have in common that are the same one. */
export function identity(name: string, { distinguishesCase }: NameRules): string {
  return distinguishesCase === true ? name : name.toLowerCase();
}

function nearestAllowed(name: string, rules: NameRules): string {
  const spelled = name.replace(/[ßæÆøØđłŁ]/g, (letter) => SPELLED[letter] ?? letter);
  const plain = spelled.normalize("NFD").replace(/\p{Mn}/gu, "");
  const kept = trimmed(
    [...plain]
      .map((letter) => (rules.keep.test(letter) ? letter : "-"))
      .join("")
      .replace(/-{2,}/g, "-"),
  );
  if (kept !== "" && rules.isAllowed(kept.slice(0, rules.longest))) return kept;
  return kept === "" ? rules.fallback : `${rules.fallback}-${kept}`;
}

function trimmed(name: string): string {
  return name.replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}
