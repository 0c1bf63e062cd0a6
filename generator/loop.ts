import {
  type ActivePackage,
  type Condition,
  ConfigurationCheck,
  describeSummary,
  type Summary,
} from "./configurationCheck";
import { ApiRefused, ApiUnavailable, type ConfigApi } from "./icingaApi";
import { describeProblem, type Problem } from "./inventoryFiles";
import type { InventorySource, Sighting, Snapshot, Trouble } from "./inventorySource";
import { PackageRefused, type Pace, reconcile, validatedAt } from "./reconcile";
import { explainRefusal } from "./refusal";
import { mondayOf } from "./periods";
import { RemovalRefused, type RemovalRule } from "./removal";
import type { Reporter } from "./reporter";

/** A package's files: path -> text. */
type PackageFiles = ReadonlyMap<string, string>;

/** A package, and what is in it. */
export interface RenderedPackage {
  readonly files: PackageFiles;
  readonly summary: Summary;
}

/** What an inventory becomes: a package, or what is wrong with it. */
export type Rendering = RenderedPackage | { readonly problems: readonly Problem[] };

export interface LoopSettings {
  /**
   * Makes a package of an inventory.
   *
   * @param monday the Monday of this week, such as `2026-11-23`: what is in force may change with the week
   */
  readonly render: (snapshot: Snapshot, monday: string) => Rendering;
  readonly removal: RemovalRule;
  readonly intervalMilliseconds: number;
  /** How long to wait for the master. @default as reconcile has it */
  readonly pace?: Omit<Pace, "onWait">;
  /** Milliseconds. @default the clock */
  readonly now?: () => number;
}

/** How long the API may refuse the service before it is called a failure: while a password changes, both sides do in turn. */
const REFUSAL_PATIENCE_MILLISECONDS = 20_000;

/** A refused package is tried again after this time: what it needs may have come to the master by another way. */
const RETRY_REFUSED_MILLISECONDS = 300_000;

/** Waiting for the master is looked at often: a start should not take longer for it. */
const RETRY_WAITING_MILLISECONDS = 500;

/** How often a long look at the source says that the service lives. */
const SIGN_OF_LIFE_MILLISECONDS = 5_000;

/**
 * Keeps the package on the master what the newest inventory says, or, as long as that one is no good, what the last good
 * one said. Each call of `tick` is one look; nothing it meets ends the service.
 */
export class Loop {
  private readonly renderings = new WeakMap<Snapshot, { readonly monday: string; readonly rendering: Rendering }>();
  private readonly check: ConfigurationCheck;
  private readonly now: () => number;
  private active: ActivePackage | undefined;
  private activeFiles: PackageFiles | undefined;
  private readonly refusals = new WeakMap<PackageFiles, { readonly at: number; readonly message: string }>();
  private apiRefusedSince: number | undefined;
  private lastSuccess: number | undefined;
  private invalid: Snapshot | undefined;

  constructor(
    private readonly api: ConfigApi,
    private readonly source: InventorySource,
    private readonly reporter: Reporter,
    private readonly settings: LoopSettings,
  ) {
    this.now = settings.now ?? Date.now;
    this.check = new ConfigurationCheck(api, (line) => reporter.note(line), this.now);
  }

  /**
   * Looks at the source and at the master, and repairs what differs.
   *
   * @returns milliseconds until the next look
   */
  async tick(): Promise<number> {
    this.reporter.tick();
    const sighting = await this.whileShowingLife(this.source.look());
    const condition = await this.keep(sighting);
    this.reporter[condition.kind](condition.message);
    await this.check.publish({ condition, active: this.active, lastSuccess: this.lastSuccess });
    const { intervalMilliseconds } = this.settings;
    return Math.min(condition.lookAgainIn ?? intervalMilliseconds, intervalMilliseconds);
  }

  private async keep({ newest, good, trouble }: Sighting): Promise<Condition> {
    try {
      if (newest === undefined) return await this.stayWith(good, nothingYet(trouble));
      const rendering = this.render(newest);
      if ("problems" in rendering) return await this.stayWith(good, this.invalidInventory(newest, rendering.problems));
      const refused = await this.bring(newest, rendering);
      if (refused !== undefined) return await this.stayWith(good, { kind: "failed", message: refused });
      this.source.accept(newest);
      return this.success(trouble);
    } catch (error) {
      return this.explain(error);
    }
  }

  private render(snapshot: Snapshot): Rendering {
    const monday = mondayOf(new Date(this.now()));
    const known = this.renderings.get(snapshot);
    if (known?.monday === monday) return known.rendering;
    const rendering = this.settings.render(snapshot, monday);
    this.renderings.set(snapshot, { monday, rendering });
    return rendering;
  }

