import * as fs from "node:fs";
import * as path from "node:path";
import { IcingaApi } from "./icingaApi";
import { describeProblem, parseInventory, unpackShipment } from "./inventory";
import { MASTER } from "./location";
import { Loop, type Target } from "./loop";
import { renderPackage } from "./package";
import { Reporter } from "./reporter";

const SHIPMENT = "/etc/icinga-swarm/shipment";
/** Descriptors that images/config-generator/generator opens: this program's user may not open the files itself. */
const PASSWORD_DESCRIPTOR = 3;
const CA_DESCRIPTOR = 4;
const STATE = "/run/config-generator";
const DEFAULT_INTERVAL_SECONDS = 30;

/** The generator's service: renders what `pulumi up` shipped and keeps it active on the master. */
async function main(): Promise<void> {
  // Every state it keeps is on the master: there is nothing to finish.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  const reporter = new Reporter(STATE, (line) => process.stdout.write(`${line}\n`));
  const target = readTarget(SHIPMENT, reporter);
  if (target === undefined) return idle(reporter);
  const api = new IcingaApi({
    url: process.env["ICINGA_API_URL"] ?? `https://${MASTER.endpoint}:${MASTER.port}`,
    serverName: MASTER.endpoint,
    ca: fs.readFileSync(CA_DESCRIPTOR, "utf8"),
    user: "generator",
    // Editors leave a line end behind.
    password: fs.readFileSync(PASSWORD_DESCRIPTOR, "utf8").replace(/\r?\n$/, ""),
  });
  const loop = new Loop(api, target, reporter, intervalSeconds() * 1000);
  for (;;) await sleep(await loop.tick());
}

function readTarget(folder: string, reporter: Reporter): Target | undefined {
  const chunks = fs.readdirSync(folder).filter((name) => /^\d+$/.test(name));
  const texts = chunks.sort().map((name) => fs.readFileSync(path.join(folder, name), "utf8"));
  const { files, locations } = unpackShipment(texts);
  const { inventory, problems } = parseInventory(files, locations);
  if (problems.length > 0) {
    const [first, ...more] = problems.map(describeProblem);
    for (const line of more) reporter.note(line);
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    reporter.failed(`the inventory is not valid: ${first}${rest}; mend it and run pulumi up`);
    return undefined;
  }
  return { wanted: renderPackage(inventory, locations), inventoryFiles: files };
}

/** A container that ends would be started again and again; one that stays can say why. */
async function idle(reporter: Reporter): Promise<never> {
  for (;;) {
    reporter.tick();
    await sleep(5000);
  }
}

function intervalSeconds(): number {
  const text = process.env["GENERATOR_INTERVAL"] ?? "";
  const seconds = Number(text);
  return text !== "" && Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_INTERVAL_SECONDS;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
