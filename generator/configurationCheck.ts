import { counted } from "./units";
import { ApiRefused, ApiUnavailable, type CheckResult, type ConfigApi } from "./icingaApi";

/** How the service does. `waiting` may pass by itself, `failed` does not. */
export interface Condition {
  readonly kind: "active" | "warning" | "waiting" | "failed";
  /** One line for people. */
  readonly message: string;
  /** Milliseconds until the next look. @default the service's interval */
  readonly lookAgainIn?: number;
  /** Whether it is the master itself that does not answer. @default false */
  readonly isMasterAway?: boolean;
}

/** What a package holds of the inventory, in numbers. */
export interface Summary {
  readonly hosts: number;
  readonly services: number;
  /** Zones of the locations. */
  readonly zones: number;
}

/** What is active on the master, as far as the service knows. */
export interface ActivePackage {
  readonly stage: string;
  readonly summary: Summary;
  /** When the master found it valid. */
  readonly since: Date | undefined;
  /** Which inventory it was made from, such as `commit 1a2b3c4`. */
  readonly origin: string | undefined;
}

export interface Report {
  readonly condition: Condition;
  readonly active: ActivePackage | undefined;
  /** When all was well last, in milliseconds; undefined if it never was since the service started. */
  readonly lastSuccess: number | undefined;
}

/** The passive service on the master; a static object of its image, which becomes critical when no result comes. */
const HOST = "config-generator";
const SERVICE = "configuration";
const REPEAT_MILLISECONDS = 60_000;
const EXIT_STATUS = { active: 0, warning: 1, waiting: 1, failed: 2 } as const;
/** A validation can complain at length; who wants all of it reads the log. */
const MAXIMUM_LENGTH = 2_000;

/** Shows on the master how the generator does: at once when it changes, and every minute. Never in the way of its work. */
export class ConfigurationCheck {
  private lastKey = "";
  private lastAt = Number.NEGATIVE_INFINITY;
  private lastComplaint = "";

  /**
   * @param note one line to the log
   * @param now milliseconds
   */
  constructor(
    private readonly api: ConfigApi,
    private readonly note: (line: string) => void,
    private readonly now: () => number = Date.now,
  ) {}

  async publish(report: Report): Promise<void> {
    const { condition, active } = report;
    const key = JSON.stringify([condition.kind, condition.message, active?.stage]);
    const isDue = key !== this.lastKey || this.now() - this.lastAt >= REPEAT_MILLISECONDS;
    if (condition.isMasterAway || !isDue) return;
    try {
      // A master whose image does not have the service yet has nobody to tell.
      if (!(await this.api.submit(HOST, SERVICE, toCheckResult(report, this.now())))) return;
      this.lastKey = key;
      this.lastAt = this.now();
    } catch (error) {
      if (error instanceof ApiRefused) this.complain(error.message);
      else if (!(error instanceof ApiUnavailable)) throw error;
    }
  }

  private complain(message: string): void {
    if (message !== this.lastComplaint) this.note(`the check on the master cannot be kept up to date: ${message}`);
    this.lastComplaint = message;
  }
}

/** @param now milliseconds */
export function toCheckResult({ condition, active, lastSuccess }: Report, now: number): CheckResult {
  const output = condition.kind === "active" && active !== undefined ? allIsWell(active, now) : condition.message;
  const last =
    lastSuccess === undefined
      ? "no success since the generator started"
      : `last success ${utc(lastSuccess)}, ${duration(now - lastSuccess)} ago`;
  return {
    exitStatus: EXIT_STATUS[condition.kind],
    output: condition.kind === "active" ? output : `${output.slice(0, MAXIMUM_LENGTH)}\n${last}`,
    performanceData: [
      ...(lastSuccess === undefined ? [] : [`age=${Math.round((now - lastSuccess) / 1000)}s`]),
      ...(active === undefined ? [] : [`hosts=${active.summary.hosts}`, `services=${active.summary.services}`]),
    ],
  };
}

function allIsWell({ summary, since, origin }: ActivePackage, now: number): string {
  const made = since === undefined ? "active" : `active since ${utc(since.getTime())}`;
  return `${describeSummary(summary)} ${made}${origin === undefined ? "" : `, from ${origin}`}; last looked at ${utc(now)}`;
}

/** Such as `12 hosts, 34 services in 3 zones of locations`. */
export function describeSummary({ hosts, services, zones }: Summary): string {
  return `${counted(hosts, "host")}, ${counted(services, "service")} in ${counted(zones, "zone")} of locations`;
}

function utc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function duration(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return `${Math.floor(milliseconds / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
