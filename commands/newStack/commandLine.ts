import { parseArgs } from "node:util";
import type { Given } from "./config";
import { UserError } from "../userError";

/** What the command line of `npm run new-stack` asks for. */
export type Request = { readonly what: "help" } | { readonly what: "make"; readonly given: Given };

const CALL = "npm run new-stack --";

/** What stands behind an option, and what it is for. */
const OPTIONS = {
  location: ["<name>=<node>,...", "a site and its swarm nodes, by host name; once for each. self: the manager itself"],
  slaves: ["<location>=<number>", "slaves of a location (1, or 2 where it has several nodes)"],
  central: ["<node>", "the node of everything but the slaves; needed with more than one node"],
  registry: ["<host:port>/<repository>", "where images are pushed to and pulled from; needed with more than one node"],
  "registry-user": [
    "<name>",
    "who pushes and pulls; the password is asked for, or is the first line of standard input",
  ],
  hostname: ["<name>", "what people type to get to the pages; needed where Docker is on another machine"],
  "docker-host": ["<address>", "ssh://user@manager, or a socket (unix:///var/run/docker.sock)"],
  "no-secrets": ["", "leaves the credentials to npm run secrets"],
} as const;

export const USAGE = `usage: ${CALL} <stack> [options]

Makes Pulumi.<stack>.yaml, a first inventory in inventory/<stack>/ and, where Pulumi's backend and passphrase are set,
the stack in the backend with its credentials. At a terminal, what is needed and not given is asked for.

Options:
${optionTable()}
Examples:
  ${CALL} prod --docker-host ssh://deploy@hq-1.example.com --hostname monitoring.example.com --central hq-1 \\
      --registry nexus.example.com:5000/monitoring --registry-user ci \\
      --location frankfurt=fra-1,fra-2 --location chicago=chi-1,chi-2,chi-3 --slaves chicago=6
  ${CALL} lab --location berlin=self`;

function optionTable(): string {
  const rows = Object.entries(OPTIONS).map(([option, [value, text]]) => [`--${option} ${value}`.trim(), text] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, text]) => `  ${left.padEnd(width)}   ${text}\n`).join("");
}

/** @throws UserError for a command line that is not understood */
export function parseCommandLine(args: readonly string[]): Request {
  const { values, positionals } = parseStrictly(args);
  if (values.help) return { what: "help" };
  const [name, ...others] = positionals;
  if (others.length > 0) throw wrongLine(`one stack at a time, not also ${others.join(" ")}`);
  return {
    what: "make",
    given: {
      name,
      locations: values.location ?? [],
      slaves: values.slaves ?? [],
      central: values.central,
      registry: values.registry,
      registryUser: values["registry-user"],
      hostname: values.hostname,
      dockerHost: values["docker-host"],
      secrets: values["no-secrets"] !== true,
    },
  };
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: {
        help: { type: "boolean", short: "h" },
        location: { type: "string", multiple: true },
        slaves: { type: "string", multiple: true },
        central: { type: "string" },
        registry: { type: "string" },
        "registry-user": { type: "string" },
        hostname: { type: "string" },
        "docker-host": { type: "string" },
        "no-secrets": { type: "boolean" },
      },
    });
  } catch (error) {
    throw wrongLine(error instanceof Error ? error.message : String(error));
  }
}

function wrongLine(problem: string): UserError {
  return new UserError(`${problem}\n${CALL} --help explains the command line.`);
}
