import { ApiRefused, ApiUnavailable, type ConfigApi } from "./icingaApi";
import type { InventoryFiles } from "./inventoryFiles";
import { type Outcome, PackageRefused, type Pace, reconcile } from "./reconcile";
import { explainRefusal } from "./refusal";
import type { Reporter } from "./reporter";

/** What the service keeps true. */
export interface Target {
  /** The package's files: path -> text. */
  readonly wanted: ReadonlyMap<string, string>;
  /** What they were rendered from, to name places in it. */
  readonly inventoryFiles: InventoryFiles;
}

/** How long the API may refuse the service before it is called a failure: while a password changes, both sides do in turn. */
const REFUSAL_PATIENCE_MILLISECONDS = 20_000;

/** A refused package is tried again after this time: what it needs may have come to the master by another way. */
const RETRY_REFUSED_MILLISECONDS = 300_000;

/** Waiting for the master is looked at often: a start should not take longer for it. */
const RETRY_WAITING_MILLISECONDS = 500;

/**
 * Keeps the package on the master what it should be. Each call of `tick` is one look; nothing it meets ends the service.
 */
export class Loop {
  private active: Outcome | undefined;
  private refusedAt: number | undefined;
  private apiRefusedSince: number | undefined;

  constructor(
    private readonly api: ConfigApi,
    private readonly target: Target,
    private readonly reporter: Reporter,
    private readonly intervalMilliseconds: number,
    private readonly pace: Omit<Pace, "onWait"> = {},
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Looks at the master and repairs what differs.
   *
   * @returns milliseconds until the next look
   */
  async tick(): Promise<number> {
    this.reporter.tick();
    if (this.refusedAt !== undefined && this.now() - this.refusedAt < RETRY_REFUSED_MILLISECONDS) {
      return this.intervalMilliseconds;
    }
    try {
      const onWait = (reason: string) => this.onWait(reason);
      this.becomeActive(await reconcile(this.api, this.target.wanted, { ...this.pace, onWait }));
      return this.intervalMilliseconds;
    } catch (error) {
      return this.explain(error);
    }
  }

  private onWait(reason: string): void {
    if (this.active === undefined) this.reporter.waiting(reason);
    else this.reporter.tick();
  }

  private becomeActive(outcome: Outcome): void {
    if (this.active !== undefined && outcome.uploaded) {
      this.reporter.note("drift repaired: the package on the master was not what the inventory says; it is again");
    }
    this.active = outcome;
    this.refusedAt = undefined;
    this.apiRefusedSince = undefined;
    this.reporter.active(`package active: ${describe(this.target.wanted)} (stage ${outcome.stage})`);
  }

  private explain(error: unknown): number {
    const isApiRefusal = error instanceof ApiRefused;
    this.apiRefusedSince = isApiRefusal ? (this.apiRefusedSince ?? this.now()) : undefined;
    if (error instanceof PackageRefused) {
      const { wanted, inventoryFiles } = this.target;
      const message = explainRefusal(error.log, wanted, inventoryFiles);
      const rest = error.activeStage === undefined ? "" : "; the package that was active stays so";
      this.reporter.failed(`Icinga refuses the package: ${message}${rest}`);
      this.refusedAt = this.now();
      return this.intervalMilliseconds;
    }
    if (isApiRefusal) {
      const isFailure = this.now() - (this.apiRefusedSince ?? 0) >= REFUSAL_PATIENCE_MILLISECONDS;
      if (isFailure) this.reporter.failed(error.message);
      else this.reporter.waiting(error.message);
      return RETRY_WAITING_MILLISECONDS * 4;
    }
    if (error instanceof ApiUnavailable) {
      this.reporter.waiting(error.message);
      return Math.min(this.intervalMilliseconds, RETRY_WAITING_MILLISECONDS);
    }
    throw error;
  }
}

/** What a package holds, in numbers. */
function describe(files: ReadonlyMap<string, string>): string {
  const texts = [...files.values()];
  const count = (start: RegExp) => texts.reduce((sum, text) => sum + (text.match(start)?.length ?? 0), 0);
  const numbers = [
    [count(/^object Host /gm), "host", "hosts"],
    [count(/^object Service /gm), "service", "services"],
  ] as const;
  const [hosts, services] = numbers.map(([number, one, many]) => `${number} ${number === 1 ? one : many}`);
  const zones = count(/^object Zone /gm);
  return `${hosts}, ${services} in ${zones} ${zones === 1 ? "zone" : "zones"} of locations`;
}
