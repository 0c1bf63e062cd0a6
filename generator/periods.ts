import { dayNumber, decidingKeys, isoDate, isWeekly, WEEKDAYS, weekdayOf } from "./periods/days";
import { isAlways, type Period } from "./periods/schema";
import { MINUTES_A_DAY, shifted, type Span, union, within, without } from "./periods/spans";
import { clock, timesOf } from "./periods/times";
import { stretches } from "./periods/zones";

export { referenceProblems } from "./periods/references";
export { isAlways, type Period, periodSchema } from "./periods/schema";

/** Periods by their names. */
export type Periods = Readonly<Record<string, Period>>;

/** A time zone whose clocks are left alone for this long before and after is taken to leave them alone for good. */
const DAYS_OF_CALM = 366;

/**
 * A period as the `ranges` of an Icinga TimePeriod. Icinga knows no time zones, and its processes run in UTC, so the
 * ranges are in UTC: by day of the week where that is the same in every week, by date where it is not. (Before 2.14.4,
 * Icinga took a date for the day behind it, too.)
 *
 * @param period of an inventory that has no problems
 * @param periods all periods of the inventory, for the period's exceptions
 * @param from the first day that must be right, `YYYY-MM-DD` in UTC; ranges by day of the week do not depend on it
 * @param days how many days must be right
 * @returns such as `{ "2026-11-23": "08:00-12:00,13:00-24:00" }`, in the order of time; days without times are left out
 * @throws RangeError if `from` is no date
 * @throws Error if an exception is not among the periods
 */
export function renderRanges(period: Period, periods: Periods, from: string, days: number): Record<string, string> {
  const isByDate = isDated(period, periods, from, days);
  const first = isByDate ? numberOf(from) : numberOf(mondayOf(from));
  const count = isByDate ? days : WEEKDAYS.length;
  const spans = inUtc(period, periods, wholeDays(first, count));
  const entries = Array.from({ length: count }, (_, index): [string, string] => {
    const day = first + index;
    const times = shifted(within(spans, wholeDays(day, 1)), -day * MINUTES_A_DAY);
    const key = isByDate ? isoDate(day) : (WEEKDAYS[weekdayOf(day)] ?? "");
    return [key, times.map(({ start, end }) => `${clock(start)}-${clock(end)}`).join(",")];
  });
  return Object.fromEntries(entries.filter(([, times]) => times !== ""));
}

/**
 * Whether a period's ranges are by date, so that they are right for so many days only and have to be rendered again
 * before those are over: its days, or those of its exceptions, are not the same in every week, or a time zone changes
 * its clocks within the days or a year around them.
 *
 * @param from first day, `YYYY-MM-DD` in UTC
 * @param days how many days
 * @throws as `renderRanges`
 */
export function isDated(period: Period, periods: Periods, from: string, days: number): boolean {
  if (isAlways(period)) return false;
  const isWeeklyHere = Object.keys(period.days).every(isWeekly);
  const around = wholeDays(numberOf(from) - DAYS_OF_CALM, days + 2 * DAYS_OF_CALM);
  if (!isWeeklyHere || stretches(zoneOf(period), around).length > 1) return true;
  return exceptions(period, periods).some((taken) => isDated(taken, periods, from, days));
}

/**
 * The Monday of a moment's week, both in UTC.
 *
 * @param moment also as text, such as `2026-11-25`
 * @returns `YYYY-MM-DD`
 * @throws RangeError if it is no moment
 */
export function mondayOf(moment: Date | string): string {
  const day = numberOf(new Date(moment).toISOString().slice(0, 10));
  return isoDate(day - weekdayOf(day));
}

/**
 * A period's time within a window, both in minutes since 1970-01-01 00:00 UTC.
 *
 * A moment belongs to a period if the clocks of its time zone then show a time that does. So what begins or ends within
 * an hour that the clocks skip begins or ends at the skip, and a range within an hour that the clocks show twice is
 * there twice: with 02:00-03:00 shown twice, 01:00-02:30 has a hole from the first 02:30 to the second 02:00.
 *
 * Times over midnight belong to the day on which they begin, whatever the next day's own are.
 */
function inUtc(period: Period, periods: Periods, window: Span): Span[] {
  if (isAlways(period)) return [window];
  const shown = onClocks(period, window);
  const spans = stretches(zoneOf(period), window).flatMap(({ start, end, offset }) =>
    shifted(within(shown, { start: start + offset, end: end + offset }), -offset),
  );
  const taken = exceptions(period, periods).flatMap((other) => inUtc(other, periods, window));
  return without(union(spans), union(taken));
}

/** A period's own times as its clocks show them, in minutes since they showed 1970-01-01 00:00. */
function onClocks({ days }: Period, window: Span): Span[] {
  const deciding = decidingKeys(Object.keys(days));
  const times = new Map(Object.entries(days).map(([key, text]) => [key, timesOf(text)]));
  // Clocks are up to a day away from UTC, and times over midnight come from one day further back.
  const first = Math.floor(window.start / MINUTES_A_DAY) - 2;
  const last = Math.ceil(window.end / MINUTES_A_DAY) + 1;
  const numbers = Array.from({ length: last - first }, (_, index) => first + index);
  return union(
    numbers.flatMap((day) =>
      shifted(
        deciding(day).flatMap((key) => times.get(key) ?? []),
        day * MINUTES_A_DAY,
      ),
    ),
  );
}

function exceptions({ except = [] }: Period, periods: Periods): Period[] {
  return except.map((name) => {
    const period = Object.hasOwn(periods, name) ? periods[name] : undefined;
    if (period === undefined) throw new Error(`there is no period ${name}`);
    return period;
  });
}

/** The schema lets a period without a time zone pass only if it is always, and then nobody asks. */
function zoneOf({ timezone = "UTC" }: Period): string {
  return timezone;
}

function wholeDays(first: number, count: number): Span {
  return { start: first * MINUTES_A_DAY, end: (first + count) * MINUTES_A_DAY };
}

function numberOf(date: string): number {
  const number = dayNumber(date);
  if (number === undefined) throw new RangeError(`${date} is no date`);
  return number;
}
