import { counted } from "../units";
import type { Command } from "./command";
import { findSource, SOURCE_OPTIONS, validInventory } from "./source";

export const check: Command = {
  summary: "says every problem as file:line:column, or that there is none",
  operands: [],
  options: SOURCE_OPTIONS,
  examples: ["check --stack prod"],
  run: (call, around) => {
    const source = findSource(call, around);
    const { hosts } = validInventory(source, around);
    const checks = hosts.reduce((sum, host) => sum + host.checks.length, 0);
    around.out(`${source.dir.shown}: ${counted(hosts.length, "host")} with ${counted(checks, "check")}, no problems\n`);
    return 0;
  },
};
