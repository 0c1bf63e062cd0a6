import { dump } from "js-yaml";
import { describeProblem, parseInventory, type Site } from "../../generator/inventory";

/** The text of a new stack's files: pure functions. */

const SCHEMA = "# yaml-language-server: $schema=../schema.json\n";

/** @param config keys and values, without credentials */
export function renderStackFile(stack: string, config: Readonly<Record<string, unknown>>): string {
  const head =
    `# The stack ${stack}, made by npm run new-stack and yours to change: README.md lists the settings there are.\n` +
    `# npm run secrets -- ${stack} adds the credentials, encrypted.\n`;
  return head + dump({ config }, { lineWidth: -1, flowLevel: 4 });
}

/**
 * A first inventory: every slave looks at its own container, so that all is green on any site, and one person is told.
 *
 * @returns name -> text of the files of its folder
 * @throws Error when the generator would not take it, which is a bug
 */
export function renderInventory(locations: readonly Site[]): Record<string, string> {
  const files = { "hosts.yaml": hosts(locations), "people.yaml": PEOPLE };
  const { problems } = parseInventory(files, locations);
  if (problems.length > 0)
    throw new Error(`the first inventory is not valid: ${problems.map(describeProblem).join("\n")}`);
  return files;
}

function hosts(locations: readonly Site[]): string {
  return `${SCHEMA}# What is monitored. So far every slave looks at its own container (127.0.0.1), in which an NRPE client answers. Add hosts
# of your own, and take these away: docs/inventory.md says what can stand here.
defaults:
  interval: 1m
  retryInterval: 30s
  # Counts for the stack's own parts, too, and for a location that is cut off.
  notify: [always]

roles:
  slave-itself:
    description: a slave's container, as its NRPE client sees it
    checks: [ping, processes]

hosts:
${locations.map(({ name }) => `  - { name: ${name}-local, address: 127.0.0.1, location: ${name}, roles: [slave-itself] }\n`).join("")}`;
}

const PEOPLE = `${SCHEMA}# Who is told, and what. No mail is sent before the stack's file has a mailRelay.
contacts:
  operator:
    displayName: Operator on duty
    email: operator@example.com

notifications:
  always:
    contacts: [operator]
`;
