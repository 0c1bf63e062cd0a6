import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { build } from "./goBuild";
import { cachePath, type Say } from "./hostCommand";
import { withLock } from "./lock";
import {
  engine,
  languageHost,
  languageHostOfSdk,
  npmVersion,
  type Part,
  type Plugin,
  plugins,
  sourceHash,
} from "./parts";
import { atLeast, isExecutable, onPath, run } from "./run";
import { downloadEngine, vendorProblem } from "./vendor";

type Origin = "official download" | "already installed" | "built from Go modules";

export interface PulumiPart {
  readonly name: string;
  readonly version: string;
  readonly origin: string;
  readonly path: string;
}

export interface PulumiToolchain {
  /** Environment to run `pulumi` with: the engine in use comes first on PATH, and nothing is fetched while it runs. */
  readonly env: NodeJS.ProcessEnv;
  /** Absolute path of the pulumi CLI in use. */
  readonly pulumi: string;
  /** Engine, language host, docker and command provider. */
  readonly parts: readonly PulumiPart[];
}

/**
 * Finds or gets Pulumi's engine, its Node.js language host, and the docker and command providers at the versions that
 * the npm packages ask for. What is missing is downloaded from the vendor or, where the vendor does not answer, built
 * from Go modules. `say` gets a line before anything is installed, and one every 10 s in long steps.
 */
export async function ensurePulumi(say: Say): Promise<PulumiToolchain> {
  let parts = complete(await inspect());
  if (parts === undefined) {
    // Another process may be doing the same: look again once it is our turn.
    parts = await withLock(cachePath("toolchain", "lock"), say, async () => {
      await install(await inspect(), say);
      return complete(await inspect());
    });
  }
  if (parts === undefined) {
    throw new Error(`Pulumi was installed, but is not found in ${binFolder()} and ${pluginsFolder()}`);
  }
  const pulumi = parts[0].path;
  return {
    pulumi,
    env: {
      ...process.env,
      PATH: [dirname(pulumi), process.env["PATH"] ?? ""].join(delimiter),
      // Pulumi takes the home from the user database, not from $HOME: both must mean the same plugins.
      PULUMI_HOME: pulumiHome(),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_IGNORE_AMBIENT_PLUGINS: "true",
    },
    parts,
  };
}

interface Engine {
  readonly found: PulumiPart;
  readonly languageHost: PulumiPart;
}

interface State {
  readonly engine: Engine | undefined;
  readonly plugins: readonly { readonly plugin: Plugin; readonly found: PulumiPart | undefined }[];
}

/** Everything in use, or undefined while something is missing. */
function complete(state: State): readonly [PulumiPart, ...PulumiPart[]] | undefined {
  const providers = state.plugins.flatMap((entry) => entry.found ?? []);
  return state.engine === undefined || providers.length < state.plugins.length
    ? undefined
    : [state.engine.found, state.engine.languageHost, ...providers];
}

async function inspect(): Promise<State> {
  return {
    engine: await findEngine(),
    plugins: plugins().map((plugin) => ({ plugin, found: findPlugin(plugin) })),
  };
}

function pulumiHome(): string {
  const home = process.env["PULUMI_HOME"];
  return home === undefined || home === "" ? join(homedir(), ".pulumi") : home;
}

const binFolder = (): string => join(pulumiHome(), "bin");
const pluginsFolder = (): string => join(pulumiHome(), "plugins");
const pluginFolder = (plugin: Plugin): string => join(pluginsFolder(), `resource-${plugin.plugin}-v${plugin.version}`);

/** The first engine that is at least as new as the npm package and has a Node.js language host beside it. */
async function findEngine(): Promise<Engine | undefined> {
  for (const path of onPath("pulumi", [binFolder()])) {
    const host = [dirname(path), dirname(realpathSync(path))]
      .map((folder) => join(folder, "pulumi-language-nodejs"))
      .find(isExecutable);
    if (host === undefined || !isCurrent(engine(), path) || !isCurrent(languageHost(), host)) {
      continue;
    }
    const version = await run(path, ["version"]).then(
      (text) => text.trim().replace(/^v/, ""),
      () => "0",
    );
    if (atLeast(version, npmVersion("@pulumi/pulumi"))) {
      const hostNote = noteOf(host);
      return {
        found: { name: "engine", version, origin: noteOf(path)?.origin ?? "already installed", path },
        languageHost: {
          name: "Node.js language host",
          version: hostNote?.version ?? version,
          origin: hostNote?.origin ?? "already installed",
          path: host,
        },
      };
    }
  }
  return undefined;
}

function findPlugin(plugin: Plugin): PulumiPart | undefined {
  const path = join(pluginFolder(plugin), plugin.file);
  // Pulumi leaves this mark beside a plugin whose installation did not end.
  if (!isExecutable(path) || existsSync(`${pluginFolder(plugin)}.partial`) || !isCurrent(plugin, path)) {
    return undefined;
  }
  return { name: plugin.name, version: plugin.version, origin: noteOf(path)?.origin ?? "already installed", path };
}

