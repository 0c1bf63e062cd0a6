import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Site } from "../../generator/inventory";
import { packShipment } from "../../generator/shipment";
import { callApi, Credentials } from "./icingaStack";
import { IMAGES, type Texts, Trial, type TrialContainer, until } from "./icingaTrial";

const GENERATOR = process.env["ICINGA_SWARM_IMAGE_CONFIG_GENERATOR"] ?? "icinga-swarm/config-generator:dev";

export const SITES: readonly Site[] = [
  { name: "frankfurt", slaves: 1 },
  { name: "chicago", slaves: 3, displayName: 'Chicago "IL" \\ $x$' },
];

/**
 * The real Icinga of the master's image with the real configuration, but for the database and Livestatus, which the
 * generator has nothing to do with.
 */
const START_MASTER = `#!/bin/bash
set -euo pipefail
source /usr/local/lib/icinga-swarm/init.sh
begin
install -d -o nagios -g nagios -m 700 /var/lib/icinga2 /var/lib/icinga2/{ca,certs}
install -d -o nagios -g nagios /run/icinga2 /run/icinga2/cmd
cd /var/lib/icinga2/certs
write_file ../ca/ca.crt nagios:nagios 644 <"$SECRETS_DIR/icinga-ca.crt"
write_file ../ca/ca.key nagios:nagios 600 <"$SECRETS_DIR/icinga-ca.key"
cp ../ca/ca.crt ca.crt
if [[ ! -e icinga-master.crt ]]; then
  as_user nagios icinga2 pki new-cert --cn icinga-master --key icinga-master.key --csr icinga-master.csr
  as_user nagios icinga2 pki sign-csr --csr icinga-master.csr --cert icinga-master.crt
fi
cp -r /usr/local/share/icinga-swarm/icinga2/. /etc/icinga2/
install -d /etc/icinga2/zones.d
rm -f /etc/icinga2/features-enabled/{ido-mysql,livestatus,compatlog}.conf
cp /test/secrets.conf /etc/icinga2/secrets.conf
[[ ! -e /test/extra.conf ]] || cp /test/extra.conf /etc/icinga2/features-enabled/extra.conf
printf status | write_file "$RUN_DIR/status-password" root:nagios 640
exec setpriv --reuid nagios --regid nagios --init-groups -- icinga2 daemon
`;

/** Asks the master as the user of its own health check. */
const ASK = `
import json, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(json.dumps(LocalApi("icinga-master").get(sys.argv[1])))
`;

interface Package {
  readonly name: string;
  readonly stages: readonly string[];
  readonly "active-stage": string;
}

/** What the check of the generator on the master shows. */
export interface ShownCheck {
  /** 0 OK, 1 WARNING, 2 CRITICAL. */
  readonly state: number;
  readonly output: string;
  readonly performanceData: readonly string[];
}

export interface GeneratorOptions {
  /** An inventory of one file. @default none: it comes from Git */
  readonly inventory?: string;
  readonly spec: string;
  /** As in a stack's `generator`. @default nothing said */
  readonly settings?: object;
  /** Besides those that it always has. */
  readonly secrets?: Texts;
}

/** A master and the generators that work on it. */
export class GeneratorTrial {
  readonly credentials = new Credentials();
  private main: TrialContainer | undefined;

  private constructor(readonly trial: Trial) {}

  static async create(): Promise<GeneratorTrial> {
    const made = new GeneratorTrial(await Trial.create());
    made.main = await made.startMaster("icinga-master");
    return made;
  }

  get master(): TrialContainer {
    if (this.main === undefined) throw new Error("the master was not started");
    return this.main;
  }

  /** @param extra further configuration */
  async startMaster(name: string, extra?: string): Promise<TrialContainer> {
    const container = await this.trial.start({
      image: IMAGES.master,
      name,
      secrets: this.credentials.master,
      files: {
        "/test/start": START_MASTER,
        "/test/secrets.conf": this.secretsConf(),
        ...(extra === undefined ? {} : { "/test/extra.conf": extra }),
      },
      entrypoint: ["/test/start"],
    });
    await until(
      async () => (await container.logs()).includes("Activated all objects"),
      () => container.logs(),
      30,
    );
    return container;
  }

