import { probeScript } from "../probe";
import { suggestion } from "../nearest";
import { type Command, UsageError } from "./command";
import { findSource, SOURCE_OPTIONS, validInventory } from "./source";

export const probe: Command = {
  summary: "prints a shell script that asks a location's NRPE clients whether they answer its slaves",
  details:
    "It is to be run on each node of the location, where the slaves' containers are, and changes nothing.\n" +
    "Clients that do not answer are listed with the address that their allowed_hosts must have.",
  operands: ["<location>"],
  options: SOURCE_OPTIONS,
  examples: [
    "probe frankfurt --stack prod | ssh fra-1 sh",
    "probe frankfurt --stack prod --inventory imported > probe.sh",
  ],
  run: ({ operands: [location = ""], ...call }, around) => {
    const source = findSource({ operands: [], ...call }, around);
    const site = source.locations.find(({ name }) => name === location);
    if (site === undefined) {
      const known = source.locations.map(({ name }) => name);
      throw new UsageError(`there is no location ${location}; ${suggestion(location, known, "locations")}`);
    }
    const script = probeScript(validInventory(source, around), site);
    if (script === undefined) around.err(`no host of ${location} has an NRPE check: there is nobody to ask\n`);
    else around.out(script);
    return script === undefined ? 1 : 0;
  },
};
