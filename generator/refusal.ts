import { placeOfHost } from "./inventory";
import type { InventoryFiles } from "./inventoryFiles";
import { PACKAGE_NAME } from "./package";

const CRITICAL = /critical\/config: (?:Error: )?(.*)$/;
/** A place in our package, as Icinga names it: `<path>: 12:3-12:20`. */
const PLACE = new RegExp(`/packages/${PACKAGE_NAME}/[^/\\s]+/(\\S+): (\\d+):\\d+`);
/** Where packages lie on the master: of no use to a reader. */
const PACKAGES_FOLDER = /\/var\/lib\/icinga2\/api\/packages\/([^/\s]+)\/[0-9a-f-]{36}\//g;

/**
 * What Icinga has against a package, in one line: its own message, where in the package, and, where it can be told, the
 * host's place in the inventory.
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
  const host = hostAt(packageFiles.get(file) ?? "", Number(line));
  const source = host === undefined ? undefined : placeOfHost(inventoryFiles, host);
  const inventory =
    source === undefined ? "" : `, from ${source.file}:${source.line}:${source.column} of the inventory`;
  return `${readable} (${file}:${line}${host === undefined ? "" : `, host ${host}`}${inventory})`;
}

/** The host that the object at a line is, or belongs to. */
function hostAt(text: string, line: number): string | undefined {
  const lines = text.split("\n");
  for (let index = Math.min(line, lines.length) - 1; index >= 0; index -= 1) {
    const start = lines[index] ?? "";
    const host = /^object Host "([^"]+)"/.exec(start)?.[1];
    if (host !== undefined) return host;
    if (/^(object|template|apply) /.test(start)) {
      const body = lines.slice(index, lines.indexOf("}", index));
      return body.flatMap((inner) => /^ {2}host_name = "([^"]+)"/.exec(inner)?.[1] ?? [])[0];
    }
  }
  return undefined;
}

function lastWords(lines: readonly string[]): string {
  return lines.filter((line) => line.trim() !== "").at(-1) ?? "the validation ended without a message";
}
