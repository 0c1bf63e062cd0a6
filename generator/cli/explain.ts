import { explainHost } from "../explainText";
import { suggestion } from "../nearest";
import { type Command, UsageError } from "./command";
import { findSource, SOURCE_OPTIONS, validReading } from "./source";

export const explain: Command = {
  summary: "says what counts for a host and its services, where that stands, and who is told",
  details: `Of settings that stand in several places the nearest wins: the check, the host, its roles (for a role's own
check that role, then the one named last), the location, the defaults. Each line ends with the place
that counts and, where it stands in place of another one, with that.`,
  operands: ["<host>"],
  options: SOURCE_OPTIONS,
  examples: ["explain fra-web-1 --stack prod"],
  run: ({ operands: [host = ""], ...call }, around) => {
    const reading = validReading(findSource({ operands: [], ...call }, around), around);
    if (!reading.hosts.has(host)) {
      throw new UsageError(`there is no host ${host}; ${suggestion(host, [...reading.hosts.keys()], "hosts")}`);
    }
    around.out(explainHost(reading, host));
    return 0;
  },
};
