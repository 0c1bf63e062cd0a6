import { suggestion } from "../nearest";
import type { Path } from "../yaml";

/**
 * What is wrong with the names in `except`: unknown ones, and periods that take away themselves in the end.
 *
 * @param section periods by name, of all files; they need not be valid
 * @returns paths lead from the section
 */
export function referenceProblems(section: Readonly<Record<string, unknown>>): { path: Path; message: string }[] {
  const names = Object.keys(section);
  const problems: { path: Path; message: string }[] = [];
  const finished = new Set<string>();
  const follow = (name: string, before: readonly string[]): void => {
    if (finished.has(name)) return;
    const chain = [...before, name];
    exceptionsOf(section[name]).forEach((taken, index) => {
      const report = (message: string) => problems.push({ path: [name, "except", index], message });
      if (typeof taken !== "string") return;
      if (!Object.hasOwn(section, taken)) {
        report(`unknown period ${JSON.stringify(taken)}; ${suggestion(taken, names, "periods")}`);
      } else if (chain.includes(taken)) {
        report(`${JSON.stringify(taken)} ${circle(chain.slice(chain.indexOf(taken)))}`);
      } else {
        follow(taken, chain);
      }
    });
    finished.add(name);
  };
  for (const name of names) follow(name, []);
  return problems;
}

function exceptionsOf(period: unknown): readonly unknown[] {
  if (typeof period !== "object" || period === null || !("except" in period)) return [];
  return Array.isArray(period.except) ? period.except : [];
}

function circle(names: readonly string[]): string {
  if (names.length === 1) return "is this period itself, whose times cannot be taken away from it; remove the name";
  return `leads back here: ${[...names, names[0]].join(" -> ")}; remove one of these exceptions`;
}
