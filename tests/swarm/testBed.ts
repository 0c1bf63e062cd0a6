import { Browser } from "../browser";
import { findExposures } from "./exposures";
import { removeLeftovers, startEngine, type TestEngine } from "./engine";
import { Neighbours } from "./neighbours";
import { NrpeClient } from "./nrpeClient";
import { NRPE_CLIENT_IMAGE, seedDataRoot } from "./seed";
import { Stack } from "./stack";
import { eventually, Workspace } from "./workspace";

/** Seconds between two checks of the customer's client. */
const INTERVAL = 5;
/** Services on the customer's client: enough that both slots of a pair get some. */
const SERVICES = ["switch", ...Array.from({ length: 9 }, (_, index) => `spread-${index + 1}`)];
const CUSTOMER_NETWORK = "customer-lan";
const CLIENT = "customer-client";

interface LocationSettings {
  name: string;
  nodes: string[];
  slaves?: number;
  latitude?: number;
  longitude?: number;
  networks?: string[];
}

/** One engine, one copy of the project, and a customer's NRPE client on a network of one location. */
export class TestBed {
  readonly stack: Stack;
  private shared: Promise<Browser> | undefined;

  constructor(
    readonly engine: TestEngine,
    readonly workspace: Workspace,
    readonly neighbours: Neighbours,
    private readonly nrpe: NrpeClient,
  ) {
    this.stack = new Stack(engine.docker);
  }

  /** Where slaves of Frankfurt reach the customer's client. */
  get client(): string {
    return CLIENT;
  }

  /** The files of the shipped inventory. */
  inventory(): Record<string, string> {
    return this.workspace.readFolder("inventory/dev");
  }

  /** A browser at the gateway's door; one for all. */
  browser(): Promise<Browser> {
    this.shared ??= Browser.start(`https://${this.engine.address}:8443`);
    return this.shared;
  }

  /** Ports of the node that the stack answers at. */
  async publishedPorts(): Promise<number[]> {
    const services = (await this.engine.docker.listServices()) as {
      Endpoint?: { Spec?: { Ports?: { PublishedPort: number }[] } };
    }[];
    const ports = services.flatMap(({ Endpoint }) => Endpoint?.Spec?.Ports ?? []);
    return ports.map(({ PublishedPort }) => PublishedPort).sort();
  }

  /** Whether the one container of a service says that it is well. */
  async isHealthy(service: string): Promise<boolean> {
    const { State } = await this.engine.docker.getContainer(await this.stack.container(service)).inspect();
    return State.Health?.Status === "healthy";
  }

  async remove(): Promise<void> {
    await (await this.shared)?.stop();
    this.workspace.remove();
    await this.engine.stop();
  }

  /** The two locations of the shared stack `dev`; the customer's client is on a network that only Frankfurt names. */
  locations(changes: { frankfurt?: Partial<LocationSettings> } = {}): LocationSettings[] {
    return [
      {
        name: "frankfurt",
        nodes: ["self"],
        networks: [CUSTOMER_NETWORK],
        latitude: 50.11,
        longitude: 8.68,
        ...changes.frankfurt,
      },
      { name: "chicago", nodes: ["self"], latitude: 41.88, longitude: -87.63 },
    ];
  }

  addSingapore(): void {
    const locations = this.workspace.setting("locations") as LocationSettings[];
    this.workspace.configure({ locations: [...locations, { name: "singapore", nodes: ["self"] }] });
    this.workspace.write(
      "inventory/dev/singapore.yaml",
      "hosts: [{ name: singapore-local, address: 127.0.0.1, location: singapore, checks: [ping: { interval: 5s }] }]\n",
    );
  }

  removeSingapore(): void {
    const locations = this.workspace.setting("locations") as LocationSettings[];
    this.workspace.configure({ locations: locations.filter(({ name }) => name !== "singapore") });
    this.workspace.delete("inventory/dev/singapore.yaml");
  }

  /** When a service was made, and when its one task did its job: milliseconds. */
  async times(service: string): Promise<{ created: number; ready: number }> {
    const docker = this.engine.docker;
    const inspected = (await docker.getService(service).inspect()) as { CreatedAt: string };
    const tasks = (await docker.listTasks({ filters: { service: [service] } })) as {
      Status: { State: string; Timestamp: string };
    }[];
    const running = tasks.find(({ Status }) => Status.State === "running");
    return { created: Date.parse(inspected.CreatedAt), ready: Date.parse(running?.Status.Timestamp ?? "") };
  }

  /** What the customer's client answers from now on: 0 OK to 3 UNKNOWN. */
  async clientAnswers(state: number): Promise<void> {
    await this.nrpe.answers(state);
  }

  /** How often the client was asked within some seconds, and how often one slave alone would have asked. */
  async executionsDuring(seconds: number): Promise<{ executions: number; expected: number }> {
    const executions = await this.nrpe.executionsDuring(seconds);
    return { executions, expected: (SERVICES.length * seconds) / INTERVAL };
  }

  /** Deletes a slot's container together with its volumes, as a lost disk would. */
  async loseVolumes(service: string): Promise<void> {
    const docker = this.engine.docker;
    const replicas = await this.scale(service, 0);
    await eventually("the slots to end", async () => {
      const left = await docker.listContainers({
        all: true,
        filters: { label: [`com.docker.swarm.service.name=${service}`] },
      });
      await Promise.all(
        left.map(({ Id }) =>
          docker
            .getContainer(Id)
            .remove({ force: true })
            .catch(() => undefined),
        ),
      );
      return left.length === 0;
    });
    const { Volumes } = await docker.listVolumes();
    const own = Volumes.filter(({ Name }) => Name.startsWith(`${service.replace("icinga-", "icinga2-")}-`));
    await Promise.all(own.map(({ Name }) => docker.getVolume(Name).remove()));
    await this.scale(service, replicas);
  }

