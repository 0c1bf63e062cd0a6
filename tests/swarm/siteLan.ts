import type { TestEngine } from "./engine";
import { NrpeClient } from "./nrpeClient";
import { NRPE_CLIENT_IMAGE } from "./seed";
import type { TestNode } from "./testSwarm";

/** Networks beyond those of the engines, which no router knows a way to. */
const FIRST_NETWORK = 251;
const NETWORKS = 4;
const CLIENT_HOST_NUMBER = 10;
/** Machines are numbered from here. */
const FIRST_MACHINE = 20;
/** The client's own end: a bridge that all cables are plugged into. */
const SWITCH = "lan";

/**
 * The network of one site, with an NRPE client on it. Machines that are attached reach it, and so do the containers on them;
 * for everybody else its addresses are nowhere.
 */
export class SiteLan {
  private cables = 0;

  private constructor(
    private readonly host: TestEngine,
    private readonly number: number,
    readonly client: NrpeClient,
  ) {}

  /**
   * @param host engine that runs the client; no part of the site, so that no fault of the site's machines takes the client away
   * @param number from 0 to 3: sites of one host have different ones
   */
  static async create(host: TestEngine, site: string, number: number): Promise<SiteLan> {
    if (number < 0 || number >= NETWORKS) throw new Error(`there are networks for ${NETWORKS} sites only`);
    const container = await host.docker.createContainer({
      name: `client-${site}`,
      Image: NRPE_CLIENT_IMAGE,
      HostConfig: { NetworkMode: "none" },
    });
    await container.start();
    const client = new NrpeClient(host, container.id, addressOf(number, CLIENT_HOST_NUMBER));
    const ip = (...args: string[]) => host.inNetworkOf(container.id, ["ip", ...args]);
    await ip("link", "add", SWITCH, "type", "bridge");
    await ip("address", "add", `${client.address}/24`, "dev", SWITCH);
    await ip("link", "set", SWITCH, "up");
    return new SiteLan(host, number, client);
  }

  /** Attaches a machine, with a network card more; it is attached again when it gets its power back. */
  async attach(node: TestNode): Promise<void> {
    const address = addressOf(this.number, FIRST_MACHINE + this.cables++);
    node.whenOn(() => this.plug(node.engine, address));
    await this.plug(node.engine, address);
  }

  private async plug(machine: TestEngine, address: string): Promise<void> {
    const { container } = this.client;
    const [socket, card] = [`lan-${machine.index}`, `lan${this.number}`];
    // The cable of a machine that had this number before can outlive it for a while.
    await this.host.inNetworkOf(container, ["ip", "link", "delete", socket]).catch(() => undefined);
    await this.host.layCable(container, socket, machine, card);
    await this.host.inNetworkOf(container, ["ip", "link", "set", socket, "master", SWITCH, "up"]);
    await machine.inEngine(["ip", "address", "add", `${address}/24`, "dev", card]);
    await machine.inEngine(["ip", "link", "set", card, "up"]);
  }
}

function addressOf(network: number, host: number): string {
  return `100.64.${FIRST_NETWORK + network}.${host}`;
}
