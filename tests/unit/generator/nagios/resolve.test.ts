import * as fs from "node:fs";
import * as path from "node:path";
import { readSources } from "../../../../generator/nagios/read";
import { resolve } from "../../../../generator/nagios/resolve";
import { judge, nagiosFiles } from "./nagios";
import { comparableOf, readPrecached } from "./precached";

const trees = path.join(__dirname, "trees");

describe("a Nagios configuration", () => {
  it.each(fs.readdirSync(trees))("resolves to the objects that Nagios precaches: %s", (tree) => {
    const main = path.join(trees, tree, "nagios.cfg");
    const { precached, output } = judge(main);
    if (precached === undefined) throw new Error(output);
    expect(comparableOf(resolve(readSources(main)))).toEqual(readPrecached(precached));
  });

  it("resolves as Nagios does: the sample in Debian's package", () => {
    const root = nagiosFiles();
    const main = path.join(root, "etc/nagios4/nagios.cfg");
    const { precached, output } = judge(main, root);
    if (precached === undefined) throw new Error(output);
    expect(comparableOf(resolve(readSources(main, root)))).toEqual(readPrecached(precached));
  });
});
