import { type Placed, placeOf } from "./inventory";
import type { InventoryFiles } from "./inventoryFiles";
import { PACKAGE_NAME } from "./package";

const CRITICAL = /critical\/config: (?:Error: )?(.*)$/;
/** A place in our package, as Icinga names it: `<path>: 12:3-12:20`. */
const PLACE = new RegExp(`/packages/${PACKAGE_NAME}/[^/\\s]+/(\\S+): (\\d+):\\d+`);
/** Where packages lie on the master: of no use to a reader. */
const PACKAGES_FOLDER = /\/var\/lib\/icinga2\/api\/packages\/([^/\s]+)\/[0-9a-f-]{36}\//g;

/**
 * What Icinga has against a package, in one line: its own message, where in the package, and, where it can be told, the
 * place in the inventory.
 *
 * @param log startup.log of the refused stage
 * @param packageFiles what was refused: path -> text
 * @param inventoryFiles what it was rendered from
 */
export function explainRefusal(
  log: string,
  packageFiles: ReadonlyMap<string, string>,
  inventoryFiles: InventoryFiles,
): string {
  const lines = log.split("\n");
  const first = lines.findIndex((line) => CRITICAL.test(line));
  const message = CRITICAL.exec(lines[first] ?? "")?.[1] ?? lastWords(lines);
  const place = PLACE.exec(lines.slice(first, first + 3).join("\n"));
  const readable = message.replace(PACKAGES_FOLDER, "$1/");
  if (first < 0 || place === null) return readable;
  const [, file = "", line = ""] = place;
  const owner = ownerAt(packageFiles.get(file) ?? "", Number(line));
  const source = owner === undefined ? undefined : placeOf(inventoryFiles, owner);
  const inventory =
    source === undefined ? "" : `, from ${source.file}:${source.line}:${source.column} of the inventory`;
  return `${readable} (${file}:${line}${owner === undefined ? "" : `, ${WORDS[owner.section]} ${owner.name}`}${inventory})`;
}

const WORDS: Readonly<Record<Placed["section"], string>> = {
  hosts: "host",
  locations: "location",
  roles: "role",
  checks: "check",
  groups: "group",
  serviceGroups: "service group",
  contacts: "contact",
  contactGroups: "contact group",
  periods: "period",
  notifications: "notification rule",
};

/** Beginnings of objects, and where in the inventory that which they are made from stands. */
const OWNERS: readonly (readonly [RegExp, Placed["section"]])[] = [
  [/^object Host "([^"]+)"/, "hosts"],
  [/^object User "([^"]+)"/, "contacts"],
  [/^object UserGroup "([^"]+)"/, "contactGroups"],
  [/^object TimePeriod "([^"]+)"/, "periods"],
  [/^object CheckCommand "icinga-swarm-own-([^"]+)"/, "checks"],
  [/^object HostGroup "([^"]+)"/, "groups"],
  [/^object ServiceGroup "([^"]+)"/, "serviceGroups"],
  [/^apply Notification "([^"]+)"/, "notifications"],
];

/** What the object at a line was made from: itself, the host of a service, or the role of services that hosts share. */
function ownerAt(text: string, line: number): Placed | undefined {
  const lines = text.split("\n");
  for (let index = Math.min(line, lines.length) - 1; index >= 0; index -= 1) {
    const start = lines[index] ?? "";
    if (!/^(object|template|apply) /.test(start)) continue;
    for (const [begin, section] of OWNERS) {
      const name = begin.exec(start)?.[1];
      if (name !== undefined) return { section, name };
    }
    const body = lines.slice(index, lines.indexOf("}", index)).join("\n");
    const host = /^ {2}host_name = "([^"]+)"/m.exec(body)?.[1];
    if (host !== undefined) return { section: "hosts", name: host };
    const role = /^ {2}assign where "([^"/]+)\/[^"]*" in host\.vars\.checks/m.exec(body)?.[1];
    return role === undefined ? undefined : { section: "roles", name: role };
  }
  return undefined;
}

function lastWords(lines: readonly string[]): string {
  return lines.filter((line) => line.trim() !== "").at(-1) ?? "the validation ended without a message";
}
