import { run } from "../../generator/cli";
import { PROJECT, ROOT } from "../repository";
import { readStackConfig } from "../stack/stackFile";

/** What the inventory's commands end with where they were not told enough. */
const SAID_TOO_LITTLE = 2;

/**
 * What has changed for monitoring since a commit, as text; what is wrong with the inventory, where something is.
 *
 * @param base where the pull request began
 */
export async function inventoryDifference(stack: string, base: string): Promise<string> {
  let text = "";
  const say = (part: string): void => void (text += part);
  const around = { root: ROOT, cwd: ROOT, now: () => new Date(), out: say, err: say };
  const code = await run(["diff", base, "--stack", stack], around);
  // Only then: a file that cannot be read has been explained.
  if (code === SAID_TOO_LITTLE && pullsInventory(stack)) {
    return `The inventory is in its own repository (${PROJECT}:generator.git), where its changes are reviewed.\n`;
  }
  return text;
}

function pullsInventory(stack: string): boolean {
  const config = readStackConfig(stack);
  const generator = config[`${PROJECT}:generator`] as { readonly git?: unknown } | undefined;
  return !config[`${PROJECT}:inventory`] && Boolean(generator?.git);
}
