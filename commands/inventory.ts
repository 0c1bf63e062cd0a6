import { run } from "../generator/cli";

/**
 * `npm run inventory -- <command>`: checks an inventory, or shows what it becomes. Paths are relative to where npm was
 * called.
 *
 * @returns 0, 1 when the inventory has problems, 2 when the command line has
 */
export async function main(argv: readonly string[]): Promise<number> {
  return run(argv, {
    root: process.env["INIT_CWD"] ?? process.cwd(),
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}
