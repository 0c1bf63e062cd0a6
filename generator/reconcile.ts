import { ApiUnavailable, type ConfigApi, type PackageInfo } from "./icingaApi";
import { PACKAGE_NAME } from "./package";
import { hostNames, isHostsFile, refuseLargeRemoval, type RemovalRule } from "./removal";

/** Icinga found the package wrong. The package that was active stays so. */
export class PackageRefused extends Error {
  override readonly name = "PackageRefused";

  /**
   * @param stage the refused stage
   * @param log what Icinga said about it (the stage's startup.log)
   * @param activeStage what stays active instead, if anything was
   */
  constructor(
    readonly stage: string,
    readonly log: string,
    readonly activeStage: string | undefined,
  ) {
    super(`Icinga refuses stage ${stage}`);
  }
}

/** The package is active with the wanted content, and the running daemon has loaded it. */
export interface Outcome {
  readonly stage: string;
  /** Whether it had to be uploaded. */
  readonly uploaded: boolean;
}

export interface Pace {
  /** Called in short intervals with what the master is being given time for. */
  readonly onWait: (reason: string) => void;
  /** Milliseconds between two looks at the master. @default 300 */
  readonly pollMilliseconds?: number;
  /** How long the master may take to validate a stage. @default ten minutes */
  readonly validationMilliseconds?: number;
  /** How long it may take to load an active stage. @default two minutes */
  readonly reloadMilliseconds?: number;
}

/** What is to be, and what must not happen on the way there. */
export interface Goal {
  /** The package's files: path -> text. */
  readonly wanted: ReadonlyMap<string, string>;
  /** When to refuse an upload because of the hosts that it removes. @default never */
  readonly removal?: RemovalRule;
}

/** What Icinga itself keeps in a stage. */
const ICINGAS_OWN_FILES = new Set(["include.conf", "startup.log", "status"]);

/**
 * Makes the package's content on the master what is wanted. Uploads nothing if it is so already. Safe to be interrupted
 * at any point: the next call looks at what is there.
 *
 * @param api the master
 * @param goal what is to be
 * @param pace how long to wait, and whom to tell
 * @throws PackageRefused, RemovalRefused, ApiUnavailable, ApiRefused
 */
export async function reconcile(api: ConfigApi, { wanted, removal }: Goal, pace: Pace): Promise<Outcome> {
  const current = await findPackage(api);
  if (current?.activeStage !== undefined && (await hasContent(api, current.activeStage, wanted, pace))) {
    if (await becomesLoaded(api, current.activeStage, wanted, pace, false)) {
      await deleteOtherStages(api, current, current.activeStage);
      return { stage: current.activeStage, uploaded: false };
    }
    // The reload that should have loaded it failed; a new stage's validation tells why, or makes up for it.
  }
  if (removal !== undefined && current?.activeStage !== undefined) {
    refuseLargeRemoval(await hostsOf(api, current.activeStage, pace), hostNames(wanted), removal);
  }
  if (current === undefined) await api.createPackage(PACKAGE_NAME);
  const stage = await api.upload(PACKAGE_NAME, wanted);
  await waitUntilActive(api, stage, pace);
  if (!(await becomesLoaded(api, stage, wanted, pace, true))) {
    throw new ApiUnavailable(`the master has accepted stage ${stage}, but does not load it`);
  }
  const after = await findPackage(api);
  if (after !== undefined) await deleteOtherStages(api, after, stage);
  return { stage, uploaded: true };
}

/**
 * When Icinga found a stage valid, by its own log.
 *
 * @returns undefined if the log does not say
 */
export async function validatedAt(api: ConfigApi, stage: string): Promise<Date | undefined> {
  const log = (await api.readFile(PACKAGE_NAME, stage, "startup.log")) ?? "";
  const [, day, time, zone] = /^\[(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([+-]\d{4})\]/m.exec(log) ?? [];
  return day === undefined ? undefined : new Date(`${day}T${time}${zone}`);
}

async function findPackage(api: ConfigApi): Promise<PackageInfo | undefined> {
  return (await api.packages()).find(({ name }) => name === PACKAGE_NAME);
}

async function hasContent(
  api: ConfigApi,
  stage: string,
  wanted: ReadonlyMap<string, string>,
  pace: Pace,
): Promise<boolean> {
  const present = (await api.listFiles(PACKAGE_NAME, stage)).filter((file) => !ICINGAS_OWN_FILES.has(file));
  if (present.length !== wanted.size || !present.every((file) => wanted.has(file))) return false;
  for (const file of present) {
    if ((await readFile(api, stage, file, pace)) !== wanted.get(file)) return false;
  }
  return true;
}

async function hostsOf(api: ConfigApi, stage: string, pace: Pace): Promise<Set<string>> {
  const paths = (await api.listFiles(PACKAGE_NAME, stage)).filter(isHostsFile);
  const files = new Map<string, string>();
  for (const file of paths) files.set(file, (await readFile(api, stage, file, pace)) ?? "");
  return hostNames(files);
}

/** A slow master may take its time for each of many files: every one is a sign of life. */
function readFile(api: ConfigApi, stage: string, file: string, pace: Pace): Promise<string | undefined> {
  pace.onWait("the master returns the package that is active");
  return api.readFile(PACKAGE_NAME, stage, file);
}

/** A bad stage is answered with success as well: what came of it is known when its status is there. */
async function waitUntilActive(api: ConfigApi, stage: string, pace: Pace): Promise<void> {
  const { validationMilliseconds = 600_000 } = pace;
  const deadline = Date.now() + validationMilliseconds;
  while (Date.now() < deadline) {
    pace.onWait("the master validates the package");
    const status = await api.readFile(PACKAGE_NAME, stage, "status");
    if (status !== undefined && status.trim() !== "" && status.trim() !== "0") {
      const log = (await api.readFile(PACKAGE_NAME, stage, "startup.log")) ?? "";
      // Nobody needs a refused stage once its log is read; it would stay listed for ever.
      await api.deleteStage(PACKAGE_NAME, stage);
      throw new PackageRefused(stage, log, (await findPackage(api))?.activeStage);
    }
    if ((await findPackage(api))?.activeStage === stage) return;
    await sleep(pace);
  }
  throw new ApiUnavailable(`the master has not validated stage ${stage} within ${validationMilliseconds / 1000} s`);
}

/**
 * Whether the daemon runs with the stage. "Active" only says what the next reload will load; where the running objects
 * come from says what was loaded. Zones are looked at, because every package with locations has some, and few.
 */
async function becomesLoaded(
  api: ConfigApi,
  stage: string,
  wanted: ReadonlyMap<string, string>,
  pace: Pace,
  isReloadExpected: boolean,
): Promise<boolean> {
  if (!wanted.has("conf.d/zones.conf")) return true;
  const deadline = Date.now() + (pace.reloadMilliseconds ?? 120_000);
  while (Date.now() < deadline) {
    try {
      if ((await api.loadedStages(PACKAGE_NAME)).has(stage)) return true;
    } catch (error) {
      // The API is away for a moment while the daemon reloads; at any other time it is simply away.
      if (!(error instanceof ApiUnavailable) || !isReloadExpected) throw error;
    }
    pace.onWait("the master loads the package");
    await sleep(pace);
  }
  return false;
}

async function deleteOtherStages(api: ConfigApi, { stages }: PackageInfo, keep: string): Promise<void> {
  for (const stage of stages.filter((name) => name !== keep)) await api.deleteStage(PACKAGE_NAME, stage);
}

function sleep({ pollMilliseconds = 300 }: Pace): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
}
