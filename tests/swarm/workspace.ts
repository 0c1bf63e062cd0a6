import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { dump, load } from "js-yaml";
import { ensurePulumi } from "../../toolchain/pulumi";

const ROOT = path.resolve(__dirname, "../..");

/** What a command printed and how it ended. */
export interface Result {
  readonly code: number;
  readonly output: string;
}

/** The plain and encrypted settings of a stack's file. */
export type StackConfig = Record<string, unknown>;

/** What the machine has that commands are run on. */
export interface Surroundings {
  /** In their environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A program, with its arguments, that runs them. */
  readonly launcher?: readonly string[];
}

/** A copy of the project to run commands in as an operator would, against one Docker Engine. */
export class Workspace {
  private constructor(
    readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly launcher: readonly string[],
  ) {}

  /** Copies what git knows of the project, and its packages. */
  static async create(dockerHost: string, surroundings: Surroundings = {}): Promise<Workspace> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "icinga-swarm-workspace-"));
    await mustRun(
      "bash",
      ["-c", `git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$1"`, "-", folder],
      {
        cwd: ROOT,
      },
    );
    // Hard links: only new files are ever written there.
    await mustRun("cp", ["-al", path.join(ROOT, "node_modules"), folder], { cwd: ROOT });
    const { env } = await ensurePulumi(() => undefined);
    const own = {
      DOCKER_HOST: dockerHost,
      PULUMI_BACKEND_URL: `file://${folder}/.local/state`,
      PULUMI_CONFIG_PASSPHRASE_FILE: path.join(folder, ".local", "passphrase"),
      NO_COLOR: "1",
    };
    return new Workspace(folder, { ...env, ...own, ...surroundings.env }, surroundings.launcher ?? []);
  }

  /** The same folder, with some variables of the environment otherwise: name -> what becomes of its value. */
  with(changes: Readonly<Record<string, (value: string) => string>>): Workspace {
    const changed = Object.entries(changes).map(([name, change]) => [name, change(this.env[name] ?? "")]);
    return new Workspace(this.folder, { ...this.env, ...Object.fromEntries(changed) }, this.launcher);
  }

  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a command as typed; prints what it prints when it fails unexpectedly. */
  run(...command: readonly string[]): Promise<Result> {
    return this.answering("", ...command);
  }

  /** The same for a command that asks. @param input what it reads */
  answering(input: string, ...command: readonly string[]): Promise<Result> {
    const [file = "", ...args] = [...this.launcher, ...command];
    return run(file, args, { cwd: this.folder, env: this.env }, input);
  }

  /** `pulumi <arguments>` on the stack `local`. */
  pulumi(...args: readonly string[]): Promise<Result> {
    return this.run("pulumi", ...args, "--stack", "local", "--non-interactive");
  }

  /** `pulumi up` that has to work. */
  async up(): Promise<string> {
    return succeeded(await this.tryUp());
  }

  /** `pulumi up` that may fail. */
  tryUp(): Promise<Result> {
    return this.pulumi("up", "--yes", "--skip-preview");
  }

  read(file: string): string {
    return fs.readFileSync(path.join(this.folder, file), "utf8");
  }

  /** The files right in a folder: name -> text. */
  readFolder(folder: string): Record<string, string> {
    const files = fs.readdirSync(path.join(this.folder, folder), { withFileTypes: true });
    const names = files.filter((file) => file.isFile()).map(({ name }) => name);
    return Object.fromEntries(names.map((name) => [name, this.read(path.join(folder, name))]));
  }

  write(file: string, text: string): void {
    const target = path.join(this.folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }

  /** Whether it is there or not. */
  delete(file: string): void {
    fs.rmSync(path.join(this.folder, file), { force: true });
  }

  /** A setting of a stack, by its key without `icinga-swarm:`. */
  setting(key: string, stack = "local"): unknown {
    const { config } = load(this.read(`Pulumi.${stack}.yaml`)) as { config: StackConfig };
    return config[`icinga-swarm:${key}`];
  }

  /** Changes a stack's settings (keys without `icinga-swarm:`); undefined takes a key away. */
  configure(changes: Readonly<Record<string, unknown>>, stack = "local"): void {
    const file = `Pulumi.${stack}.yaml`;
    const document = load(this.read(file)) as { config: StackConfig };
    const own = Object.entries(changes).map(([key, value]) => [`icinga-swarm:${key}`, value]);
    const config = Object.entries({ ...document.config, ...Object.fromEntries(own) });
    document.config = Object.fromEntries(config.filter(([, value]) => value !== undefined));
    this.write(file, dump(document));
  }
}

/** The output of a command that has to end well. */
export function succeeded({ code, output }: Result): string {
  if (code !== 0) {
    throw new Error(`exit code ${code}:\n${output}`);
  }
  return output;
}

/** The output of a command that has to fail. */
export function failed({ code, output }: Result): string {
  if (code === 0) {
    throw new Error(`should have failed:\n${output}`);
  }
  return output;
}

async function mustRun(file: string, args: readonly string[], options: { cwd: string }): Promise<void> {
  succeeded(await run(file, args, options));
}

function run(
  file: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
  input = "",
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.on("error", () => undefined).end(input);
    let output = "";
    const append = (data: Buffer): void => {
      output += data.toString();
    };
    child.stdout.on("data", append);
    child.stderr.on("data", append);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** Tries until it returns something other than undefined or false, and no longer throws. */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  const limit = Date.now() + seconds * 1000;
  let last: unknown = "nothing yet";
  while (Date.now() < limit) {
    try {
      const result = await attempt();
      if (result !== undefined && result !== false) {
        return result;
      }
      last = "not yet";
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${what}: not within ${seconds} s (${last instanceof Error ? last.message : String(last)})`);
}
