import * as fc from "fast-check";
import { type Period, periodSchema, renderRanges } from "../../../generator/periods";

const QUARTER = 15 * 60_000;
const QUARTERS_A_DAY = 96;
const DAY = QUARTERS_A_DAY * QUARTER;
const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** Zones and days around a change of their clocks, and some without any. */
const MOMENTS: readonly [zone: string, date: string][] = [
  ["Europe/Berlin", "2027-03-28"],
  ["Europe/Berlin", "2026-10-25"],
  ["America/Chicago", "2026-11-01"],
  ["America/Chicago", "2027-03-14"],
  ["Australia/Lord_Howe", "2027-04-04"],
  ["Australia/Lord_Howe", "2026-10-04"],
  ["Asia/Kathmandu", "2026-11-23"],
  ["Asia/Singapore", "2026-11-23"],
  ["Pacific/Chatham", "2027-04-04"],
  ["Pacific/Kiritimati", "2026-12-31"],
  // The whole of December 30 was skipped.
  ["Pacific/Apia", "2011-12-30"],
  ["UTC", "2026-11-23"],
];

const zonesAndDays = fc.oneof(
  fc.constantFrom(...MOMENTS).chain(([zone, date]) =>
    fc.tuple(
      fc.constant(zone),
      fc.integer({ min: -6, max: 2 }).map((days) => dayAfter(date, days)),
    ),
  ),
  fc.tuple(
    fc.constantFrom(...Intl.supportedValuesOf("timeZone")),
    fc.integer({ min: 0, max: 3000 }).map((days) => dayAfter("2021-01-01", days)),
  ),
);

/** Times of a day, without overlap, in quarters from its midnight; the last may go on over midnight. */
const quarters = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 96 }), { maxLength: 6 }),
    fc.option(fc.integer({ min: 0, max: 95 }), { nil: undefined }),
  )
  .map(([edges, overnight]) => {
    const sorted = edges.sort((left, right) => left - right);
    const ranges = Array.from({ length: Math.floor(sorted.length / 2) }, (_, index): [number, number] => [
      sorted[2 * index] ?? 0,
      sorted[2 * index + 1] ?? 0,
    ]);
    const last = ranges.at(-1);
    if (last !== undefined && overnight !== undefined && overnight < last[0]) last[1] = overnight + QUARTERS_A_DAY;
    return ranges;
  });

type Quarters = readonly (readonly [number, number])[];

const week = fc.dictionary(fc.constantFrom(...WEEKDAYS), quarters, { minKeys: 1, noNullPrototype: true });

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
}

function clock(quarter: number): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${two(Math.floor(quarter / 4))}:${two((quarter % 4) * 15)}`;
}

function written(ranges: Quarters): string {
  const end = (quarter: number) => clock(quarter > QUARTERS_A_DAY ? quarter - QUARTERS_A_DAY : quarter);
  return ranges.map(([from, to]) => `${clock(from)}-${end(to)}`).join(", ") || "none";
}

function periodOf(timezone: string, days: Readonly<Record<string, Quarters>>, extra: object = {}): Period {
  const texts = Object.fromEntries(Object.entries(days).map(([key, ranges]) => [key, written(ranges)]));
  return periodSchema.parse({ timezone, days: texts, ...extra });
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const options = { weekday: "long", hour: "2-digit", minute: "2-digit" } as const;
  const made = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", ...options });
  formats.set(timeZone, made);
  return made;
}

/** Whether clocks show a time of the period, told from what they show alone. */
function isIn(timezone: string, days: Readonly<Record<string, Quarters>>, moment: number): boolean {
  const parts = format(timezone).formatToParts(moment);
  const shown = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  const weekday = shown("weekday").toLowerCase();
  const dayBefore = WEEKDAYS[(WEEKDAYS.indexOf(weekday) + 6) % 7] ?? "";
  const quarter = (Number(shown("hour")) * 60 + Number(shown("minute"))) / 15;
  const covers = (key: string, at: number) => (days[key] ?? []).some(([from, to]) => from <= at && at < to);
  return covers(weekday, quarter) || covers(dayBefore, quarter + QUARTERS_A_DAY);
}

/** Whether rendered ranges hold a moment of UTC, as Icinga reads them. */
function holds(ranges: Readonly<Record<string, string>>, moment: number): boolean {
  const iso = new Date(moment).toISOString();
  const weekday = WEEKDAYS[(new Date(moment).getUTCDay() + 6) % 7] ?? "";
  const times = ranges[iso.slice(0, 10)] ?? ranges[weekday];
  const at = iso.slice(11, 16);
  return (times?.split(",") ?? []).some((range) => range.slice(0, 5) <= at && at < range.slice(6));
}

/** The quarters of an hour within some days that are in a period. */
function quartersOf(from: string, days: number, isMember: (moment: number) => boolean): string[] {
  return Array.from({ length: days * QUARTERS_A_DAY }, (_, index) => Date.parse(from) + index * QUARTER)
    .filter(isMember)
    .map((moment) => new Date(moment).toISOString());
}

/** A few seconds, most of which the expected times take. */
const RUNS = { numRuns: 150 };

describe("rendered ranges", () => {
  it("are in UTC what the clocks of the place show, at every quarter of an hour", () => {
    fc.assert(
      fc.property(zonesAndDays, week, ([zone, from], days) => {
        const ranges = renderRanges(periodOf(zone, days), {}, from, 5);
        expect(quartersOf(from, 5, (moment) => holds(ranges, moment))).toEqual(
          quartersOf(from, 5, (moment) => isIn(zone, days, moment)),
        );
      }),
      RUNS,
    );
  });

  it("are without the times of exceptions, each in its own time zone", () => {
    fc.assert(
      fc.property(zonesAndDays, zonesAndDays, week, week, ([zone, from], [otherZone], days, taken) => {
        const other = periodOf(otherZone, taken);
        const ranges = renderRanges(periodOf(zone, days, { except: ["other"] }), { other }, from, 5);
        expect(quartersOf(from, 5, (moment) => holds(ranges, moment))).toEqual(
          quartersOf(from, 5, (moment) => isIn(zone, days, moment) && !isIn(otherZone, taken, moment)),
        );
      }),
      RUNS,
    );
  });

  it("do not overlap or touch, and are in order", () => {
    fc.assert(
      fc.property(zonesAndDays, week, ([zone, from], days) => {
        const ranges = renderRanges(periodOf(zone, days), {}, from, 40);
        for (const times of Object.values(ranges)) {
          const edges = times.split(/[,-]/);
          expect(edges).toEqual([...new Set(edges)].sort());
        }
        const keys = Object.keys(ranges);
        const byWeek = keys.map((key) => WEEKDAYS.indexOf(key)).sort((left, right) => left - right);
        expect(keys).toEqual(byWeek.includes(-1) ? [...keys].sort() : byWeek.map((day) => WEEKDAYS[day]));
      }),
      RUNS,
    );
  });

  it("of a day do not depend on where the days around it begin and end", () => {
    fc.assert(
      fc.property(zonesAndDays, week, fc.integer({ min: 1, max: 5 }), ([zone, from], days, later) => {
        const period = periodOf(zone, { ...days, "12-25": [] });
        const date = dayAfter(from, later);
        expect(renderRanges(period, {}, from, 7)[date]).toEqual(renderRanges(period, {}, date, 1)[date]);
      }),
      RUNS,
    );
  });
});
