import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findGo } from "../../toolchain/goBuild";
import { ROOT } from "../repository";

/** How many tests of a suite passed and failed. A suite that could not be run to its end counts as a failed test. */
export interface Result {
  readonly passed: number;
  readonly failed: number;
}

/** One suite of `npm test`. */
export interface Suite {
  readonly name: string;
  /** Programs it needs. */
  readonly programs: readonly Program[];
  /** What it needs besides, which takes minutes to make the first time. */
  readonly needs: readonly Need[];
  /** Runs it in front of the user. */
  readonly run: () => Promise<Result>;
}

/** Pulumi with its plugins, or the test engines' images. */
export type Need = "pulumi" | "test images";

/** A program of the machine, and the Debian package that brings it. */
export interface Program {
  readonly name: string;
  readonly package: string;
}

const SHELLCHECK: Program = { name: "shellcheck", package: "shellcheck" };
const OPENSSL: Program = { name: "openssl", package: "openssl" };
const PYTHON: Program = { name: "python3", package: "python3" };
const ENGINE: readonly Program[] = [
  { name: "dockerd", package: "docker.io" },
  { name: "ip", package: "iproute2" },
  { name: "iptables", package: "iptables" },
  { name: "nsenter", package: "util-linux" },
];

const CHROMIUM: Program = { name: "chromium", package: "chromium" };
const SSH: readonly Program[] = [
  { name: "ssh", package: "openssh-client" },
  { name: "sshd", package: "openssh-server" },
];

/** All suites, the quick ones first: what is wrong should show as soon as possible. */
export const SUITES: readonly Suite[] = [
  { name: "format", programs: [], needs: [], run: () => tool("prettier", ["--check", "."]) },
  { name: "lint", programs: [], needs: [], run: () => tool("eslint", [".", "--max-warnings", "0"]) },
  { name: "types", programs: [], needs: [], run: () => tool("tsc", ["--noEmit"]) },
  { name: "toolchain", programs: [], needs: [], run: goTests },
  { name: "unit", programs: [SHELLCHECK, OPENSSL, PYTHON], needs: [], run: () => jest("unit") },
  {
    name: "images",
    programs: [SHELLCHECK, CHROMIUM, OPENSSL, ...ENGINE],
    needs: ["test images"],
    run: () => jest("images", "--maxWorkers=2"),
  },
  {
    name: "swarm",
    programs: [CHROMIUM, ...ENGINE, ...SSH],
    needs: ["pulumi", "test images"],
    run: () => jest("swarm", "--runInBand"),
  },
];

/** One of the npm packages' tools counts as one test. */
async function tool(name: string, args: readonly string[]): Promise<Result> {
  const code = await inFrontOfUser(process.execPath, [join(ROOT, "node_modules", ".bin", name), ...args]);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** @param workers how many of its files run at a time, as jest is told */
async function jest(project: string, ...workers: readonly string[]): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
  const outputFile = join(directory, "results.json");
  try {
    const args = ["--config", "tests/jest.config.js", "--selectProjects", project, "--ci", "--json"];
    const code = await inFrontOfUser(process.execPath, [
      join(ROOT, "node_modules", ".bin", "jest"),
      ...args,
      `--outputFile=${outputFile}`,
      // Tests of containers take long, so each result is shown as it comes.
      ...(project === "unit" ? [] : ["--reporters=default", `--reporters=${join(ROOT, "tests/liveReporter.js")}`]),
      ...workers,
    ]);
    return countJest(existsSync(outputFile) ? readFileSync(outputFile, "utf8") : undefined, code);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param results what jest wrote; undefined when it crashed before that
 * @param code its exit code
 */
export function countJest(results: string | undefined, code: number): Result {
  if (results === undefined) return { passed: 0, failed: 1 };
  const counts = JSON.parse(results) as Record<string, number>;
  // A file that cannot be loaded has no tests that could fail.
  const failed = (counts.numFailedTests ?? 0) + (counts.numRuntimeErrorTestSuites ?? 0);
  const passed = counts.numPassedTests ?? 0;
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

/** The tests of the Go programs in toolchain/. */
async function goTests(): Promise<Result> {
  const folders = readdirSync(join(ROOT, "toolchain"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(ROOT, "toolchain", name))
    .filter((folder) => readdirSync(folder).some((file) => file.endsWith("_test.go")));
  const go = await findGo((line) => console.log(line));
  const results: Result[] = [];
  for (const folder of folders) {
    let output = "";
    const code = await run(go.file, ["test", "-v", "./..."], { cwd: folder, env: go.env }, (text) => {
      process.stdout.write(text);
      output += text;
    });
    results.push(countGo(output, code));
  }
  return sum(results);
}

/** Counts the top-level tests in the output of `go test -v`. */
export function countGo(output: string, code: number): Result {
  const count = (word: string): number => output.match(new RegExp(`^--- ${word}: `, "gm"))?.length ?? 0;
  const failed = count("FAIL");
  return { passed: count("PASS"), failed: failed === 0 && code !== 0 ? 1 : failed };
}

export function sum(results: readonly Result[]): Result {
  return {
    passed: results.reduce((total, { passed }) => total + passed, 0),
    failed: results.reduce((total, { failed }) => total + failed, 0),
  };
}

function inFrontOfUser(program: string, args: readonly string[]): Promise<number> {
  return run(program, args, { cwd: ROOT, env: process.env });
}

/** @param onOutput gets what the program writes; without it the program writes to the user's terminal */
function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
  onOutput?: (text: string) => void,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: onOutput ? ["ignore", "pipe", "pipe"] : "inherit" });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data: Buffer) => onOutput?.(data.toString()));
    child.on("error", (error) => {
      console.error(`cannot run ${program}: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => resolve(code ?? 1));
  });
}
