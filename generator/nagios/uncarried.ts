import { UNCARRIED, UNCARRIED_SETTINGS } from "./losses";
import { splitCall } from "./macros";
import { DIRECTIVES, type NagiosObject, textOf } from "./objects";
import type { Sources } from "./read";
import type { Report } from "./report";
import type { Resolved } from "./resolve";
import { commandsOf } from "./verify";

/** Reports what a host or service says that the inventory does not. */
export function reportDirectives(object: NagiosObject, report: Report): void {
  for (const [directive, why] of Object.entries(UNCARRIED)) {
    const value = object.values.get(directive);
    if (value?.text == null || value.text === DIRECTIVES[object.type][directive]?.fallback) continue;
    report.add("lost", value.place, `${directive}${why === "" ? "" : `: ${why}`}`);
  }
  if (object.type !== "service") return;
  for (const directive of ["display_name", "parents"]) {
    const value = object.values.get(directive);
    if (value?.text != null) report.add("lost", value.place, `${directive} of services`);
  }
  for (const [variable, { place }] of object.custom) {
    report.add("lost", place, `_${variable} of services: its value stands where a command uses it, and nowhere else`);
  }
}

/** Reports what no host or service says, and the inventory does not either. */
export function reportRest(resolved: Resolved, { settings }: Sources, report: Report): void {
  for (const { type, place } of [...resolved.hostdependencies, ...resolved.servicedependencies]) {
    report.add("lost", place, `${type}: of what depends on what, only parents of hosts are there`);
  }
  for (const directive of settings) {
    const known = UNCARRIED_SETTINGS[directive.name];
    if (known === undefined || directive.value === known.usual) continue;
    report.add("lost", directive, `${directive.name}=${directive.value}: ${known.why}`);
  }
  for (const { message, ...place } of resolved.notes) report.add("ignored", place, message);
  reportUnusedCommands(resolved, report);
}

/** Once for each file: those that come with the plugins are many. */
function reportUnusedCommands(resolved: Resolved, report: Report): void {
  const used = usedCommands(resolved);
  const unused = [...resolved.commands].filter(([name]) => !used.has(name));
  const places = new Map(unused.map(([, { place }]) => [place.file, place] as const).reverse());
  for (const [file, place] of places) {
    const names = unused.filter(([, command]) => command.place.file === file).map(([name]) => name);
    report.add("lost", place, `commands that no check uses: ${names.join(", ")}`);
  }
}

function usedCommands({ hosts, services, contacts }: Resolved): ReadonlySet<string> {
  const checked = [...hosts.values(), ...services.map(({ object }) => object)];
  const calls = checked.map((object) => textOf(object, "check_command") ?? "");
  const notifying = [...contacts.values()].flatMap((contact) =>
    ["host", "service"].flatMap((kind) => commandsOf(contact, `${kind}_notification_commands`)),
  );
  return new Set([...calls, ...notifying].map((call) => splitCall(call).name));
}
