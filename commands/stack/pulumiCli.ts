import { spawn, type StdioOptions } from "node:child_process";
import { createInterface } from "node:readline";
import { ensurePulumi } from "../../toolchain/pulumi";
import { LOCAL_STACK_ENV } from "./localStack";
import { LOCAL_STACK, ROOT } from "../repository";
import { explainLock } from "./lock";
import { explained, UserError } from "../userError";

/** How a command of Pulumi's ended. */
export interface PulumiResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Pulumi's command line, for one stack. */
export class PulumiCli {
  /**
   * @param program the executable
   * @param env the environment to run it with
   * @param folder where the project's and the stack's files stand
   */
  constructor(
    readonly program: string,
    private readonly env: NodeJS.ProcessEnv,
    readonly stack: string,
    private readonly folder: string = ROOT,
  ) {}

  /**
   * Runs a command on the stack and returns its standard output.
   *
   * @param stdin what the command reads: the way for secrets, which must not be arguments
   * @throws UserError with Pulumi's own words when it fails
   */
  async output(args: readonly string[], stdin = ""): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(args, stdin);
    if (code === 0) return stdout;
    const words = (stderr.trim() || stdout.trim()).replace(/^error: /, "");
    const lock = explainLock(this.stack, stderr, { now: new Date() });
    throw new UserError([`pulumi ${args.join(" ")}, stack ${this.stack}: ${words}`, lock ?? []].flat().join("\n"));
  }

  /** Runs a command on the stack that may fail. */
  attempt(args: readonly string[], stdin = ""): Promise<PulumiResult> {
    return this.#run([...args, "--non-interactive"], "pipe", stdin);
  }

  /** Runs a command on the stack in front of the user; explains a lock that it met. @returns its exit code */
  async inFrontOfUser(args: readonly string[]): Promise<number> {
    // On a terminal Pulumi draws a table that stays readable; elsewhere it writes lines, most of them of no interest.
    const { code, stderr } = process.stdout.isTTY
      ? await this.#run(args, ["inherit", "inherit", "pipe"], "", undefined, (text) => process.stderr.write(text))
      : await this.#run(args, ["ignore", "pipe", "pipe"], "", sayNews, (text) => process.stderr.write(text));
    const lock = code === 0 ? undefined : explainLock(this.stack, stderr, { now: new Date() });
    if (lock !== undefined) console.error(`\n${lock}`);
    return code;
  }

  #run(
    args: readonly string[],
    stdio: StdioOptions,
    stdin = "",
    onLine?: (line: string) => void,
    onError?: (text: string) => void,
  ): Promise<PulumiResult> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.program, [...args, "--stack", this.stack], {
        cwd: this.folder,
        env: this.env,
        stdio,
      });
      // Ctrl-C reaches Pulumi as well, which needs its time to end in order; leaving before it would only hide that.
      const wait = (): void => undefined;
      const cancel = (): boolean => child.kill("SIGINT");
      process.on("SIGINT", wait).on("SIGTERM", cancel);
      let stdout = "";
      let stderr = "";
      if (child.stdout && onLine) createInterface({ input: child.stdout }).on("line", onLine);
      else child.stdout?.on("data", (data: Buffer) => (stdout += data.toString()));
      child.stderr?.on("data", (data: Buffer) => {
        stderr += data.toString();
        onError?.(data.toString());
      });
      child.stdin?.on("error", () => undefined).end(stdin);
      child.on("error", (error) => reject(new UserError(`cannot run ${this.program}: ${error.message}`)));
      child.on("close", (code) => {
        process.off("SIGINT", wait).off("SIGTERM", cancel);
        resolve({ code: code ?? 1, stdout, stderr });
      });
    });
  }
}

function sayNews(line: string): void {
  if (!isNoise(line)) console.log(line);
}

/** Whether a line of Pulumi's output only says that something was looked at and is as it should be. */
export function isNoise(line: string): boolean {
  const refreshed = /^ ~ {2}\S+:\S+:\S+ \S+ refresh(ing)? \([\d.]+m?s\)\s*$/;
  const unchanged = /^ {4}\S+:\S+:\S+ \S+\s*$/;
  return refreshed.test(line) || unchanged.test(line);
}

/**
 * Pulumi for a stack: the local one with its own backend and passphrase, any other as the user's environment says.
 * Gets Pulumi if the machine has none.
 *
 * @param place the folder where the project's and the stack's files stand, and what the environment needs for it.
 *   @default this project's
 */
export async function pulumiFor(
  stack: string,
  say: (line: string) => void,
  place: { readonly folder: string; readonly env: NodeJS.ProcessEnv } = { folder: ROOT, env: {} },
): Promise<PulumiCli> {
  const { pulumi, env } = await explained(ensurePulumi(say));
  const own = stack === LOCAL_STACK ? LOCAL_STACK_ENV : place.env;
  return new PulumiCli(pulumi, { ...env, ...own }, stack, place.folder);
}
