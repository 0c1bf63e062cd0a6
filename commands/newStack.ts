import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { locationSchema } from "../generator/location";
import { parseCommandLine, USAGE } from "./newStack/commandLine";
import { findKeeping } from "./newStack/backend";
import { configOf, type Given, givenProblems } from "./newStack/config";
import { renderInventory, renderStackFile } from "./newStack/files";
import { type Ask, askForRest } from "./newStack/questions";
import { type PulumiCli, pulumiFor } from "./stack/pulumiCli";
import { PROJECT, ROOT } from "./repository";
import { askForCredential, createMissingSecrets } from "./secrets";
import { UserError } from "./userError";

type Say = (line: string) => void;

/**
 * `npm run new-stack -- <stack>`: makes a stack's file, a first inventory and its credentials, from options or from
 * answers at a terminal. All of it or nothing: it is made beside the project and put there in the end, and nothing that
 * is there already is ever touched.
 */
export async function main(args: readonly string[]): Promise<number> {
  const say: Say = (line) => console.log(line);
  const request = parseCommandLine(args);
  if (request.what === "help") {
    say(USAGE);
    return 0;
  }
  refuse(givenProblems(request.given));
  if (request.given.name !== undefined) refuseExisting(ROOT, request.given.name);
  const given = process.stdin.isTTY && process.stdout.isTTY ? await askAtTerminal(request.given, say) : request.given;
  const { config, problems } = configOf(given);
  refuse(problems);
  const stack = given.name as string;
  refuseExisting(ROOT, stack);
  const keeping = findKeeping(ROOT, process.env);
  const lacking = given.secrets ? keeping.lacking : "--no-secrets was given";
  const withSecrets = lacking === undefined;
  const password = withSecrets && given.registry !== undefined ? await askForCredential("registryPassword") : undefined;
  const makeCredentials = async (folder: string): Promise<void> =>
    makeInBackend(await pulumiFor(stack, say, { folder, env: keeping.env }), say, password);
  await makeStack({ root: ROOT, stack, config }, withSecrets ? makeCredentials : () => Promise.resolve());
  [`made Pulumi.${stack}.yaml and inventory/${stack}/`, ...nextSteps(stack, config, lacking)].forEach(say);
  return 0;
}

/** @throws UserError listing all problems, if there are any */
function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const help = "npm run new-stack -- --help explains the options.";
  throw new UserError(["nothing was made:", ...problems.map((problem) => `  ${problem}`), help].join("\n"));
}

/** @throws UserError when a stack of this name has a file or an inventory already */
function refuseExisting(root: string, stack: string): void {
  const present = [`Pulumi.${stack}.yaml`, `inventory/${stack}`].filter((path) => existsSync(join(root, path)));
  if (present.length === 0) return;
  throw new UserError(
    `there is ${present.join(" and ")} already, and nothing is overwritten: choose another name, or edit what is there`,
  );
}

async function askAtTerminal(given: Given, say: Say): Promise<Given> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Nothing has been made yet.
  terminal.once("SIGINT", () => process.exit(130));
  const ask: Ask = (question) => new Promise((resolve) => terminal.question(question, resolve));
  try {
    return await askForRest(given, ask, say);
  } finally {
    terminal.close();
  }
}