  /** @returns why it is refused, if it is; what was refused a short time ago is not tried again */
  private async bring(snapshot: Snapshot, rendered: RenderedPackage): Promise<string | undefined> {
    const known = this.refusals.get(rendered.files);
    if (known !== undefined && this.now() - known.at < RETRY_REFUSED_MILLISECONDS) return known.message;
    try {
      await this.apply(snapshot, rendered);
    } catch (error) {
      const message = describeRefusal(error, snapshot, rendered.files);
      if (message === undefined) throw error;
      this.refusals.set(rendered.files, { at: this.now(), message });
      return message;
    }
    this.refusals.delete(rendered.files);
    return undefined;
  }

  private async apply(snapshot: Snapshot, { files, summary }: RenderedPackage): Promise<void> {
    const onWait = (reason: string) => this.onWait(reason);
    // What is there besides the package that this very service brought is drift, not somebody's wish.
    const isKnown = files === this.activeFiles;
    const removal = isKnown ? undefined : this.settings.removal;
    const outcome = await reconcile(this.api, { wanted: files, removal }, { ...this.settings.pace, onWait });
    if (isKnown && outcome.uploaded) {
      this.reporter.note("drift repaired: the package on the master was not what the inventory says; it is again");
    }
    const { stage } = outcome;
    const since = stage === this.active?.stage ? this.active.since : await validatedAt(this.api, stage);
    this.active = { stage, since, summary, origin: snapshot.origin };
    this.activeFiles = files;
    this.apiRefusedSince = undefined;
  }

  /** As long as the newest inventory is no good, what was good before is kept as it was. */
  private async stayWith(good: Snapshot | undefined, condition: Condition): Promise<Condition> {
    const rendering = good === undefined ? undefined : this.render(good);
    if (good === undefined || rendering === undefined || "problems" in rendering) return condition;
    try {
      await this.bring(good, rendering);
    } catch (error) {
      // Whatever is wrong with this one, too: the condition is about the newest.
      if (!(error instanceof ApiUnavailable || error instanceof ApiRefused)) throw error;
    }
    return condition;
  }

  private success(trouble: Trouble | undefined): Condition {
    const { summary, origin, stage } = this.active as ActivePackage;
    if (trouble !== undefined) return { kind: "warning", message: `${trouble.message}; ${origin} stays active` };
    this.lastSuccess = this.now();
    const from = origin === undefined ? "" : `, from ${origin}`;
    return { kind: "active", message: `package active: ${describeSummary(summary)}${from} (stage ${stage})` };
  }

  private invalidInventory(snapshot: Snapshot, problems: readonly Problem[]): Condition {
    const [first, ...more] = problems.map(describeProblem);
    if (this.invalid !== snapshot) for (const line of more) this.reporter.note(line);
    this.invalid = snapshot;
    const what = snapshot.origin === undefined ? "the inventory" : `the inventory of ${snapshot.origin}`;
    const rest = more.length === 0 ? "" : ` (and ${more.length} more)`;
    const remedy = snapshot.origin === undefined ? "; mend it and run pulumi up" : "";
    return { kind: "failed", message: `${what} is not valid: ${first}${rest}${remedy}` };
  }

  private onWait(reason: string): void {
    if (this.active === undefined) this.reporter.waiting(reason);
    else this.reporter.tick();
  }

  private explain(error: unknown): Condition {
    if (error instanceof ApiRefused) {
      this.apiRefusedSince ??= this.now();
      const isFailure = this.now() - this.apiRefusedSince >= REFUSAL_PATIENCE_MILLISECONDS;
      const lookAgainIn = RETRY_WAITING_MILLISECONDS * 4;
      return { kind: isFailure ? "failed" : "waiting", message: error.message, lookAgainIn, isMasterAway: true };
    }
    this.apiRefusedSince = undefined;
    if (!(error instanceof ApiUnavailable)) throw error;
    const lookAgainIn = RETRY_WAITING_MILLISECONDS;
    return { kind: "waiting", message: error.message, lookAgainIn, isMasterAway: true };
  }

  /** A pull may take minutes, each of its steps with a time limit of its own. */
  private async whileShowingLife<Result>(work: Promise<Result>): Promise<Result> {
    const timer = setInterval(() => this.reporter.tick(), SIGN_OF_LIFE_MILLISECONDS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
    }
  }
}

function nothingYet(trouble: Trouble | undefined): Condition {
  if (trouble === undefined) return { kind: "waiting", message: "no inventory has come yet" };
  return { kind: trouble.isDefinite ? "failed" : "waiting", message: trouble.message };
}

/** @returns undefined for any other error */
function describeRefusal(error: unknown, snapshot: Snapshot, files: PackageFiles): string | undefined {
  const from = snapshot.origin === undefined ? "" : ` of ${snapshot.origin}`;
  if (error instanceof RemovalRefused) return `the inventory${from} is refused: ${error.message}`;
  if (!(error instanceof PackageRefused)) return undefined;
  const rest = error.activeStage === undefined ? "" : "; the package that was active stays so";
  return `Icinga refuses the package${from}: ${explainRefusal(error.log, files, snapshot.files)}${rest}`;
}
