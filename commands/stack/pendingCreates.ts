import { z } from "zod";
import type { PulumiCli } from "./pulumiCli";

const exportSchema = z.object({
  deployment: z
    .object({
      pending_operations: z.array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) })).nullish(),
    })
    .nullish(),
});

/**
 * Takes out of a stack's state what a killed Pulumi had begun to make. `up --refresh` does not look whether it was made:
 * it makes it again, and keeps the note of the first time.
 */
export async function forgetPendingCreates(pulumi: PulumiCli, say: (line: string) => void): Promise<void> {
  const { deployment } = exportSchema.parse(JSON.parse(await pulumi.output(["stack", "export"])));
  const begun = (deployment?.pending_operations ?? []).filter(({ type }) => type === "creating");
  if (begun.length === 0) return;
  const names = begun.map(({ resource }) => resource.urn.split("::").slice(3).join("::"));
  say(
    `an interrupted Pulumi had begun to make ${names.join(", ")}: it is made again. ` +
      "If a service's name conflicts then, docs/many-hands.md says what to do",
  );
  await pulumi.output(["refresh", "--yes", "--skip-preview", "--clear-pending-creates"]);
}