  /** Sets the number of a service's tasks behind Pulumi's back. @returns the number before */
  private async scale(service: string, replicas: number): Promise<number> {
    const handle = this.engine.docker.getService(service);
    const { Spec, Version } = (await handle.inspect()) as {
      Spec: { Mode: { Replicated: { Replicas: number } } };
      Version: { Index: number };
    };
    const before = Spec.Mode.Replicated.Replicas;
    await handle.update({ ...Spec, version: Version.Index, Mode: { Replicated: { Replicas: replicas } } });
    return before;
  }

  async stopService(service: string): Promise<void> {
    await this.scale(service, 0);
    await eventually(`${service} to stop`, async () => !(`${service}.1` in (await this.stack.containers())));
  }

  async startService(service: string): Promise<void> {
    await this.scale(service, 1);
    await eventually(`${service} to run`, async () => `${service}.1` in (await this.stack.containers()));
  }

  /** Cuts a slave off from the master. @returns what heals the link */
  async cutLink(service: string, slot: number): Promise<() => Promise<void>> {
    return this.engine.cutContainerLink(await this.stack.container(service, slot), await this.masterAddress());
  }

  private async masterAddress(): Promise<string> {
    const { output } = await this.stack.exec(SLAVE_SERVICE, ["getent", "ahostsv4", "icinga-master"]);
    return output.split(/\s/)[0] ?? "";
  }

  /** Asks the master for a certificate with what the first slave of Frankfurt holds. @returns `issued` or `refused` */
  async requestCertificate(name: string): Promise<string> {
    return (await this.stack.exec(SLAVE_SERVICE, ["bash", "-c", REQUEST_CERTIFICATE, "-", name])).output.trim();
  }

  /** What a slave meets at a port: `open`, `refused`, `silent` or `no such name`. */
  async reach(host: string, port: number): Promise<string> {
    return (await this.stack.exec(SLAVE_SERVICE, ["python3", "-c", REACH, host, String(port)])).output.trim();
  }

  /** Whether Livestatus answers where it should: a refusal elsewhere would prove nothing otherwise. */
  async livestatusListens(): Promise<boolean> {
    const { output } = await this.stack.exec("icinga-master", ["cat", "/run/icinga-swarm/livestatus-address"]);
    const { output: reached } = await this.stack.exec("icinga-master", ["python3", "-c", REACH, output.trim(), "6558"]);
    return reached.trim() === "open";
  }

  async volumes(): Promise<string[]> {
    return (await this.engine.docker.listVolumes()).Volumes.map(({ Name }) => Name);
  }

  /** Places where a credential of the stack can be read. */
  exposures(): Promise<string[]> {
    return findExposures(this.stack, this.workspace);
  }
}

const SLAVE_SERVICE = "icinga-slave-frankfurt";

const REACH = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5).close()
    print("open")
except socket.gaierror:
    print("no such name")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("silent")
`;

const REQUEST_CERTIFICATE = `
folder=$(mktemp -d) && chown nagios "$folder" && cd "$folder" || exit
ticket=$(awk -v name="$HOSTNAME" '$1 == name { print $2 }' /run/secrets/icinga-tickets)
{
  icinga2 pki new-cert --cn "$1" --key key --cert crt &&
  icinga2 pki save-cert --host icinga-master --port 5665 --key key --cert crt --trustedcert trusted &&
  icinga2 pki request --host icinga-master --port 5665 --ticket "$ticket" --key key --cert crt --trustedcert trusted --ca ca
} >log 2>&1
if openssl verify -CAfile /run/secrets/icinga-ca.crt crt >>log 2>&1; then echo issued; else echo refused; fi
rm -rf "$folder"
`;

const CUSTOMER_INVENTORY = `
hosts:
  - name: customer
    address: ${CLIENT}
    location: frankfurt
    checks:
${SERVICES.map(customerCheck).join("")}`;

function customerCheck(name: string): string {
  const timing = `interval: ${INTERVAL}s, retryInterval: ${INTERVAL}s, attempts: 1`;
  return `      - nrpe: { command: check_switch, name: ${name}, ${timing} }\n`;
}

/** Starts an engine with a swarm, the customer's client on a network of its own, and a copy of the project. */
export async function createTestBed(): Promise<TestBed> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await removeLeftovers();
  const seed = await seedDataRoot(say);
  const engine = await startEngine({ seed: seed.dataRoot });
  try {
    const { docker } = engine;
    await docker.createNetwork({ Name: CUSTOMER_NETWORK, Driver: "overlay", Attachable: true });
    const client = await docker.createContainer({
      name: CLIENT,
      Image: NRPE_CLIENT_IMAGE,
      HostConfig: { NetworkMode: CUSTOMER_NETWORK },
    });
    await client.start();
    const workspace = await Workspace.create(engine.dockerHost);
    const neighbours = await Neighbours.start(docker, engine.address, CUSTOMER_NETWORK);
    const bed = new TestBed(engine, workspace, neighbours, new NrpeClient(engine, client.id, CLIENT));
    workspace.write("inventory/dev/customer.yaml", CUSTOMER_INVENTORY);
    const { mailRelay } = neighbours;
    workspace.configure({ locations: bed.locations(), readiness: { timeoutSeconds: 180 }, mailRelay }, "dev");
    return bed;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
