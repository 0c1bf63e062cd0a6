import { createHash } from "node:crypto";
import { object, quote } from "../dsl";
import { compare, type Downtime, type Inventory } from "../model";
import { isDated, type Period, type Periods, renderRanges } from "../periods";
import { text } from "./attributes";

/**
 * Dated ranges reach from the week before the current one to the fourth after it: a week back for what is going on over
 * midnight, four ahead for a generator that is away for long.
 */
const DAYS_BACK = 7;
const DAYS = 42;

/** Where the ranges of an inventory's periods change with the week. */
export function dependsOnWeek({ periods }: Inventory, monday: string): boolean {
  return Object.values(periods).some((period) => isDated(period, periods, firstDay(monday), DAYS));
}

export function renderPeriods({ periods }: Inventory, monday: string): string {
  return Object.entries(periods)
    .map(([name, period]) =>
      object({
        kind: "object TimePeriod",
        name,
        attributes: [text("display_name", period.displayName), ["ranges", ranges(period, periods, monday)]],
      }),
    )
    .join("");
}

/** What hosts name a downtime by. */
export function downtimeId({ period, comment }: Downtime): string {
  const hash = createHash("sha256").update(comment).digest("hex").slice(0, 8);
  return `${period} ${hash}`;
}

/** Each planned work for those hosts that name it, and their services. */
export function renderDowntimes({ hosts, periods }: Inventory, monday: string): string {
  const downtimes = new Map(hosts.flatMap((host) => host.downtimes.map((one) => [downtimeId(one), one] as const)));
  return [...downtimes]
    .sort(([left], [right]) => compare(left, right))
    .flatMap(([id, { period, comment }]) =>
      (["Host", "Service"] as const).map((kind) =>
        object({
          kind: "apply ScheduledDowntime",
          name: id,
          to: kind,
          attributes: [
            ["author", quote("icinga-swarm")],
            ["comment", quote(comment)],
            ["ranges", ranges(periods[period] as Period, periods, monday)],
          ],
          rules: [`assign where ${quote(id)} in host.vars.downtimes`],
        }),
      ),
    )
    .join("");
}

function ranges(period: Period, periods: Periods, monday: string): string {
  const found = Object.entries(renderRanges(period, periods, firstDay(monday), DAYS));
  return `{${found.map(([day, times]) => `\n    ${quote(day)} = ${quote(times)}`).join("")}\n  }`;
}

function firstDay(monday: string): string {
  return new Date(Date.parse(monday) - DAYS_BACK * 86_400_000).toISOString().slice(0, 10);
}
