import * as path from "node:path";
import { importNagios as run } from "../nagios";
import { type Command, UsageError } from "./command";

export const importNagios: Command = {
  summary: "writes an inventory that monitors what a Nagios configuration does",
  details:
    "Tells, with file and line, what it could not carry over; docs/from-nagios.md goes through a whole move.\n" +
    "Nothing is written if Nagios itself would refuse the configuration.",
  operands: ["<nagios.cfg>"],
  options: {
    output: { value: "<dir>", text: "the inventory's folder; it must be empty or not there yet" },
    location: { value: "<name>", text: "the location of all hosts, or of those that --places does not place" },
    places: { value: "<file>", text: "a YAML file that places host groups, with lines such as europe: frankfurt" },
    timezone: { value: "<zone>", text: "where Nagios runs, such as Europe/Berlin; by default its use_timezone" },
    root: { value: "<dir>", text: "a copy of the other machine's files: absolute paths are looked up below it" },
  },
  examples: [
    "import-nagios /etc/nagios/nagios.cfg --output inventory/prod --location frankfurt",
    "import-nagios copy/etc/nagios/nagios.cfg --root copy --output inventory/prod --places places.yaml",
  ],
  run: ({ operands: [main = ""], options }, { cwd, out, err }) => {
    const { output, location, places, timezone, root } = options;
    if (output === undefined) throw new UsageError("say where to write the inventory: --output <dir>");
    if (location === undefined && places === undefined) {
      throw new UsageError("say where the hosts are: --location <name>, --places <file>, or both");
    }
    const resolved = (file: string | undefined) => (file === undefined ? undefined : path.resolve(cwd, file));
    return run({
      nagiosCfg: path.resolve(cwd, main),
      output: path.resolve(cwd, output),
      location,
      locationsOf: resolved(places),
      timezone,
      root: resolved(root),
      shown: (file) => shortest(file, path.relative(cwd, file)),
      out,
      err,
    });
  },
};

/** A path as the user would name it. */
function shortest(absolute: string, relative: string): string {
  return relative !== "" && relative.length < absolute.length ? relative : absolute;
}
