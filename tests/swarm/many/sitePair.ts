import { note, stopwatch } from "../faultTable";
import { INTERVAL, type ManyBed, SERVICES, type Site } from "../manyBed";
import { eventually } from "../workspace";

/** State of a service. Icinga makes such a result in a slave's own name also where nobody asked the client. */
const UNKNOWN = 3;
/**
 * Seconds until the other one of a pair checks all that a machine without power checked, at the most: Icinga gives a
 * connection up after 60 without a message, which it looks for every 30, takes up to 15 to close it, shares checks out
 * every 10 (2.14, lib/remote), and then each check has its turn; 5 for the results' way, and for looking at them.
 */
const TAKEN_OVER_SECONDS = 60 + 30 + 15 + 10 + INTERVAL + 5;

/**
 * Who made the last checks that began after a moment, and that asked the client: endpoints by `host!service`.
 *
 * @param hosts a pattern of names
 * @param since seconds since 1970
 */
export async function lastChecks({ stack }: ManyBed, hosts: string, since: number): Promise<Map<string, string>> {
  const services = await stack.objects("services", ["last_check_result"], `match("${hosts}", host.name)`);
  const results = Object.entries(services).flatMap(([name, { last_check_result: last }]) => {
    const result = last as { check_source: string; execution_start: number; state: number } | null;
    if (result === null || result.execution_start <= since || result.state === UNKNOWN) return [];
    return [[name, result.check_source] as const];
  });
  return new Map(results);
}

/** A site's pair of slaves, each on a node of its own, and the client that they share. */
export class SitePair {
  readonly service: string;
  private readonly client: string;

  constructor(
    private readonly bed: ManyBed,
    private readonly site: Site,
  ) {
    this.service = `icinga-slave-${site}`;
    this.client = `client-${site}`;
  }

  /** Name of a slot's endpoint. @param slot 1 or 2 */
  endpoint(slot: number): string {
    return `${this.service}-${slot}`;
  }

  /** The slot that runs on a node. */
  async slotOn(node: string): Promise<number> {
    const placement = Object.entries(await this.bed.stack.placement());
    const [task] = placement.find(([name, at]) => at === node && name.startsWith(`${this.service}.`)) ?? [];
    if (task === undefined) throw new Error(`no slot of ${this.service} runs on ${node}`);
    return Number(task.split(".")[1]);
  }

  /** How many of the client's services a slot checked last, after a moment. @param since seconds since 1970 */
  async checkedBy(slot: number, since: number): Promise<number> {
    const sources = await lastChecks(this.bed, this.client, since);
    return [...sources.values()].filter((source) => source === this.endpoint(slot)).length;
  }

  /** Waits until the centre has results of both slots, of checks that began after now. */
  async shares(seconds: number): Promise<void> {
    const since = Date.now() / 1000;
    await eventually(
      "checks by both",
      async () => new Set((await lastChecks(this.bed, this.client, since)).values()).size === 2,
      seconds,
    );
  }

  /** Waits until one slot has checked everything after a moment. @param since seconds since 1970 */
  async checksAlone(slot: number, since: number, seconds: number): Promise<void> {
    await eventually(
      `all checks by ${this.endpoint(slot)}`,
      async () => (await this.checkedBy(slot, since)) === SERVICES.length,
      seconds,
    );
  }

  /**
   * Takes a node's power and waits until the other slot checks everything, which is noted.
   *
   * @param what it is called in the table of faults
   * @param meanwhile is begun when the power is gone
   */
  async losePower(node: string, what: string, meanwhile: () => void = () => undefined): Promise<void> {
    const { stack, lans } = this.bed;
    const { client } = lans[this.site];
    const slot = await this.slotOn(node);
    const asked = await client.executions();
    const since = stopwatch();
    await this.bed.node(node).powerOff();
    const died = Date.now() / 1000;
    meanwhile();
    await eventually(
      "the master to notice",
      async () => !(await stack.isConnected(this.endpoint(slot))),
      TAKEN_OVER_SECONDS,
    );
    const noticed = since();
    await this.checksAlone(3 - slot, died, TAKEN_OVER_SECONDS - noticed);
    const served = since();
    const missed = (SERVICES.length * served) / INTERVAL - ((await client.executions()) - asked);
    note({ what, noticed, served, lost: `${Math.round(missed)} checks of its share` });
  }

  /** Gives it back and waits until both check, which is noted. */
  async regainPower(node: string): Promise<void> {
    const since = stopwatch();
    await this.bed.node(node).powerOn();
    await this.shares(120);
    note({ what: "its power is back", served: since(), lost: "-" });
  }
}
