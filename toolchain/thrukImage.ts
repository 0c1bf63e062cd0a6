import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type Dockerode from "dockerode";
import { THRUK, THRUK_BUILD_ARGS } from "../images/versions";
import { buildImage, ensureBaseImage, type PresentImage } from "./baseImages";
import type { Say } from "./hostCommand";

/** What stands for the image built from images/thruk where the vendor's packages cannot be had. */
export const THRUK_FIXTURE_IMAGE = "icinga-swarm/fixture-thruk:1";

const ROOT = join(__dirname, "..");
const PACKAGE = "tests/fixtures/thruk/package";
/** All that goes into the fixture's image besides what it stands on. */
const CONTENT = ["images/base", "images/thruk", PACKAGE];
const CONTENT_LABEL = "icinga-swarm.content";
/** What the base of the fixture's image is called: not as a stack's own, which is named by its content. */
const BASE_IMAGE = "icinga-swarm/base:fixture-thruk";

/**
 * Sees to an image for Thruk.
 *
 * @param wanted the image that a stack is on already. @default none yet
 * @returns undefined where the vendor's packages can be had, so that the stack builds images/thruk; else the test fixture:
 *   images/thruk with a package of this project's in the vendor's place, said aloud and kept in the engine
 */
export async function ensureThrukImage(
  docker: Dockerode,
  say: Say,
  wanted?: string,
): Promise<PresentImage | undefined> {
  if (wanted !== undefined && wanted !== THRUK_FIXTURE_IMAGE) {
    return { image: wanted, origin: "as the stack's file says" };
  }
  if (wanted === undefined && (hasPackages() || (await vendorAnswers()))) return undefined;
  const debian = await ensureBaseImage(docker, () => undefined);
  const content = contentOf((await docker.getImage(debian.image).inspect()).Id);
  if ((await contentLabel(docker)) === content) {
    return { image: THRUK_FIXTURE_IMAGE, origin: "the test fixture, already in the engine" };
  }
  say(`Thruk's packages cannot be had from ${THRUK.repository}: the test fixture ${THRUK_FIXTURE_IMAGE} stands for it`);
  await buildThrukFixture(docker, debian.image, say, { [CONTENT_LABEL]: content });
  return { image: THRUK_FIXTURE_IMAGE, origin: "the test fixture, built here" };
}

/** Builds the fixture's image. All but the package is the real one's: the same Dockerfile, from the same files. */
export async function buildThrukFixture(
  docker: Dockerode,
  debian: string,
  say: Say,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), "icinga-swarm-thruk-"));
  try {
    for (const folder of ["images/base", "images/thruk"]) {
      cpSync(join(ROOT, folder), join(context, folder), { recursive: true, preserveTimestamps: true });
    }
    // Whatever is there for the real one must not be what the fixture is made of.
    for (const file of droppedPackages()) rmSync(join(context, "images/thruk/packages", file));
    cpSync(join(ROOT, PACKAGE), join(context, "images/thruk/packages/thruk-fixture"), {
      recursive: true,
      preserveTimestamps: true,
    });
    const base = { dockerfile: "images/base/Dockerfile", buildargs: { BASE_IMAGE: debian }, buildKit: true };
    await buildImage(docker, context, BASE_IMAGE, say, base);
    await buildImage(docker, context, THRUK_FIXTURE_IMAGE, say, {
      dockerfile: "images/thruk/Dockerfile",
      buildargs: { BASE_IMAGE, ...THRUK_BUILD_ARGS },
      labels,
      buildKit: true,
    });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Whether somebody has put the vendor's packages into the drop-in folder. */
export function hasPackages(): boolean {
  return droppedPackages().some((file) => file.startsWith("thruk-base_"));
}

function droppedPackages(): string[] {
  return readdirSync(join(ROOT, "images/thruk/packages")).filter((file) => file.endsWith(".deb"));
}

/** Asked from here: the engine that builds is expected to reach what the operator reaches. */
async function vendorAnswers(): Promise<boolean> {
  try {
    const answer = await fetch(`${THRUK.repository}/${THRUK.key}`, {
      method: "HEAD",
      signal: AbortSignal.timeout(10_000),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

async function contentLabel(docker: Dockerode): Promise<string | undefined> {
  try {
    return (await docker.getImage(THRUK_FIXTURE_IMAGE).inspect()).Config.Labels?.[CONTENT_LABEL];
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined;
    throw error;
  }
}

function contentOf(baseId: string): string {
  const hash = createHash("sha256").update(baseId).update(JSON.stringify(THRUK_BUILD_ARGS));
  for (const path of CONTENT.flatMap(filesBelow)) {
    const executable = (statSync(join(ROOT, path)).mode & 0o100) !== 0;
    hash.update(JSON.stringify([path, executable])).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest("hex");
}

/** Files below a folder of the tree, sorted. */
function filesBelow(path: string): string[] {
  return readdirSync(join(ROOT, path), { withFileTypes: true })
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return filesBelow(`${path}/${entry.name}`);
      return entry.isFile() && !entry.name.endsWith(".deb") ? [`${path}/${entry.name}`] : [];
    });
}
