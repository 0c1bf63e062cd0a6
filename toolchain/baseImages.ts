import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import Dockerode from "dockerode";
import { DEBIAN_IMAGE, GRAFANA_IMAGE, MYSQL_IMAGE } from "../images/versions";
import { cachePath, findProgram, installPackages, runOnHost, type Say, withProgress } from "./hostCommand";

/** What stands for Debian's own image where no registry answers: made here, and so under a name of this project. */
export const DEBIAN_SUBSTITUTE = `icinga-swarm/${DEBIAN_IMAGE}`;

/** What stands for the official MySQL image where no registry answers. */
export const MYSQL_FIXTURE_IMAGE = "icinga-swarm/fixture-mysql:9.7";

/** What stands for the official Grafana image where no registry answers. */
export const GRAFANA_FIXTURE_IMAGE = "icinga-swarm/fixture-grafana:13.2";

const FIXTURES = join(__dirname, "../tests/fixtures");
const CONTENT_LABEL = "icinga-swarm.content";

/** How long what was made here is taken for other engines; an engine that has it keeps it. */
const CACHE_DAYS = 28;

/** An image that is in the engine now. */
export interface PresentImage {
  readonly image: string;
  /** Where it came from, in words for the user. */
  readonly origin: string;
}

export interface VendorImage extends PresentImage {
  /** True where the test fixture stands for the vendor's image. */
  readonly fixture: boolean;
}

/** A vendor's image, and what is built where it cannot be had. */
interface Vendor {
  readonly image: string;
  readonly fixtureImage: string;
  /** Of the fixture's Dockerfile. */
  readonly directory: string;
}

const MYSQL: Vendor = { image: MYSQL_IMAGE, fixtureImage: MYSQL_FIXTURE_IMAGE, directory: join(FIXTURES, "mysql") };
const GRAFANA: Vendor = {
  image: GRAFANA_IMAGE,
  fixtureImage: GRAFANA_FIXTURE_IMAGE,
  directory: join(FIXTURES, "grafana"),
};

/**
 * Makes a Debian base image present in the engine: already there, else the vendor's from the registry, else made from
 * Debian's packages, which takes root once; the result is kept for other engines.
 *
 * @param wanted the image a stack is on already. @default whichever can be had
 */
export async function ensureBaseImage(engine: Dockerode, say: Say, wanted?: string): Promise<PresentImage> {
  const docker = patient(engine);
  for (const image of wanted === undefined ? [DEBIAN_IMAGE, DEBIAN_SUBSTITUTE] : [wanted]) {
    if (await present(docker, image)) return { image, origin: "already in the engine" };
  }
  if (wanted !== DEBIAN_SUBSTITUTE) {
    const image = wanted ?? DEBIAN_IMAGE;
    if (await pull(docker, image, say)) return { image, origin: "from its registry" };
  }
  const image = DEBIAN_SUBSTITUTE;
  const archive = archivePath(image);
  if (await fresh(archive)) {
    await load(docker, archive, image, say);
    return { image, origin: `made here earlier from Debian's packages (${archive})` };
  }
  await importDebian(docker, say);
  await save(docker, image, archive);
  return { image, origin: "made here from Debian's packages" };
}

/** Makes a MySQL image present in the engine, as `ensureVendorImage`. */
export function ensureMySqlImage(engine: Dockerode, say: Say): Promise<VendorImage> {
  return ensureVendorImage(engine, MYSQL, say);
}

/** Makes a Grafana image present in the engine, as `ensureVendorImage`. */
export function ensureGrafanaImage(engine: Dockerode, say: Say): Promise<VendorImage> {
  return ensureVendorImage(engine, GRAFANA, say);
}

/**
 * Makes a vendor's image present in the engine: already there or from the registry, else the test fixture, said aloud.
 * Needs the base image only for the fixture, and then sees to it itself.
 */
