import { createHash } from "node:crypto";
import { names, object, quote, vars } from "../dsl";
import { type Alive, compare, type Inventory, type OwnCommand } from "../model";
import { commandName } from "../ownChecks";

/** Commands that the inventory makes: its plugins, and one for each way to tell whether a host is up. */
export function renderCommands({ commands, hosts }: Inventory): string {
  const alive = new Map<string, Alive>();
  for (const host of hosts) {
    if (host.alive !== undefined && host.alive !== "none") alive.set(aliveCommand(host.alive), host.alive);
  }
  const sorted = [...alive].sort(([left], [right]) => compare(left, right));
  return commands.map(renderPlugin).join("") + sorted.map(([name, check]) => renderAlive(name, check)).join("");
}

/**
 * The command of a host's own check. Its settings are variables of a command, not of the host: there they would count
 * for the host's services as well.
 */
export function aliveCommand({ icinga: { command, vars: variables } }: Alive): string {
  const settings = Object.entries(variables).filter(([, variable]) => variable !== undefined);
  if (settings.length === 0) return command;
  const hash = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8);
  return `icinga-swarm-alive-${command}-${hash}`;
}

function renderAlive(name: string, { icinga: { command, vars: variables } }: Alive): string {
  if (name === command) return "";
  return object({ kind: "object CheckCommand", name, imports: [command], attributes: vars(variables) });
}

/** A plugin without a path is one of those that the slaves' image has. */
function renderPlugin({ name, argv: [plugin = "", ...args] }: OwnCommand): string {
  const program = plugin.startsWith("/") ? quote(plugin) : `PluginDir + ${quote(`/${plugin}`)}`;
  const rest = args.length === 0 ? "" : `, ${names(args).slice(2, -2)}`;
  return object({
    kind: "object CheckCommand",
    name: commandName(name),
    imports: ["ipv4-or-ipv6"],
    attributes: [["command", `[ ${program}${rest} ]`]],
  });
}