/** What is made, and where. */
interface Making {
  /** The project's folder. */
  readonly root: string;
  readonly stack: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * Makes the files beside the project, and moves them there once all has been made. Exported for tests.
 *
 * @param finish what else the stack needs: is given the folder in which its file stands, as in a project
 * @throws UserError when something of the stack is there by then
 */
export async function makeStack(
  { root, stack, config }: Making,
  finish: (folder: string) => Promise<void>,
): Promise<void> {
  // On the same file system, so that what is finished can be moved in one step.
  const parent = join(root, ".local");
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(parent, `new-stack-${stack}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    // All that Pulumi needs of a project to keep a stack's config.
    cpSync(join(root, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    writeFileSync(join(folder, `Pulumi.${stack}.yaml`), renderStackFile(stack, config));
    const locations = z.array(locationSchema).parse(config[`${PROJECT}:locations`]);
    mkdirSync(join(folder, "inventory"));
    for (const [file, text] of Object.entries(renderInventory(locations))) {
      writeFileSync(join(folder, "inventory", file), text);
    }
    await finish(folder);
    refuseExisting(root, stack);
    putInPlace(folder, root, stack);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

/** The stack's file comes last: with it the stack is there. */
function putInPlace(folder: string, root: string, stack: string): void {
  const inventory = join(root, "inventory", stack);
  renameSync(join(folder, "inventory"), inventory);
  try {
    // Unlike a rename, a link never takes the place of a file that came in the meantime.
    linkSync(join(folder, `Pulumi.${stack}.yaml`), join(root, `Pulumi.${stack}.yaml`));
  } catch (error) {
    rmSync(inventory, { recursive: true });
    throw error;
  }
}

/**
 * Makes the stack in the backend and its credentials; takes it away again when that fails or is interrupted. Exported for
 * tests.
 *
 * @param password of the registry, where there is one
 */
export async function makeInBackend(pulumi: PulumiCli, say: Say, password: string | undefined): Promise<void> {
  const interruption = new Interruption();
  try {
    await makeStackInBackend(pulumi);
    try {
      const sayUnlessInterrupted: Say = (line) => {
        interruption.check();
        say(line);
      };
      await createMissingSecrets(pulumi, sayUnlessInterrupted, () => Promise.resolve(password ?? ""));
      interruption.check();
    } catch (error) {
      await pulumi.output(["stack", "rm", "--yes", "--preserve-config"]);
      // A Pulumi that was interrupted, too, has other words for it, or none.
      interruption.check();
      throw error;
    }
  } finally {
    interruption.end();
  }
}

async function makeStackInBackend(pulumi: PulumiCli): Promise<void> {
  await pulumi.output(["stack", "init", "--no-select"]).catch((error: Error) => {
    if (!/already exists/.test(error.message)) throw error;
    throw new UserError(
      `the backend has a stack ${pulumi.stack} already: choose another name or, if nothing was ever deployed with it, ` +
        `pulumi stack rm ${pulumi.stack}`,
    );
  });
}

/** Remembers that somebody wants this to end, for when it can end in order. */
class Interruption {
  #signal: NodeJS.Signals | undefined;
  readonly #note = (signal: NodeJS.Signals): void => {
    this.#signal = signal;
  };

  constructor() {
    process.on("SIGINT", this.#note).on("SIGTERM", this.#note);
  }

  /** @throws UserError when it was interrupted */
  check(): void {
    if (this.#signal !== undefined) throw new UserError("interrupted; nothing was made");
  }

  end(): void {
    process.off("SIGINT", this.#note).off("SIGTERM", this.#note);
  }
}

/** What is left to do until the pages can be seen. Exported for tests. */
export function nextSteps(
  stack: string,
  config: Readonly<Record<string, unknown>>,
  lacking: string | undefined,
): string[] {
  const first = [
    "export PULUMI_BACKEND_URL=...               # where Pulumi keeps the state: docs/many-hands.md",
    "export PULUMI_CONFIG_PASSPHRASE_FILE=...    # a file with a long random line; keep a copy: it opens the credentials",
    `pulumi stack init ${stack} --no-select`,
    `npm run secrets -- ${stack}`,
  ];
  const relay = config[`${PROJECT}:mailRelay`] === undefined ? ["set mailRelay, so that mails are sent"] : [];
  const steps = [
    ...(lacking !== undefined ? first : []),
    `npm run user -- ${stack} <name> admin      # who may log in`,
    `npm run inventory -- check --stack ${stack}`,
    `npm run preflight -- ${stack}              # whether the swarm is fit for it`,
    `git add Pulumi.${stack}.yaml inventory/${stack}`,
    `pulumi up --stack ${stack}`,
    `npm run status -- ${stack}`,
  ];
  return [
    ...(lacking !== undefined ? [`no credentials were made: ${lacking}`] : []),
    "",
    "What to do next:",
    ...steps.map((step) => `    ${step}`),
    "",
    `Edit Pulumi.${stack}.yaml and inventory/${stack}/ as you need: ${[...relay, "add your hosts (docs/inventory.md)"].join("; ")}.`,
  ];
}
