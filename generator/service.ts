import * as fs from "node:fs";
import * as path from "node:path";
import { gitOverSsh, runGit } from "./gitProgram";
import { FetchedRepository } from "./gitRepository";
import { GitSource } from "./gitSource";
import { IcingaApi } from "./icingaApi";
import { parseInventory, unpackShipment } from "./inventory";
import { type InventorySource, shippedSource, type Snapshot } from "./inventorySource";
import { MASTER, topology } from "./location";
import { Loop, type Rendering } from "./loop";
import { certificateProblems } from "./nrpeCertificates";
import { renderPackage } from "./package";
import { Reporter } from "./reporter";
import { type GitSettings, isSshUrl, serviceSchema, type ServiceSettings } from "./serviceSettings";
import type { Shipment } from "./shipment";

const SHIPMENT = "/etc/icinga-swarm/shipment";
const SETTINGS = "/etc/icinga-swarm/generator.json";
/** Descriptors that images/config-generator/generator opens: this program's user may not open the files itself. */
const PASSWORD_DESCRIPTOR = 3;
const CA_DESCRIPTOR = 4;
const DEPLOY_KEY_DESCRIPTOR = 5;
const STATE = "/run/config-generator";
const DATA = "/var/lib/config-generator";
const DEFAULT_INTERVAL_SECONDS = 30;

/** The generator's service: renders what `pulumi up` shipped, or what it pulls, and keeps it active on the master. */
async function main(): Promise<void> {
  // Every state it keeps is on the master: there is nothing to finish.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
  const reporter = new Reporter(STATE, (line) => process.stdout.write(`${line}\n`));
  const api = new IcingaApi({
    url: process.env["ICINGA_API_URL"] ?? `https://${MASTER.endpoint}:${MASTER.port}`,
    serverName: MASTER.endpoint,
    ca: fs.readFileSync(CA_DESCRIPTOR, "utf8"),
    user: "generator",
    // Editors leave a line end behind.
    password: fs.readFileSync(PASSWORD_DESCRIPTOR, "utf8").replace(/\r?\n$/, ""),
  });
  const settings = serviceSchema.parse(JSON.parse(fs.readFileSync(SETTINGS, "utf8")));
  const { git, removal, confirmRemoval } = settings;
  const shipment = readShipment(SHIPMENT);
  const loop = new Loop(api, git === undefined ? shippedSource(shipment.files) : gitSource(git), reporter, {
    render: renderer(shipment, settings),
    removal: { ...removal, confirmed: confirmRemoval },
    intervalMilliseconds: intervalSeconds() * 1000,
  });
  for (;;) await sleep(await loop.tick());
}

function readShipment(folder: string): Shipment {
  const chunks = fs.readdirSync(folder).filter((name) => /^\d+$/.test(name));
  return unpackShipment(chunks.sort().map((name) => fs.readFileSync(path.join(folder, name), "utf8")));
}

/** Locations always come from `pulumi up`. */
function renderer(
  { locations }: Shipment,
  { nrpeCertificates, replayHours }: ServiceSettings,
): (snapshot: Snapshot, monday: string) => Rendering {
  const zones = locations.reduce((sum, location) => sum + topology(location).length, 0);
  return ({ files, problems: unreadable }, monday) => {
    const { inventory, problems } = parseInventory(files, locations);
    const unusable = nrpeCertificates ? [] : certificateProblems(inventory, files);
    const all = [...unreadable, ...problems, ...unusable];
    if (all.length > 0) return { problems: all };
    const { hosts } = inventory;
    const services = hosts.reduce((sum, host) => sum + host.checks.length, 0);
    const summary = { hosts: hosts.length, services, zones };
    return { files: renderPackage(inventory, locations, { monday, replayHours }), summary };
  };
}

function gitSource(settings: GitSettings): InventorySource {
  const { url, knownHosts = "" } = settings;
  const access = () => ({
    deployKey: fs.readFileSync(DEPLOY_KEY_DESCRIPTOR, "utf8"),
    knownHosts,
    folder: path.join(STATE, "ssh"),
  });
  const remote = isSshUrl(url) ? gitOverSsh(access()) : runGit;
  const repository = new FetchedRepository(settings, path.join(DATA, "repository"), remote, runGit);
  return new GitSource(settings, repository, path.join(DATA, "last-good.json"));
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