async function ensureVendorImage(engine: Dockerode, vendor: Vendor, say: Say): Promise<VendorImage> {
  const { image, fixtureImage, directory } = vendor;
  const docker = patient(engine);
  if (await present(docker, image)) return { image, origin: "already in the engine", fixture: false };
  if (await pull(docker, image, say)) return { image, origin: "from its registry", fixture: false };
  const base = await ensureBaseImage(docker, say);
  const content = await fixtureContent(directory, (await docker.getImage(base.image).inspect()).Id);
  const fixture = { image: fixtureImage, fixture: true };
  if ((await labelOf(docker, fixtureImage, CONTENT_LABEL)) === content) {
    return { ...fixture, origin: "the test fixture, already in the engine" };
  }
  say(`${image} cannot be had here: the test fixture ${fixtureImage} stands for it`);
  const archive = archivePath(`${fixtureImage}-${content.slice(0, 16)}`);
  if (await fresh(archive)) {
    await load(docker, archive, fixtureImage, say);
    return { ...fixture, origin: `the test fixture, built here earlier (${archive})` };
  }
  await buildImage(docker, directory, fixtureImage, say, {
    labels: { [CONTENT_LABEL]: content },
    buildargs: { BASE_IMAGE: base.image },
  });
  await removeArchives(fixtureImage);
  await save(docker, fixtureImage, archive);
  return { ...fixture, origin: "the test fixture, built here from Debian's packages" };
}

export interface BuildOptions {
  /** The paths that make the context, relative to the directory; folders stand for themselves only. @default all of it */
  readonly parts?: readonly string[];
  /** Relative to the directory. @default "Dockerfile" */
  readonly dockerfile?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly buildargs?: Readonly<Record<string, string>>;
  /** Builds with the engine's BuildKit, as Pulumi's docker provider does; each builder has a cache of its own. */
  readonly buildKit?: boolean;
}

/**
 * Builds a directory with the engine's classic builder, or its BuildKit.
 * @throws Error with the builder's own message and its last lines.
 */
export async function buildImage(
  docker: Dockerode,
  directory: string,
  tag: string,
  say: Say,
  options: BuildOptions = {},
): Promise<void> {
  const { parts, buildKit, ...rest } = options;
  // Owned by root whoever runs this, so that the builder's cache is the same for everybody.
  const flags = ["--create", "--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--directory", directory];
  const selection = parts === undefined ? ["."] : ["--no-recursion", "--files-from=-"];
  const tar = spawn("tar", [...flags, ...selection], { stdio: ["pipe", "pipe", "inherit"] });
  tar.stdin.on("error", () => undefined).end(parts?.join("\n"));
  await withProgress(say, `building ${tag}`, async (update) => {
    const stream = await docker.buildImage(tar.stdout, {
      t: tag,
      version: buildKit ? "2" : "1",
      forcerm: true,
      ...rest,
    });
    await follow(docker, stream, update);
  });
}

/** The same engine without a limit on silence: a build's step may be still for minutes. */
export function patient(docker: Dockerode): Dockerode {
  const modem = Object.assign(Object.create(Object.getPrototypeOf(docker.modem) as object) as typeof docker.modem, {
    ...docker.modem,
    timeout: undefined,
  });
  return new Dockerode({ modem } as unknown as Dockerode.DockerOptions);
}

async function importDebian(docker: Dockerode, say: Say): Promise<void> {
  const suite = DEBIAN_IMAGE.replace(/^.*:/, "").replace(/-slim$/, "");
  if (findProgram("debootstrap") === undefined || !existsSync("/usr/share/keyrings/debian-archive-keyring.gpg")) {
    await installPackages(["debootstrap", "debian-archive-keyring"], `${DEBIAN_IMAGE} has to be made here`, say);
  }
  say(`no registry gives ${DEBIAN_IMAGE}: making it from Debian's packages`);
  const directory = cachePath("base");
  await mkdir(directory, { recursive: true });
  const tar = join(directory, `.rootfs-${randomBytes(4).toString("hex")}.tar`);
  try {
    await withProgress(say, `making ${DEBIAN_IMAGE}`, (onLine) =>
      runOnHost(["unshare", "--mount", "bash", join(__dirname, "debian-rootfs.sh"), suite, tar], {
        asRoot: true,
        onLine,
      }),
    );
    const [repo, tag] = DEBIAN_SUBSTITUTE.split(":");
    const stream = await docker.importImage(tar, {
      repo,
      tag,
      changes: [
        'CMD ["bash"]',
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        'LABEL icinga-swarm.origin="made from Debian\'s packages where no registry answered"',
      ],
    });
    await follow(docker, stream, () => undefined);
  } finally {
    // Root made it, and the directory is the user's: that is enough to remove it.
    await rm(tar, { force: true });
  }
}

