import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { enrolmentTicket } from "../../render/tickets";
import { ownImages } from "./seed";
import type { RunningTask, Stack } from "./stack";
import { succeeded, type Workspace } from "./workspace";

/** A credential as a search finds it: a name and the forms in which it might stand somewhere. */
interface Needle {
  readonly name: string;
  readonly forms: readonly Buffer[];
}

/**
 * Searches for every credential of the stack `local`, and for the slaves' tickets, wherever an onlooker could read.
 *
 * @param inImages also in the layers of the stack's images, which are gigabytes
 * @returns `<credential> in <place>` for each find
 */
export async function findExposures(stack: Stack, workspace: Workspace, inImages = true): Promise<string[]> {
  const needles = await credentials(workspace);
  const found: string[] = [];
  const search = (place: string, text: string | Buffer): void => {
    const haystack = Buffer.from(text);
    found.push(
      ...needles
        .filter(({ forms }) => forms.some((form) => haystack.includes(form)))
        .map(({ name }) => `${name} in ${place}`),
    );
  };
  search("the state", succeeded(await workspace.pulumi("stack", "export")));
  search("a preview", succeeded(await workspace.pulumi("preview", "--diff", "--show-sames")));
  await searchServices(stack, search);
  await searchContainers(stack, search);
  if (inImages) await searchImages(stack, needles, search);
  return found;
}

async function credentials(workspace: Workspace): Promise<Needle[]> {
  const output = succeeded(await workspace.run("pulumi", "config", "--stack", "local", "--show-secrets", "--json"));
  const config = JSON.parse(output) as Record<string, { value: string; secret: boolean }>;
  const secrets = Object.entries(config).filter(([, { secret }]) => secret);
  if (secrets.length < 8) {
    throw new Error(`expected the credentials of a stack, found ${secrets.map(([key]) => key).join(", ")}`);
  }
  const salt = config["icinga-swarm:icingaTicketSalt"]?.value ?? "";
  const endpoints = ["icinga-slave-frankfurt-1", "icinga-slave-chicago-1"];
  const tickets = endpoints.map(async (endpoint) => ({
    name: `ticket of ${endpoint}`,
    forms: [Buffer.from(await enrolmentTicket(endpoint, salt))],
  }));
  return [...secrets.map(([name, { value }]) => ({ name, forms: formsOf(value) })), ...(await Promise.all(tickets))];
}

/** The text itself, as JSON has it, in base64, and, of a PEM, a line from its middle, which survives any wrapping. */
function formsOf(value: string): Buffer[] {
  const lines = value.trim().split("\n");
  const middle = lines[Math.floor(lines.length / 2)] ?? value;
  const inJson = JSON.stringify(value).slice(1, -1);
  return [value, inJson, Buffer.from(value).toString("base64"), middle].map((text) => Buffer.from(text));
}

type Search = (place: string, text: string | Buffer) => void;

async function searchServices(stack: Stack, search: Search): Promise<void> {
  for (const { ID, Spec } of await stack.docker.listServices()) {
    const service = stack.docker.getService(ID);
    search(`service inspect ${Spec?.Name}`, JSON.stringify(await service.inspect()));
  }
  search("tasks", JSON.stringify(await stack.docker.listTasks()));
  search("configs", JSON.stringify(await stack.docker.listConfigs()));
}

async function searchContainers(stack: Stack, search: Search): Promise<void> {
  const running = await stack.running();
  for (const { docker } of new Set(running.map(({ node }) => node))) {
    // By container, those of ended tasks too: Docker 20.10 at times never ends the log of a service that is long.
    for (const { Id, Names } of await docker.listContainers({ all: true })) {
      const logs = (await docker.getContainer(Id).logs({ stdout: true, stderr: true })) as unknown as Buffer;
      search(`logs of ${Names.join(" ")}`, logs);
    }
  }
  const look = async ({ task, id, node }: RunningTask): Promise<void> => {
    search(`docker inspect ${task}`, JSON.stringify(await node.docker.getContainer(id).inspect()));
    // Several looks, because check plugins and clients live for moments only.
    const looks = "for i in $(seq 20); do cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null; sleep 0.1; done";
    search(`environment or command line in ${task}`, (await stack.execIn(id, ["sh", "-c", looks])).output);
  };
  await Promise.all(running.map(look));
}

/** Layers are gigabytes: grep reads them as they come, and prints what it finds. */
async function searchImages(stack: Stack, needles: readonly Needle[], search: Search): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "icinga-swarm-needles-"));
  try {
    const patterns = path.join(folder, "patterns");
    const lines = needles.flatMap(({ forms }) => forms.map(String)).filter((form) => !form.includes("\n"));
    fs.writeFileSync(patterns, `${lines.join("\n")}\n`, { mode: 0o600 });
    const tags = (await stack.docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []);
    const own = tags.filter((tag) => ownImages().some((name) => tag.startsWith(`icinga-swarm/${name}:`)));
    // All at once, because layers that images share come once then.
    search("layers of the stack's images", await grep(patterns, await archiveOf(stack, own)));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function archiveOf(stack: Stack, tags: readonly string[]): Promise<NodeJS.ReadableStream> {
  // docker-modem puts `options` behind a question mark at the path's end.
  const request = { path: "/images/get?", method: "GET", options: { names: tags }, isStream: true };
  return new Promise((resolve, reject) => {
    stack.docker.modem.dial(
      { ...request, statusCodes: { 200: true, 500: "server error" } },
      (error: Error | null, stream) => (error ? reject(error) : resolve(stream as NodeJS.ReadableStream)),
    );
  });
}

function grep(patterns: string, input: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("grep", ["--text", "--only-matching", "--fixed-strings", "--file", patterns]);
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", reject);
    child.on("close", () => resolve(output));
    input.on("error", reject).pipe(child.stdin);
  });
}
