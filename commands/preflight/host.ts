import { spawn } from "node:child_process";
import { hostname } from "node:os";
import { sshCommand } from "../docker/connection";

/** What is known of the engine's machine beyond its API; nothing of it where there is no way to ask. */
export interface HostFacts {
  /** What is left where the engine keeps images and volumes. */
  readonly freeMegabytes?: number;
  /** Whether its kernel can do IPVS, which Swarm's virtual addresses and ingress ports are made with. */
  readonly hasIpvs?: boolean;
  /** Whether commands find a `docker` there, which Pulumi's provider needs over ssh. Unknown without ssh. */
  readonly hasDockerCommand?: boolean;
}

const TIMEOUT_MS = 20_000;

/**
 * Prints what it finds, a line each, and nothing of what it cannot find. A module that is not loaded yet is loaded by
 * whoever needs it, so what counts is that the kernel has it.
 */
const PROBE = `
df -Pm -- "$1" 2>/dev/null | awk 'NR == 2 { print "freeMegabytes " $4 }'
modules=/lib/modules/$(uname -r)
if [ -e /proc/net/ip_vs ] || grep -qs /ip_vs.ko "$modules/modules.dep" "$modules/modules.builtin"; then
  echo "ipvs yes"
else
  echo "ipvs no"
fi
if command -v docker >/dev/null; then echo "docker yes"; else echo "docker no"; fi
`;

/**
 * Asks the machine that the engine runs on: this one, or another one over ssh, on which the Docker command runs
 * commands as well. Whoever may only use the engine learns nothing, and that is no error.
 *
 * @param engine its host name and the folder of its images and volumes
 */
export async function readHostFacts(
  dockerHost: string,
  engine: { readonly name: string; readonly rootDirectory: string },
): Promise<HostFacts> {
  const command = probeCommand(dockerHost, engine);
  if (command === undefined) return {};
  const { hasDockerCommand, ...facts } = parseProbe(await outputOf(command));
  // On this machine the provider talks to the socket itself.
  return dockerHost.startsWith("ssh:") ? { ...facts, hasDockerCommand } : facts;
}

function probeCommand(
  dockerHost: string,
  { name, rootDirectory }: { readonly name: string; readonly rootDirectory: string },
): readonly string[] | undefined {
  if (dockerHost.startsWith("ssh:")) {
    const remote = ["sh", "-c", quoted(PROBE), "probe", quoted(rootDirectory)].join(" ");
    return ["ssh", ...sshCommand(new URL(dockerHost), remote)];
  }
  // A socket may lead into a virtual machine or to another one: its folders are not ours then.
  const isHere = dockerHost.startsWith("unix:") && name === hostname();
  return isHere ? ["sh", "-c", PROBE, "probe", rootDirectory] : undefined;
}

/** For the shell at the other end of ssh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Exported for tests. */
export function parseProbe(output: string): HostFacts {
  const free = /^freeMegabytes (\d+)$/m.exec(output)?.[1];
  const ipvs = /^ipvs (yes|no)$/m.exec(output)?.[1];
  const docker = /^docker (yes|no)$/m.exec(output)?.[1];
  return {
    ...(free === undefined ? {} : { freeMegabytes: Number(free) }),
    ...(ipvs === undefined ? {} : { hasIpvs: ipvs === "yes" }),
    ...(docker === undefined ? {} : { hasDockerCommand: docker === "yes" }),
  };
}

/** What a program prints; what it printed so far when it fails or takes too long. */
function outputOf([program = "", ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], timeout: TIMEOUT_MS });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", () => resolve(output));
    child.on("close", () => resolve(output));
  });
}
