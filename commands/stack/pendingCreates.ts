import type { PulumiCli } from "./pulumiCli";
import type { State } from "./state";

/**
 * Takes out of a stack's state what a killed Pulumi had begun to make. `up --refresh` does not look whether it was made:
 * it makes it again, and keeps the note of the first time.
 */
export async function forgetPendingCreates(
  pulumi: PulumiCli,
  { pending_operations: pending }: State,
  say: (line: string) => void,
): Promise<void> {
  const begun = (pending ?? []).filter(({ type }) => type === "creating");
  if (begun.length === 0) return;
  const names = begun.map(({ resource }) => resource.urn.split("::").slice(3).join("::"));
  say(
    `an interrupted Pulumi had begun to make ${names.join(", ")}: it is made again. ` +
      "If a service's name conflicts then, docs/many-hands.md says what to do",
  );
  await pulumi.output(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]);
}
