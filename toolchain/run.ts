import { spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Says every 10 s that the step goes on: `progress(seconds, lines written so far)`. */
  readonly progress?: (seconds: number, lines: number) => void;
}

/** Runs a program to its end; returns its stdout, or throws an error that ends with the last lines it wrote. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const started = Date.now();
  const stdout: string[] = [];
  const last: string[] = [];
  let lines = 0;
  const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: ["ignore", "pipe", "pipe"] });
  const keep = (line: string): void => {
    lines += 1;
    last.push(line);
    last.splice(0, last.length - 20);
  };
  createInterface(child.stdout).on("line", (line) => {
    stdout.push(line);
    keep(line);
  });
  createInterface(child.stderr).on("line", keep);
  const timer = setInterval(() => {
    options.progress?.(Math.round((Date.now() - started) / 1000), lines);
  }, 10_000);
  try {
    const ended = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        resolve(code === 0 ? "" : `ended with ${signal ?? `exit code ${String(code)}`}`);
      });
    });
    if (ended !== "") {
      throw new Error([`${file} ${args.join(" ")}: ${ended}`, ...last].join("\n"));
    }
    return stdout.join("\n");
  } finally {
    clearInterval(timer);
  }
}

/** All executables of this name on PATH, first one first. */
export function onPath(name: string, extra: readonly string[] = []): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const found = [...folders, ...extra].map((folder) => join(folder, name)).filter(isExecutable);
  return [...new Set(found)];
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Is version `a` at least version `b`? Both are dotted numbers; what follows a hyphen is ignored. */
export function atLeast(a: string, b: string): boolean {
  const numbers = (version: string): number[] =>
    version
      .replace(/[-+].*$/, "")
      .split(".")
      .map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (const [index, wanted] of right.entries()) {
    const actual = left[index] ?? 0;
    if (actual !== wanted) {
      return actual > wanted;
    }
  }
  return true;
}
