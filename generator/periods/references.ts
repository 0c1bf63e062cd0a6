import { suggestion } from "../nearest";
import type { Path } from "../yaml";

/** What of a period is needed to follow its references. */
type Referring = { readonly except?: readonly string[] | undefined };

/**
 * What is wrong with the names in `except`: unknown ones, and periods that take away themselves in the end.
 *
 * @param periods the whole section; of periods that are not valid, what is known of them
 * @returns paths lead from the section
 */
export function referenceProblems(periods: Readonly<Record<string, Referring>>): { path: Path; message: string }[] {
  const names = Object.keys(periods);
  const problems: { path: Path; message: string }[] = [];
  const finished = new Set<string>();
  const follow = (name: string, chain: readonly string[]): void => {
    if (finished.has(name)) return;
    (periods[name]?.except ?? []).forEach((taken, index) => {
      const report = (message: string) => problems.push({ path: [name, "except", index], message });
      const above = [...chain, name];
      if (!Object.hasOwn(periods, taken)) {
        report(`unknown period ${JSON.stringify(taken)}; ${suggestion(taken, names, "periods")}`);
      } else if (above.includes(taken)) {
        report(`${JSON.stringify(taken)} ${circle(above.slice(above.indexOf(taken)))}`);
      } else {
        follow(taken, above);
      }
    });
    finished.add(name);
  };
  for (const name of names) follow(name, []);
  return problems;
}

function circle(names: readonly string[]): string {
  if (names.length === 1) return "is this period itself, whose times cannot be taken away from it; remove the name";
  return `leads back here: ${[...names, names[0]].join(" -> ")}; remove one of these exceptions`;
}
