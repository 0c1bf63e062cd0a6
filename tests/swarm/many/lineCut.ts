import { stopwatch } from "../faultTable";
import { INTERVAL, type ManyBed, SERVICES, type Site } from "../manyBed";
import { eventually } from "../workspace";

/** Seconds that a site's client keeps each of its answers: every service sees each of them more than once. */
const PHASE = 3 * INTERVAL;
/** Phases that have to begin after the site noticed, so that there is something to be complete. */
const PHASES_AFTER = 3;
const LIMIT_SECONDS = 175;

/** What became of a site whose line was cut. Times are seconds since the cut, unless said otherwise. */
export interface LineReport {
  readonly noticedByMaster: number;
  /** When the last of its slaves noticed. */
  readonly noticedBySite: number;
  /** Since the line was mended: until the centre had fresh results of all services. */
  readonly servedAfter: number;
  /** How often the client was asked during the cut, and how often it should have been. */
  readonly checks: number;
  readonly expected: number;
  /** Changes of state that the site saw. */
  readonly changes: number;
  /** Those that are not in the centre's history, in words. */
  readonly missing: readonly string[];
}

/** An answer of the client, and from when until when it gave it: seconds since 1970. */
interface Phase {
  readonly state: number;
  readonly from: number;
  to: number;
}

/** One site's line, cut for a while, with a client whose states change all the time. */
export class LineCut {
  /**
   * @param endpoints of the site's slaves, which are the slots of one pair, in order
   * @param cut takes the line away; returns what mends it
   */
  constructor(
    private readonly bed: ManyBed,
    private readonly site: Site,
    private readonly endpoints: readonly string[],
    private readonly cut: () => Promise<() => Promise<void>>,
  ) {}

  /** Cuts the line, for longer if the site needs longer to notice, mends it, and waits until all is told that will be. */
  async during(seconds: number): Promise<LineReport> {
    const { client } = this.bed.lans[this.site];
    const asked = await client.executions();
    const mend = await this.cut();
    const since = stopwatch();
    const cutAt = Date.now() / 1000;
    const noticedByMaster = this.whenNoticedByMaster(since);
    const noticedBySite = this.whenNoticedBySite(since);
    let noticedAt = Infinity;
    void noticedBySite.then((at) => (noticedAt = cutAt + at));
    const isEnough = (phases: readonly Phase[]): boolean => {
      const after = phases.filter(({ from }) => from >= noticedAt).length;
      return since() > LIMIT_SECONDS || (since() >= seconds && after >= PHASES_AFTER);
    };
    const { phases, checks, cutFor } = await this.untilEnough(isEnough, asked, since).finally(mend);
    const servedAfter = await this.whenServed();
    return {
      noticedByMaster: await noticedByMaster,
      noticedBySite: await noticedBySite,
      servedAfter,
      checks,
      expected: (SERVICES.length * cutFor) / INTERVAL,
      changes: phases.length * SERVICES.length,
      missing: await this.missing(phases, cutAt),
    };
  }

  /** What is to be seen before the line is mended. */
  private async untilEnough(isEnough: (phases: readonly Phase[]) => boolean, asked: number, since: () => number) {
    const phases = await this.changeStates(isEnough);
    const checks = (await this.bed.lans[this.site].client.executions()) - asked;
    return { phases, checks, cutFor: since() };
  }

  /** The client gives one answer after the other until it is enough; the last one is OK again. */
  private async changeStates(isEnough: (phases: readonly Phase[]) => boolean): Promise<Phase[]> {
    const { client } = this.bed.lans[this.site];
    const phases: Phase[] = [];
    for (let state = 2; !(state === 2 && isEnough(phases)); state = 2 - state) {
      await client.answers(state);
      const phase = { state, from: Date.now() / 1000, to: Infinity };
      phases.push(phase);
      await sleep(PHASE * 1000);
      phase.to = Date.now() / 1000;
    }
    return phases;
  }

  private whenNoticedByMaster(since: () => number): Promise<number> {
    return untilSeen(since, async () => {
      const connected = await this.bed.stack.connected();
      return !this.endpoints.some((endpoint) => connected.includes(endpoint));
    });
  }

  private async whenNoticedBySite(since: () => number): Promise<number> {
    const whenNoticed = (slot: number) =>
      untilSeen(since, async () => {
        const { output } = await this.bed.stack.exec(this.service, ["python3", "-c", IS_CONNECTED], slot);
        return output.trim() === "False";
      });
    return Math.max(...(await Promise.all(this.endpoints.map((_, index) => whenNoticed(index + 1)))));
  }

  private get service(): string {
    return (this.endpoints[0] ?? "").replace(/-\d+$/, "");
  }

  /** Seconds from now until the centre has a result of each service that began after now. */
  private async whenServed(): Promise<number> {
    const since = stopwatch();
    const now = Date.now() / 1000;
    await eventually(
      `fresh results of ${this.site}`,
      async () => {
        const filter = `host.name=="client-${this.site}"`;
        const services = Object.values(await this.bed.stack.objects("services", ["last_check"], filter));
        return services.length > 0 && services.every(({ last_check: last }) => Number(last) > now);
      },
      150,
    );
    return since();
  }

  /** What of the phases is not in the history, once it no longer changes: the last of what is told may still be written. */
  private async missing(phases: readonly Phase[], cutAt: number): Promise<string[]> {
    const look = async () => {
      const history = await this.history((phases[0]?.from ?? 0) - 1);
      return phases.flatMap((phase) =>
        SERVICES.filter((service) => !history.some((change) => change.service === service && isOf(change, phase))).map(
          (service) => `${service} ${phase.state}, ${Math.round(phase.from - cutAt)} s after the cut`,
        ),
      );
    };
    await eventually("the history to be complete", async () => (await look()).length === 0, 30).catch(() => undefined);
    return look();
  }

  /** Changes of state in the centre's database since a moment. */
  private async history(since: number): Promise<Change[]> {
    const rows = await this.bed.stack.sql(
      "SELECT o.name2, h.state, UNIX_TIMESTAMP(h.state_time) FROM icinga_statehistory h " +
        `JOIN icinga_objects o ON o.object_id = h.object_id WHERE o.name1 = 'client-${this.site}' ` +
        `AND o.name2 IS NOT NULL AND h.state_time >= FROM_UNIXTIME(${Math.floor(since)})`,
    );
    return rows.map((row) => {
      const [service = "", state, time] = row.split("\t");
      return { service, state: Number(state), time: Number(time) };
    });
  }
}

/** Looks every two seconds, which costs little. @returns when it was seen; Infinity if it was not */
async function untilSeen(since: () => number, isSeen: () => Promise<boolean>): Promise<number> {
  while (since() < LIMIT_SECONDS) {
    const at = since();
    if (await isSeen().catch(() => false)) return at;
    await sleep(2000);
  }
  return Infinity;
}

interface Change {
  readonly service: string;
  readonly state: number;
  /** Whole seconds since 1970. */
  readonly time: number;
}

function isOf({ state, time }: Change, phase: Phase): boolean {
  return state === phase.state && time >= phase.from - 1 && time <= phase.to + 1;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Whether the slave that is asked is connected to the master. */
const IS_CONNECTED = `
import socket, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(LocalApi(socket.gethostname()).get("objects/endpoints/icinga-master", attrs="connected")[0]["attrs"]["connected"])
`;
