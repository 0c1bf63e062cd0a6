import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { LOCAL_STACK, PROJECT, ROOT } from "../repository";
import { readStackConfig, stackFilePath } from "./stackFile";
import { processRuns } from "./lock";
import type { State } from "./state";
import { UserError } from "../userError";

const TEMPLATE_STACK = "dev";
const LOCAL_DIRECTORY = join(ROOT, ".local");
const PASSPHRASE_FILE = join(LOCAL_DIRECTORY, "passphrase");
const STATE_DIRECTORY = join(LOCAL_DIRECTORY, "state");
const STATE_FILE = join(STATE_DIRECTORY, ".pulumi", "stacks", PROJECT, `${LOCAL_STACK}.json`);
const MACHINE_FILE = join(LOCAL_DIRECTORY, "machine.json");

/** Where Pulumi keeps and how it opens the local stack; the same variables that the README gives for use by hand. */
export const LOCAL_STACK_ENV = {
  PULUMI_BACKEND_URL: `file://${STATE_DIRECTORY}`,
  PULUMI_CONFIG_PASSPHRASE_FILE: PASSPHRASE_FILE,
  // Pulumi would prefer what the user's shell may have for other stacks.
  PULUMI_CONFIG_PASSPHRASE: undefined,
};

/** What `npm run up` started on this machine, so that `npm run down` ends that and nothing else. */
export interface Machine {
  /** The Docker Engine that was not running before. */
  readonly startedEngine?: boolean;
  /** The swarm that the engine was not in before. */
  readonly initialisedSwarm?: boolean;
}

/** Whether Pulumi knows the local stack. */
export function localStackExists(): boolean {
  return existsSync(STATE_FILE);
}

/** What Pulumi keeps of the local stack. Asking Pulumi would take a second each time. */
export function localState(): State {
  if (!localStackExists()) return {};
  const { checkpoint } = JSON.parse(readFileSync(STATE_FILE, "utf8")) as { checkpoint?: { latest?: State } };
  return checkpoint?.latest ?? {};
}

export function readMachine(): Machine {
  return existsSync(MACHINE_FILE) ? (JSON.parse(readFileSync(MACHINE_FILE, "utf8")) as Machine) : {};
}

/** Notes what was started, or ended again. */
export function noteMachine(changes: Machine): void {
  mkdirSync(LOCAL_DIRECTORY, { recursive: true, mode: 0o700 });
  writeFileSync(MACHINE_FILE, `${JSON.stringify({ ...readMachine(), ...changes }, undefined, 2)}\n`);
}

/**
 * Makes the folder of the state and the passphrase, unless they are there.
 *
 * @throws UserError when the passphrase of an existing stack file is lost
 */
export function ensureLocalBackend(): void {
  mkdirSync(STATE_DIRECTORY, { recursive: true, mode: 0o700 });
  if (existsSync(PASSPHRASE_FILE)) return;
  const file = stackFilePath(LOCAL_STACK);
  if (existsSync(file) && /^encryptionsalt:/m.test(readFileSync(file, "utf8"))) {
    throw new UserError(
      `${PASSPHRASE_FILE} is gone, and only it opens the secrets in Pulumi.${LOCAL_STACK}.yaml. Put it back or, ` +
        `to begin with new secrets, delete Pulumi.${LOCAL_STACK}.yaml and ${LOCAL_DIRECTORY}`,
    );
  }
  writeFileSync(PASSPHRASE_FILE, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
}

/** What of the local stack's file is this machine's own. */
export interface LocalSettings {
  /** From DOCKER_HOST. @default the local socket */
  readonly dockerHost?: string;
  /** Images that stand for the vendors' own where those cannot be had. @default the project's choice */
  readonly images: Partial<Record<"debian" | "mysql" | "grafana" | "thruk", string>>;
}

/** Makes Pulumi.local.yaml from Pulumi.dev.yaml. */
export function writeLocalStackFile(settings: LocalSettings): void {
  const text = renderLocalStackFile(readStackConfig(TEMPLATE_STACK), settings);
  writeFileSync(stackFilePath(LOCAL_STACK), text, { flag: "wx" });
}

/** @param template config of the stack it is made from */
export function renderLocalStackFile(template: Readonly<Record<string, unknown>>, settings: LocalSettings): string {
  const images = template[`${PROJECT}:images`] as Record<string, unknown> | undefined;
  const config = {
    ...Object.fromEntries(Object.entries(template).filter(([key, value]) => !isOfTemplateAlone(key, value))),
    ...(settings.dockerHost === undefined ? {} : { "docker:host": settings.dockerHost }),
    ...(Object.keys(settings.images).length === 0 ? {} : { [`${PROJECT}:images`]: { ...images, ...settings.images } }),
  };
  const head = `# This machine's own stack: made once by npm run up from Pulumi.${TEMPLATE_STACK}.yaml, yours to change. Git ignores it.\n`;
  return head + dump({ config }, { lineWidth: -1 });
}

/** Where a team's stack is, and what its passphrase alone opens. */
function isOfTemplateAlone(key: string, value: unknown): boolean {
  const isEncrypted = typeof value === "object" && value !== null && "secure" in value;
  return key === "docker:host" || isEncrypted;
}

/**
 * Removes locks that a killed Pulumi left in the local state: those of processes of this machine that are gone.
 *
 * @returns how many there were
 */
export function removeDeadLocks(): number {
  const directory = join(STATE_DIRECTORY, ".pulumi", "locks", "organization", PROJECT, LOCAL_STACK);
  if (!existsSync(directory)) return 0;
  const dead = readdirSync(directory)
    .filter((file) => file.endsWith(".json"))
    .map((file) => join(directory, file))
    .filter((file) => isDeadLock(JSON.parse(readFileSync(file, "utf8")) as Lock));
  for (const file of dead.flatMap((lock) => [lock, `${lock}.attrs`])) rmSync(file, { force: true });
  return dead.length;
}

interface Lock {
  readonly pid: number;
  readonly hostname: string;
}

function isDeadLock({ pid, hostname: holder }: Lock): boolean {
  return holder === hostname() && !processRuns(pid);
}
