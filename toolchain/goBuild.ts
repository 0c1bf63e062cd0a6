import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cachePath, installPackages, type Say } from "./hostCommand";
import { type Part, sourceHash } from "./parts";
import { atLeast, onPath, run } from "./run";

/** Oldest Go that builds every part, and the release that is fetched where there is none. */
const oldestGo = "1.26";
const fetchedGo = "1.26.6";

/** Where the part's executable is once it has been built from the sources as they are now. */
export function builtFile(part: Part): string {
  return cachePath("toolchain", `${part.folder}-${part.version}-${sourceHash(part)}`, part.file);
}

/** Builds a part unless the cache has it; returns the executable's path in the cache. */
export async function build(part: Part, say: Say): Promise<string> {
  const target = builtFile(part);
  if (existsSync(target)) {
    say(`${part.name} ${part.version}: taking the earlier build in ${target}`);
    return target;
  }
  const go = await findGo(say);
  say(`${part.name} ${part.version}: building it from Go modules into ${target}, which may take minutes`);
  const started = Date.now();
  // The name does not depend on the process: what an interrupted build left is removed by the next one.
  const temporary = cachePath("toolchain", `.tmp-${part.folder}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    await run(go.file, ["build", "-v", "-trimpath", "-o", join(temporary, part.file), ...part.buildArgs], {
      cwd: join(__dirname, part.folder),
      env: go.env,
      progress: (seconds, lines) => {
        say(`  ${part.name}: ${String(seconds)} s, ${String(lines)} modules and packages`);
      },
    });
    const folder = join(target, "..");
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  say(`${part.name} ${part.version}: built in ${String(Math.round((Date.now() - started) / 1000))} s`);
  return target;
}

/** A Go that builds every part, and the environment to run it with. */
export interface Go {
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

function goEnvironment(toolchain: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    // The build must not depend on the machine's C compiler, nor on settings meant for other projects.
    CGO_ENABLED: "0",
    GOFLAGS: "-mod=readonly -buildvcs=false",
    GOWORK: "off",
    GO111MODULE: "on",
    GOTOOLCHAIN: toolchain,
  };
  delete env["GOROOT"];
  delete env["GOOS"];
  delete env["GOARCH"];
  return env;
}

async function goVersion(file: string, env: NodeJS.ProcessEnv): Promise<string> {
  const text = await run(file, ["version"], { env, cwd: tmpdir() });
  return /\bgo(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? "0";
}

/** Finds a Go that is new enough, or gets one. */
export async function findGo(say: Say): Promise<Go> {
  const local = goEnvironment("local");
  const installed: { file: string; version: string }[] = [];
  for (const file of onPath("go", ["/usr/local/go/bin"])) {
    const version = await goVersion(file, local);
    if (atLeast(version, oldestGo)) {
      return { file, env: local };
    }
    installed.push({ file, version });
  }
  const [newest] = installed.sort(
    (a, b) => Number(atLeast(b.version, a.version)) - Number(atLeast(a.version, b.version)),
  );
  if (newest === undefined) {
    await installGo(say);
    return await findGo(say);
  }
  const { file, version } = newest;
  say(`Go ${version} (${file}) is too old to build with: fetching Go ${fetchedGo} into its module cache`);
  if (atLeast(version, "1.21")) {
    const env = goEnvironment(`go${fetchedGo}`);
    await goVersion(file, env);
    return { file, env };
  }
  return { file: await fetchToolchain(file, local), env: local };
}

/** Go releases before 1.21 cannot change to a newer one by themselves, but download it like any other module. */
async function fetchToolchain(go: string, env: NodeJS.ProcessEnv): Promise<string> {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const module = `golang.org/toolchain@v0.0.1-go${fetchedGo}.${process.platform}-${arch}`;
  const empty = mkdtempSync(join(tmpdir(), "icinga-swarm-go-"));
  try {
    const answer = await run(go, ["mod", "download", "-json", module], { cwd: empty, env: { ...env, GOFLAGS: "" } });
    const { Dir: folder } = JSON.parse(answer) as { Dir: string };
    // Modules carry no file modes.
    const tools = join(folder, "pkg", "tool");
    for (const programs of [join(folder, "bin"), ...readdirSync(tools).map((name) => join(tools, name))]) {
      for (const name of readdirSync(programs)) {
        chmodSync(join(programs, name), 0o755);
      }
    }
    return join(folder, "bin", "go");
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

async function installGo(say: Say): Promise<void> {
  await installPackages(["golang-go"], "Pulumi has to be built here, and there is no Go", say);
  if (onPath("go").length === 0) {
    throw new Error("golang-go is installed, but there is still no `go` on PATH");
  }
}
