import { run } from "../generator/cli";
import { ROOT } from "./repository";

/**
 * `npm run inventory -- <command>`: checks an inventory, or shows what it becomes. Paths on the command
 * line are relative to where npm was called.
 *
 * @returns 0, 1 when the inventory has problems, 2 when the command line has
 */
export async function main(argv: readonly string[]): Promise<number> {
  return run(argv, {
    root: ROOT,
    cwd: process.env["INIT_CWD"] ?? process.cwd(),
    now: () => new Date(),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}
