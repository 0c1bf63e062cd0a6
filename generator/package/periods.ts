import { createHash } from "node:crypto";
import { listeners } from "../audience";
import { object, quote } from "../dsl";
import { compare, type Downtime, type Inventory } from "../model";
import { type Period, type Periods, renderRanges } from "../periods";
import { text } from "./attributes";

/**
 * Dated ranges reach from the week before the current one to the fourth after it: a week back for what is going on over
 * midnight, four ahead for a generator that is away for long.
 */
const DAYS_BACK = 7;
const DAYS = 42;

export function renderPeriods(inventory: Inventory, monday: string): string {
  const { periods } = inventory;
  const { all, meetings } = withMeetings(inventory);
  return [...Object.keys(periods), ...meetings]
    .map((name) => {
      const period = all[name] as Period;
      return object({
        kind: "object TimePeriod",
        name,
        attributes: [text("display_name", period.displayName), ["ranges", ranges(period, all, monday)]],
      });
    })
    .join("");
}

/** Name of the times that are in a rule's period and in a contact's; undefined for always. */
export function meetingName(ofRule: string | undefined, ofContact: string | undefined): string | undefined {
  if (ofRule === undefined || ofContact === undefined || ofRule === ofContact) return ofRule ?? ofContact;
  return `${ofRule} & ${ofContact}`;
}

/** Periods of rules without the times that are not in their contacts' periods. `&` is in no name that people give. */
function withMeetings(inventory: Inventory): { all: Periods; meetings: string[] } {
  const all: Record<string, Period> = { ...inventory.periods };
  const meetings = new Set<string>();
  for (const rule of inventory.notifications) {
    for (const { contact } of listeners(inventory, rule)) {
      const name = meetingName(rule.period, contact.period);
      if (rule.period === undefined || contact.period === undefined || name === undefined || name === rule.period)
        continue;
      const outside = `not ${name}`;
      const period = all[rule.period] as Period;
      all[outside] = { timezone: "UTC", days: { "every day": "00:00-24:00" }, except: [contact.period] };
      all[name] = { ...period, displayName: undefined, except: [...(period.except ?? []), outside] };
      meetings.add(name);
    }
  }
  return { all, meetings: [...meetings].sort(compare) };
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