  /** Written as Icinga's own language wants it: the password has all that could break out. */
  private secretsConf(): string {
    const quoted = this.credentials.generatorPassword.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
    return [
      'const TicketSalt = "x"',
      `const GeneratorPassword = "${quoted}"`,
      'const StatusPassword = "status"',
      'const MysqlHost = "mysql"',
      "const HasHeartbeat = false",
    ].join("\n");
  }

  async startGenerator({ inventory, spec, settings = {}, secrets = {} }: GeneratorOptions): Promise<TrialContainer> {
    const chunks = shipment(inventory);
    return this.trial.start({
      image: GENERATOR,
      name: "config-generator",
      environment: { SPEC_HASH: spec, GENERATOR_INTERVAL: "1", ICINGA_API_URL: "https://icinga-master:5665" },
      secrets: {
        "icinga-ca.crt": this.credentials.caCertificate,
        "icinga-api-generator-password": `${this.credentials.generatorPassword}\n`,
        ...secrets,
      },
      files: {
        "/etc/icinga-swarm/generator.json": JSON.stringify(settings),
        ...Object.fromEntries(
          chunks.map((chunk, index) => [`/etc/icinga-swarm/shipment/${String(index).padStart(3, "0")}`, chunk]),
        ),
      },
      volumes: { "/var/lib/config-generator": "generator-data" },
    });
  }

  /** A generator that was given nothing. */
  startEmpty(): Promise<TrialContainer> {
    return this.trial.start({ image: GENERATOR, name: "empty" });
  }

  /** The results of a call as the generator's user. */
  async ask<Result>(method: "GET" | "POST", path: string, body: object = {}): Promise<Result[]> {
    const { text } = await callApi(this.master, method, path, body);
    return (JSON.parse(text) as { results: Result[] }).results;
  }

  ourPackage(): Promise<Package | undefined> {
    return this.findPackage("icinga-swarm");
  }

  async findPackage(wanted: string): Promise<Package | undefined> {
    const packages = await this.ask<Package>("GET", "config/packages");
    return packages.find(({ name }) => name === wanted);
  }

  async activeStage(): Promise<string | undefined> {
    return (await this.ourPackage())?.["active-stage"];
  }

  /** How many packages were uploaded so far. */
  async uploads(): Promise<number> {
    return (await this.master.logs())
      .split("\n")
      .filter((line) => line.includes("Request POST /v1/config/stages/icinga-swarm")).length;
  }

  /** Changes the active package by hand, on the master's disk. */
  async damage(): Promise<void> {
    await this.master.output("bash", "-c", "echo // >>/var/lib/icinga2/api/packages/icinga-swarm/*/conf.d/zones.conf");
  }

  /** What the check of the generator shows; undefined as long as there is no result. */
  async shownCheck(): Promise<ShownCheck | undefined> {
    const path = "objects/services/config-generator!configuration";
    const [service] = JSON.parse(await this.master.output("python3", "-c", ASK, path)) as {
      attrs: { last_check_result: { state: number; output: string; performance_data: string[] } | null };
    }[];
    const result = service?.attrs.last_check_result;
    return result
      ? { state: result.state, output: result.output, performanceData: result.performance_data }
      : undefined;
  }

  /** Waits until the check of the generator shows a state with a text, and gives it. */
  async shows(state: number, text: string, seconds = 60): Promise<ShownCheck> {
    let shown: ShownCheck | undefined;
    await until(
      async () => {
        shown = await this.shownCheck();
        return shown?.state === state && shown.output.includes(text);
      },
      () => `the check shows ${state}, "${text}", but ${JSON.stringify(shown)}`,
      seconds,
    );
    return shown as ShownCheck;
  }
}

export const health = async (container: TrialContainer) => (await container.inspect()).State.Health?.Status;

/** Packed as for the swarm. */
function shipment(inventory: string | undefined): string[] {
  if (inventory === undefined) return packShipment(undefined, SITES);
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-inventory-"));
  writeFileSync(join(folder, "hosts.yaml"), inventory);
  const chunks = packShipment(folder, SITES);
  rmSync(folder, { recursive: true });
  return chunks;
}
