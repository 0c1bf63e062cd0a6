import * as fs from "node:fs";
import * as path from "node:path";
import { renderPackage } from "../package";
import { mondayOf } from "../periods";
import { type Command, UsageError } from "./command";
import { findSource, SOURCE_OPTIONS, validInventory } from "./source";

export const render: Command = {
  summary: "writes the Icinga configuration package that the inventory makes",
  details: "Periods of places that change their clocks are those of the weeks around today.",
  operands: [],
  options: {
    ...SOURCE_OPTIONS,
    output: {
      value: "<dir>",
      text: "write the package's files below this folder; it must be empty or not there yet",
    },
  },
  examples: ["render --stack dev", "render --stack prod --output /tmp/package"],
  run: (call, around) => {
    const source = findSource(call, around);
    const { output } = call.options;
    const files = renderPackage(validInventory(source, around), source.locations, { monday: mondayOf(around.now()) });
    if (output === undefined) for (const [file, text] of files) around.out(`// ===== ${file}\n${text}\n`);
    else {
      write(files, path.resolve(around.cwd, output), output);
      around.out(`${files.size} files written below ${output}\n`);
    }
    return 0;
  },
};

function write(files: ReadonlyMap<string, string>, folder: string, shown: string): void {
  // Files of an earlier run that the package no longer has would still be loaded.
  if (fs.existsSync(folder) && fs.readdirSync(folder).length > 0) {
    throw new UsageError(`${shown} is not empty; name a folder that is not there yet`);
  }
  for (const [file, text] of files) {
    const target = path.join(folder, file);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, text);
  }
}
