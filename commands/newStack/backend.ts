import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { load } from "js-yaml";

/** Where Pulumi keeps the state of a project's stacks, and how it opens their credentials. */
export interface Keeping {
  /** What is not said yet, and must be before a stack can be made there. @default all is said */
  readonly lacking?: string;
  /** The same for Pulumi, whatever folder it runs in. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Finds out what Pulumi would use in a project's folder.
 *
 * @param env of the user's shell
 */
export function findKeeping(root: string, env: NodeJS.ProcessEnv): Keeping {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile } = env;
  const backend = env.PULUMI_BACKEND_URL || backendOfProject(root) || loggedInBackend(env);
  if (!backend) return { lacking: "no backend is chosen (PULUMI_BACKEND_URL, or pulumi login)", env: {} };
  // Pulumi's own service keeps a key for each stack; every other backend leaves that to a passphrase.
  const hasKey = /^https?:/.test(backend) || passphrase !== undefined || Boolean(passphraseFile);
  if (!hasKey)
    return { lacking: "no passphrase is set (PULUMI_CONFIG_PASSPHRASE_FILE, or PULUMI_CONFIG_PASSPHRASE)", env: {} };
  return {
    env: {
      PULUMI_BACKEND_URL: absoluteBackend(root, backend),
      ...(passphraseFile ? { PULUMI_CONFIG_PASSPHRASE_FILE: resolve(root, passphraseFile) } : {}),
    },
  };
}

/** The one that Pulumi.yaml names for everybody. */
function backendOfProject(root: string): string | undefined {
  const project = load(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { backend?: { url?: string } };
  return project.backend?.url;
}

/** The one that `pulumi login` chose. */
function loggedInBackend(env: NodeJS.ProcessEnv): string | undefined {
  const file = join(env.PULUMI_HOME || join(homedir(), ".pulumi"), "credentials.json");
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { current?: string }).current;
}

/** Pulumi takes a relative path as from its current folder. */
function absoluteBackend(root: string, backend: string): string {
  const [, path] = /^file:\/\/(?![/~])(.*)$/.exec(backend) ?? [];
  return path === undefined ? backend : `file://${resolve(root, path)}`;
}
