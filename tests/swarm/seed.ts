import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type Dockerode from "dockerode";
import { ICINGA_VERSION, THRUK_BUILD_ARGS } from "../../images/versions";
import { buildImage, ensureBaseImage, ensureGrafanaImage, ensureMySqlImage } from "../../toolchain/baseImages";
import { cachePath, type Say } from "../../toolchain/hostCommand";
import { ensureThrukImage, hasPackages, THRUK_FIXTURE_IMAGE } from "../../toolchain/thrukImage";
import { ensureHost, withPlainEngine } from "./engine";

export const NRPE_CLIENT_IMAGE = "icinga-swarm/fixture-nrpe-client:1";
export const SMTP_SINK_IMAGE = "icinga-swarm/fixture-smtp-sink:1";
export const GIT_SERVER_IMAGE = "icinga-swarm/fixture-git-server:1";
export const REGISTRY_IMAGE = "icinga-swarm/fixture-registry:1";
export const ICINGA_CLOCK_IMAGE = "icinga-swarm/fixture-icinga-clock:1";

const ROOT = join(__dirname, "../..");
/** What of node_modules Dockerfiles may copy: as in .dockerignore. */
const COPIED_MODULES = ["croner", "esbuild-wasm", "js-yaml", "zod"].map((name) => `node_modules/${name}`);

/** Build arguments besides the base; each Dockerfile takes its own of them. */
const PINS = { ICINGA_VERSION, ...THRUK_BUILD_ARGS };

/** Everything that decides what is in the seed, this file included. */
const CONTENT = [
  "images",
  "generator",
  "tests/fixtures/mysql",
  "tests/fixtures/grafana",
  "tests/fixtures/nrpe-client",
  "tests/fixtures/smtp-sink",
  "tests/fixtures/git-server",
  "tests/fixtures/registry",
  "tests/fixtures/icinga-clock",
  "tests/fixtures/thruk",
  "toolchain/thrukImage.ts",
  "toolchain/debian-rootfs.sh",
  "package-lock.json",
  "tests/swarm/seed.ts",
];

export interface Seed extends SeedImages {
  /** The never-joined data root, for `startEngine`. */
  readonly dataRoot: string;
}

/** The images in it that are the vendors' or their fixtures. */
interface SeedImages {
  readonly mySqlImage: string;
  readonly grafanaImage: string;
}

interface Stamp extends SeedImages {
  readonly content: string;
}

/**
 * A data root that holds every image a stack needs: bases, fixtures, and all of images/, built from the same files as a stack
 * builds them, so that its builds are cache hits. Made once for these files, outside the tree; a change of files builds what
 * changed.
 */