async function install(state: State, say: Say): Promise<void> {
  let problem: string | undefined | null = null;
  const whyNotVendor = async (): Promise<string | undefined> => {
    if (problem === null) {
      problem = await vendorProblem(say);
    }
    return problem;
  };
  const said = new Set<string>();
  /** Tries the download; says why and builds if it cannot be had. */
  const downloadOr = async (download: () => Promise<void>, fallback: () => Promise<void>): Promise<void> => {
    let reason = await whyNotVendor();
    if (reason === undefined) {
      try {
        await download();
        return;
      } catch (error) {
        reason = (error instanceof Error ? error.message : String(error)).split("\n").at(-1) ?? "";
      }
    }
    if (!said.has(reason)) {
      said.add(reason);
      say(`Pulumi's download site cannot be used (${reason})`);
    }
    await fallback();
  };

  if (state.engine === undefined) {
    const part = engine();
    say(
      `Pulumi ${part.version} (engine and Node.js language host) is missing or outdated: installing it into ${binFolder()}`,
    );
    await downloadOr(
      () => installEngineDownload(part, say),
      async () => {
        for (const built of [languageHostOfSdk(), languageHost(), part]) {
          installBuilt(built, await build(built, say));
        }
      },
    );
  }
  const ready = await findEngine();
  for (const { plugin } of state.plugins.filter((entry) => entry.found === undefined)) {
    if (ready === undefined) {
      return;
    }
    const cli = ready.found.path;
    say(`${plugin.name} ${plugin.version} is missing or outdated: installing it into ${pluginFolder(plugin)}`);
    await downloadOr(
      async () => {
        await installPlugin(cli, plugin, [], say);
        note(plugin, join(pluginFolder(plugin), plugin.file), "official download");
      },
      async () => {
        const file = await build(plugin, say);
        await installPlugin(cli, plugin, ["--file", file], say);
        note(plugin, join(pluginFolder(plugin), plugin.file), "built from Go modules");
      },
    );
  }
}

async function installPlugin(cli: string, plugin: Plugin, source: readonly string[], say: Say): Promise<void> {
  const args = ["plugin", "install", "resource", plugin.plugin, `v${plugin.version}`, "--reinstall", ...source];
  await run(cli, args, {
    env: { ...process.env, PULUMI_HOME: pulumiHome(), PULUMI_SKIP_UPDATE_CHECK: "true" },
    progress: (seconds) => {
      say(`  ${plugin.name}: ${String(seconds)} s`);
    },
  });
}

async function installEngineDownload(part: Part, say: Say): Promise<void> {
  const temporary = join(pulumiHome(), `.tmp-${String(process.pid)}`);
  mkdirSync(temporary, { recursive: true });
  try {
    const folder = await downloadEngine(part.version, temporary, say);
    mkdirSync(binFolder(), { recursive: true });
    // The engine last: without it nothing counts as installed.
    const files = readdirSync(folder).sort((a, b) => Number(a === part.file) - Number(b === part.file));
    for (const file of files) {
      const target = join(binFolder(), file);
      renameSync(join(folder, file), target);
      note(part, target, "official download");
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function installBuilt(part: Part, file: string): void {
  mkdirSync(binFolder(), { recursive: true });
  const target = join(binFolder(), part.file);
  const temporary = `${target}.tmp-${String(process.pid)}`;
  copyFileSync(file, temporary);
  renameSync(temporary, target);
  note(part, target, "built from Go modules");
}

/** What was installed by this module, so that it can be told from what others put in the same place later. */
interface Note {
  readonly origin: Origin;
  readonly version: string;
  readonly sources: string;
  readonly size: number;
  readonly modified: number;
}

type Notes = Partial<Record<string, Note>>;

const notesFile = (path: string): string => join(dirname(path), ".icinga-swarm.json");

function readNotes(path: string): Notes {
  try {
    return JSON.parse(readFileSync(notesFile(path), "utf8")) as Notes;
  } catch {
    return {};
  }
}

function note(part: Part, path: string, origin: Origin): void {
  const { size, mtimeMs } = statSync(path);
  const entry: Note = { origin, version: part.version, sources: sourceHash(part), size, modified: mtimeMs };
  const temporary = `${notesFile(path)}.tmp-${String(process.pid)}`;
  writeFileSync(temporary, `${JSON.stringify({ ...readNotes(path), [basename(path)]: entry }, undefined, 2)}\n`);
  renameSync(temporary, notesFile(path));
}

function noteOf(path: string): Note | undefined {
  const entry = readNotes(path)[basename(path)];
  const { size, mtimeMs } = statSync(path);
  return entry?.size === size && entry.modified === mtimeMs ? entry : undefined;
}

/** False for what was built from other sources than today's; what others installed is theirs to keep current. */
function isCurrent(part: Part, path: string): boolean {
  const entry = noteOf(path);
  return entry?.origin !== "built from Go modules" || entry.sources === sourceHash(part);
}

/** One line per part, for people. */
export function describeParts(parts: readonly PulumiPart[]): string[] {
  const width = Math.max(...parts.map((part) => part.name.length));
  return parts.map((part) => `${part.name.padEnd(width)}  ${part.version}  ${part.origin}  ${part.path}`);
}

if (require.main === module) {
  const say: Say = (line) => {
    console.log(line);
  };
  ensurePulumi(say).then(
    (toolchain) => {
      describeParts(toolchain.parts).forEach(say);
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    },
  );
}
