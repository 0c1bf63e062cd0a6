import { benchGenerator } from "../bench/generator";
import { UserError } from "./userError";

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { generator: benchGenerator };

/**
 * `npm run bench -- <what> [arguments]`: measures a part of the stack on this machine and prints a table.
 *
 * @throws UserError for what nobody measures
 */
export async function main([what = "", ...args]: readonly string[]): Promise<number> {
  const bench = Object.hasOwn(BENCHES, what) ? BENCHES[what] : undefined;
  if (bench === undefined) throw new UserError(`say what to measure: ${Object.keys(BENCHES).join(", ")}`);
  await bench(args);
  return 0;
}