/** True when the image was pulled. Without a registry that answers, false and soon. */
async function pull(docker: Dockerode, image: string, say: Say): Promise<boolean> {
  const controller = new AbortController();
  // The engine answers only when the registry has; a network that swallows packets would hold it for minutes.
  const patience = setTimeout(() => controller.abort(), 15_000);
  try {
    const stream = await docker.pull(image, { abortSignal: controller.signal });
    clearTimeout(patience);
    await withProgress(say, `pulling ${image}`, (update) => follow(docker, stream, update));
    return true;
  } catch (error) {
    say(`${image} cannot be pulled: ${firstLine(error)}`);
    return false;
  } finally {
    clearTimeout(patience);
  }
}

interface ProgressEvent {
  readonly stream?: string;
  readonly status?: string;
  readonly progress?: string;
  readonly error?: string;
}

/** Follows an image operation of the engine to its end. */
function follow(docker: Dockerode, stream: NodeJS.ReadableStream, update: (state: string) => void): Promise<void> {
  const tail: string[] = [];
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error, events: readonly ProgressEvent[] | null) => {
        const message = error?.message ?? events?.find((event) => event.error !== undefined)?.error;
        if (message === undefined) resolve();
        else reject(new Error(tail.length === 0 ? message : `${message}\n  ${tail.join("\n  ")}`));
      },
      (event: ProgressEvent) => {
        const line = (
          event.stream ?? [event.status, event.progress].filter((part) => part !== undefined).join(" ")
        ).trim();
        if (line === "") return;
        if (event.stream !== undefined) {
          tail.push(line);
          if (tail.length > 15) tail.shift();
        }
        update(line);
      },
    );
  });
}

async function present(docker: Dockerode, image: string): Promise<boolean> {
  return (await inspectOrUndefined(docker, image)) !== undefined;
}

async function labelOf(docker: Dockerode, image: string, label: string): Promise<string | undefined> {
  return (await inspectOrUndefined(docker, image))?.Config.Labels?.[label];
}

async function inspectOrUndefined(docker: Dockerode, image: string): Promise<Dockerode.ImageInspectInfo | undefined> {
  try {
    return await docker.getImage(image).inspect();
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

async function load(docker: Dockerode, archive: string, image: string, say: Say): Promise<void> {
  await withProgress(say, `loading ${image}`, async (update) =>
    follow(docker, await docker.loadImage(createReadStream(archive)), update),
  );
}

/**
 * Keeps an image for other engines. Saved by the engine rather than packed by us, so that its id, and with it every cache
 * built on it, is the same everywhere.
 */
async function save(docker: Dockerode, image: string, archive: string): Promise<void> {
  await mkdir(dirname(archive), { recursive: true });
  const unfinished = `${archive}.${randomBytes(4).toString("hex")}`;
  try {
    await pipeline(await docker.getImage(image).get(), createWriteStream(unfinished));
    await rename(unfinished, archive);
  } finally {
    await rm(unfinished, { force: true });
  }
}

function archivePath(name: string): string {
  return cachePath("base", `${name.replace(/[^A-Za-z0-9.]+/g, "-")}-${process.arch}.tar`);
}

async function removeArchives(image: string): Promise<void> {
  const start = archivePath(image).replace(/-[^-]*$/, "");
  for (const file of await readdir(dirname(start)).catch(() => [] as string[])) {
    const path = join(dirname(start), file);
    if (path.startsWith(start)) await rm(path, { force: true });
  }
}

async function fresh(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs < CACHE_DAYS * 24 * 3600 * 1000;
  } catch {
    return false;
  }
}

async function fixtureContent(directory: string, baseId: string): Promise<string> {
  const hash = createHash("sha256").update(baseId);
  for (const file of (await readdir(directory)).sort()) {
    hash.update(`\0${file}\0`).update(await readFile(join(directory, file)));
  }
  return hash.digest("hex");
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split("\n")[0] ?? "";
}
