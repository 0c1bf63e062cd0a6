import * as fs from "node:fs";
import * as path from "node:path";
import { REPLAY_HOURS } from "../location";
import { renderPackage } from "../package";
import { mondayOf } from "../periods";
import { type Command, UsageError } from "./command";
import { findSource, replayHoursOfStack, SOURCE_OPTIONS, validInventory } from "./source";

export const render: Command = {
  summary: "writes the Icinga configuration package that the inventory makes",
  details: `Periods of places that change their clocks are those of the weeks around today. How long slaves' messages are
kept for replay is what the stack says (retention.replayHours), and without --stack ${REPLAY_HOURS} hours.`,
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
    const circumstances = { monday: mondayOf(around.now()), replayHours: replayHoursOfStack(call, around) };
    const files = renderPackage(validInventory(source, around), source.locations, circumstances);
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
