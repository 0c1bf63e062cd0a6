import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { CREDENTIALS, type Credential } from "../settings/schema";
import { makeCertificateAuthority } from "./stack/certificateAuthority";
import { pulumiFor, type PulumiCli } from "./stack/pulumiCli";
import { PROJECT } from "./repository";
import { UserError } from "./userError";

type Say = (line: string) => void;

/** Bytes of randomness in a password. */
const PASSWORD_BYTES = 24;

/**
 * `npm run secrets -- <stack>`: creates the credentials that the stack does not have yet, encrypted in its config. Those
 * it has stay as they are. What only the operator knows (the registry's password) is asked for, or read from standard
 * input where that is no terminal. No value is ever printed.
 */
export async function main([stack, ...others]: readonly string[]): Promise<number> {
  if (!stack || others.length > 0) throw new UserError("say for which stack: npm run secrets -- prod");
  const pulumi = await pulumiFor(stack, (line) => console.log(line));
  await createMissingSecrets(pulumi, (line) => console.log(line));
  return 0;
}

/** What a stack's config holds under one of this project's keys. */
interface ConfigValue {
  readonly secret: boolean;
  /** Not there for secrets. */
  readonly value?: string;
}

/** Which credentials a stack lacks, in the order in which they are made. */
export interface MissingCredentials {
  readonly passwords: readonly string[];
  /** Whether both halves of the authority are to be made. */
  readonly certificateAuthority: boolean;
  readonly given: readonly string[];
}

/**
 * Creates a stack's missing credentials.
 *
 * @returns how many were created
 * @throws UserError when the stack has only one half of the certificate authority
 */
export async function createMissingSecrets(pulumi: PulumiCli, say: Say, ask = askForCredential): Promise<number> {
  const present = await readConfig(pulumi).catch((error: Error) => {
    if (!/no stack named/.test(error.message)) throw error;
    throw new UserError(`there is no stack ${pulumi.stack} yet; make it with: pulumi stack init ${pulumi.stack}`);
  });
  const missing = missingCredentials(CREDENTIALS, new Set(present.keys()));
  warnOfPlainText(present, say, pulumi.stack);
  let created = 0;
  const set = async (key: string, value: string): Promise<void> => {
    // Through standard input: arguments are visible to every user of the machine.
    await pulumi.output(["config", "set", "--secret", `${PROJECT}:${key}`], value);
    created++;
    say(`created ${PROJECT}:${key}`);
  };
  for (const key of missing.passwords) await set(key, randomBytes(PASSWORD_BYTES).toString("base64url"));
  if (missing.certificateAuthority) {
    const authority = await makeCertificateAuthority();
    for (const { key, kind } of CREDENTIALS) {
      if (kind === "caCertificate") await set(key, authority.certificate);
      if (kind === "caKey") await set(key, authority.key);
    }
  }
  for (const key of missing.given) await set(key, await ask(key));
  if (created === 0) say(`stack ${pulumi.stack} has all its credentials`);
  return created;
}

/**
 * @param credentials all there can be
 * @param present keys of the stack's config, without the project's prefix
 * @throws UserError for half a certificate authority: a new half would not fit the one that is there
 */
export function missingCredentials(
  credentials: readonly Credential[],
  present: ReadonlySet<string>,
): MissingCredentials {
  const absent = credentials.filter(({ key }) => !present.has(key));
  const keysOf = (kind: Credential["kind"]): string[] =>
    absent.filter((credential) => credential.kind === kind).map(({ key }) => key);
  const halves = [...keysOf("caCertificate"), ...keysOf("caKey")];
  if (halves.length === 1) {
    const [missing] = halves;
    const other = credentials.find(({ kind, key }) => kind.startsWith("ca") && key !== missing)?.key;
    throw new UserError(
      `${PROJECT}:${other} is set but ${PROJECT}:${missing} is not, and they only work as a pair: ` +
        `set the one that belongs to it (pulumi config set --secret ${missing}), ` +
        `or remove ${other} to get a new pair, which every slave then has to enrol with again`,
    );
  }
  // What else only the operator knows is no line that could be typed; settings.ts says how to set it where it is needed.
  const asked = keysOf("given").filter((key) => key === "registryPassword");
  // It has no meaning without a registry.
  const given = present.has("registry") ? asked : [];
  return { passwords: keysOf("password"), certificateAuthority: halves.length === 2, given };
}

/** What is set of the stack's config under this project's keys; secrets without their values. */
async function readConfig(pulumi: PulumiCli): Promise<Map<string, ConfigValue>> {
  const all = JSON.parse(await pulumi.output(["config", "--json"])) as Record<string, ConfigValue>;
  // Pulumi.yaml declares every key with an empty default, which stands for "not set".
  const isSet = ({ secret, value }: ConfigValue): boolean => secret || Boolean(value);
  const own = Object.entries(all).filter(([key, value]) => key.startsWith(`${PROJECT}:`) && isSet(value));
  return new Map(own.map(([key, value]) => [key.slice(PROJECT.length + 1), value]));
}

function warnOfPlainText(present: ReadonlyMap<string, ConfigValue>, say: Say, stack: string): void {
  for (const { key } of CREDENTIALS.filter((credential) => present.get(credential.key)?.secret === false)) {
    say(`${PROJECT}:${key} stands in Pulumi.${stack}.yaml in plain text: pulumi config set --secret ${key}`);
  }
}

/**
 * Asks on the terminal without showing what is typed; takes the first line of standard input where there is none.
 *
 * @throws UserError when there is no answer
 */
export async function askForCredential(key: string): Promise<string> {
  const value = process.stdin.isTTY ? await askHidden(`${key}: `) : (await text(process.stdin)).split(/\r?\n/, 1)[0];
  if (value) return value;
  throw new UserError(
    `${PROJECT}:${key} is still missing: only you know it. Run this in a terminal, or give it on standard input`,
  );
}

/** Asks on the terminal without showing what is typed. */
export function askHidden(prompt: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, terminal: true });
  process.stdout.write(prompt);
  return new Promise((resolve) => {
    terminal.once("line", (line) => {
      terminal.close();
      process.stdout.write("\n");
      resolve(line);
    });
    terminal.once("SIGINT", () => process.exit(130));
  });
}