export async function seedDataRoot(say: Say): Promise<Seed> {
  await ensureHost(say);
  const dataRoot = cachePath("test-engine", "seed");
  const stampFile = cachePath("test-engine", "seed.json");
  const content = contentOf(CONTENT);
  for (let seconds = 0; ; seconds++) {
    const stamp = await readStamp(stampFile);
    if (stamp?.content === content) {
      return { dataRoot, mySqlImage: stamp.mySqlImage, grafanaImage: stamp.grafanaImage };
    }
    const images = await withPlainEngine(dataRoot, async (docker) => {
      await rm(stampFile, { force: true });
      return fillOrBeginAnew(docker, say);
    });
    if (images !== undefined) {
      // Only now, when the engine has shut down, is all of it on the disk.
      await writeFile(stampFile, JSON.stringify({ content, ...images } satisfies Stamp));
      return { dataRoot, ...images };
    }
    if (seconds % 10 === 0) say(`another run is building the seed of the test engines: waiting, ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/**
 * The builder's cache is as good as the disk it was on: after a power cut its files may be empty. What fails for any other
 * reason than a command of a Dockerfile is tried once more without it.
 */
async function fillOrBeginAnew(docker: Dockerode, say: Say): Promise<SeedImages> {
  try {
    return await fill(docker, say);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/executor failed running|non-zero code/.test(message)) throw error;
    say(`building the images failed, so it is tried again without the builder's cache: ${message}`);
    await forgetBuilds(docker);
    return await fill(docker, say);
  }
}

/** All of it: what the library has for this leaves everything that an image stands on. */
function forgetBuilds(docker: Dockerode): Promise<void> {
  // docker-modem puts `options` behind a question mark at the path's end.
  const request = { path: "/build/prune?", method: "POST", options: { all: true } };
  const options = { ...request, statusCodes: { 200: true, 500: "server error" } };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

/** In two lanes: a build mostly waits for its downloads or for one processor. */
async function fill(docker: Dockerode, say: Say): Promise<SeedImages> {
  const debian = await ensureBaseImage(docker, say);
  say(`${debian.image}: ${debian.origin}`);
  const own = fillWithOwn(docker, debian.image, say);
  const others = fillWithOthers(docker, debian.image, say);
  // Both to their end, also when one fails: whatever comes next must not meet a build that is under way.
  await Promise.allSettled([own, others]);
  await own;
  const vendors = await others;
  // What former contents left; parents of today's images are not touched.
  await docker.pruneImages({ filters: { dangling: { true: true } } });
  return vendors;
}

/** The vendors' images or their fixtures, and the programs around a stack. */
async function fillWithOthers(docker: Dockerode, debian: string, say: Say): Promise<SeedImages> {
  const mySql = await ensureMySqlImage(docker, say);
  say(`MySQL: ${mySql.image}, ${mySql.origin}`);
  const grafana = await ensureGrafanaImage(docker, say);
  say(`Grafana: ${grafana.image}, ${grafana.origin}`);
  const fixtures = {
    "nrpe-client": NRPE_CLIENT_IMAGE,
    "smtp-sink": SMTP_SINK_IMAGE,
    "git-server": GIT_SERVER_IMAGE,
    registry: REGISTRY_IMAGE,
  };
  for (const [name, image] of Object.entries(fixtures)) {
    const options = { buildargs: { BASE_IMAGE: debian } };
    await buildImage(docker, join(ROOT, "tests/fixtures", name), image, say, options);
  }
  return { mySqlImage: mySql.image, grafanaImage: grafana.image };
}

/** All of images/, and what is made from them. */
async function fillWithOwn(docker: Dockerode, debian: string, say: Say): Promise<void> {
  const parts = buildContext();
  for (const name of ownImages()) {
    const dockerfile = `images/${name}/Dockerfile`;
    const buildargs = { BASE_IMAGE: name === "base" ? debian : "icinga-swarm/base:seed", ...PINS };
    const options = { parts, dockerfile, buildargs, buildKit: true };
    await buildImage(docker, ROOT, `icinga-swarm/${name}:seed`, say, options);
    say(`icinga-swarm/${name} is built`);
  }
  // As though a stack were on it already: it is the fixture that the tests stand on, whatever the network offers.
  await ensureThrukImage(docker, say, THRUK_FIXTURE_IMAGE);
  const clock = join(ROOT, "tests/fixtures/icinga-clock");
  await buildImage(docker, clock, ICINGA_CLOCK_IMAGE, say, {
    parts: readdirSync(clock),
    buildargs: { BASE_IMAGE: debian, MASTER_IMAGE: "icinga-swarm/icinga-master:seed" },
    buildKit: true,
  });
}

/** The folders of images/ that are images and can be built here, the base first; Thruk only with its vendor's packages. */
export function ownImages(): string[] {
  const names = readdirSync(join(ROOT, "images"))
    .filter((name) => existsSync(join(ROOT, "images", name, "Dockerfile")))
    .filter((name) => name !== "thruk" || hasPackages())
    .sort();
  return ["base", ...names.filter((name) => name !== "base")];
}

/** Every path of the build context as .dockerignore narrows it, folders included, because their modes count too. */
function buildContext(): string[] {
  const copied = ["images", "generator", ...COPIED_MODULES].flatMap(below).filter((path) => !path.endsWith(".test.ts"));
  return ["node_modules", ...copied].sort();
}

function below(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return [path, ...readdirSync(join(ROOT, path)).flatMap((entry) => below(`${path}/${entry}`))];
}

function contentOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(below).sort()) {
    const { mode } = statSync(join(ROOT, path));
    hash.update(`${path}\0${mode}\0`);
    if (statSync(join(ROOT, path)).isFile()) hash.update(readFileSync(join(ROOT, path)));
  }
  return hash.digest("hex");
}

async function readStamp(file: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Stamp;
  } catch {
    return undefined;
  }
}
