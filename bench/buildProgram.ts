import { build } from "esbuild-wasm";
import { join } from "node:path";
import { ROOT } from "../commands/repository";

/**
 * Makes one JavaScript file out of a TypeScript program and its libraries, as the generator's image does: a process that
 * compiles itself would be measured with its compiler.
 *
 * @param program path in the repository
 * @param file where to write it
 */
export async function buildProgram(program: string, file: string): Promise<void> {
  await build({
    entryPoints: [join(ROOT, program)],
    bundle: true,
    platform: "node",
    target: "node20",
    logLevel: "error",
    outfile: file,
  });
}
