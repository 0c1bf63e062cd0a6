import { WEEKDAYS as DAYS } from "../periods/days";
import type { Period } from "../periods";
import { type NagiosObject, nameOf, splitNames, textOf } from "./objects";
import { parseHours, WEEKDAYS } from "./periods";
import type { Report } from "./report";

const MONTHS = [
  ...["january", "february", "march", "april", "may", "june"],
  ...["july", "august", "september", "october", "november", "december"],
];
/** Days of each month; February's last one depends on the year. */
const LENGTHS = [31, undefined, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const NTH: Readonly<Record<string, string>> = { 1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 5: "5th", "-1": "last" };
const MINUTES_A_DAY = 1440;

/**
 * A time period in the inventory's terms.
 *
 * @param timezone the clocks of the machine that Nagios runs on
 * @param rename the inventory's name of another period
 */
export function toPeriod(
  period: NagiosObject,
  timezone: string | undefined,
  rename: (name: string) => string,
  report: Report,
): Period {
  const days: Record<string, string> = {};
  const decide = (keys: readonly string[], ranges: string, place: NagiosObject["place"]) => {
    const times = timesOf(ranges, (message) => report.add("lost", place, message));
    // Of two lines for the same day Nagios takes the later one, which comes first here.
    for (const key of keys) days[key] ??= times;
  };
  for (const { when, ranges, place } of [...period.dates].reverse()) {
    const keys = keysOf(when);
    if (keys === undefined) report.add("lost", place, `${nameOf(period)}: no period of the inventory can say: ${when}`);
    else decide(keys, ranges, place);
  }
  for (const day of WEEKDAYS) {
    const value = period.values.get(day);
    if (value?.text != null) decide([day], value.text, value.place);
  }
  const except = splitNames(textOf(period, "exclude") ?? "").map(rename);
  const alias = textOf(period, "alias");
  return {
    ...(alias === undefined || alias === nameOf(period) ? {} : { displayName: alias }),
    ...(timezone === undefined ? {} : { timezone }),
    days: Object.keys(days).length === 0 ? { "every day": "none" } : everyDay(days),
    ...(except.length === 0 ? {} : { except }),
  };
}

/** The times of a day: joined where they touch, and none where Nagios's never come. */
function timesOf(ranges: string, lost: (message: string) => void): string {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of parseHours(ranges) ?? []) {
    const last = joined.at(-1);
    if (to < from) lost(`${ranges}: hours over midnight never come in Nagios, and are left out`);
    else if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else if (from < to) joined.push({ from, to });
  }
  const clock = (seconds: number) => {
    const minutes = Math.min(Math.floor(seconds / 60), MINUTES_A_DAY);
    return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
  };
  return joined.length === 0 ? "none" : joined.map(({ from, to }) => `${clock(from)}-${clock(to)}`).join(", ");
}

/** Says the seven days in one, or in two, where they are alike. */
function everyDay(days: Readonly<Record<string, string>>): Record<string, string> {
  const merged: readonly (readonly [key: string, names: readonly string[]])[] = [
    ["every day", DAYS],
    ["weekdays", DAYS.slice(0, 5)],
    ["weekend", DAYS.slice(5)],
  ];
  return merged.reduce<Record<string, string>>((left, [key, names]) => {
    const times = names.map((name) => left[name]);
    if (times.some((time) => time === undefined || time !== times[0])) return left;
    const others = Object.entries(left).filter(([name]) => !names.includes(name));
    return { ...Object.fromEntries(others), [key]: times[0] as string };
  }, days);
}

/**
 * The inventory's keys for dates in the words of Nagios.
 *
 * @returns undefined where it has none
 */
export function keysOf(when: string): string[] | undefined {
  const [range = "", every] = when.split(" / ");
  const step = every === undefined ? 1 : Number(every);
  const [from = "", to] = range.split(" - ");
  if (/^\d/.test(range)) return step > 1 ? undefined : [range];
  if (from.startsWith("day "))
    return daysOfMonth(Number(from.slice(4)), to === undefined ? undefined : Number(to), step);
  const [word = "", nth = "", month] = from.split(" ");
  if (MONTHS.includes(word)) return datesOfYear(from, to ?? from, step);
  // From one weekday to another: which days those are differs from month to month.
  if (to !== undefined || NTH[nth] === undefined) return undefined;
  return [`${NTH[nth]} ${word}${month === undefined ? "" : ` in ${month}`}`];
}

function daysOfMonth(from: number, to: number | undefined, step: number): string[] | undefined {
  if (to === undefined) return isDay(Math.abs(from)) ? [`day ${from}`] : undefined;
  // Up to the last day: months that have no 31st have no such day either.
  const last = to === -1 ? 31 : to;
  if (!isDay(from) || !isDay(last) || last < from) return undefined;
  return steps(from, last, step).map((day) => `day ${day}`);
}

function isDay(number: number): boolean {
  return number >= 1 && number <= 31;
}

function datesOfYear(from: string, to: string, step: number): string[] | undefined {
  const [first, last] = [dayOfYear(from), dayOfYear(to)];
  if (first === undefined || last === undefined) return undefined;
  const passesFebruary = first <= dayNumber(1, 28) && last > dayNumber(1, 28);
  const isOverNewYear = last < first;
  if (step > 1 && (passesFebruary || isOverNewYear)) return undefined;
  const days = isOverNewYear ? [...steps(first, 365, 1), ...steps(0, last, 1)] : steps(first, last, step);
  return days.map(dateKey);
}

function steps(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}

/** Day of a leap year, from 0; undefined where the year decides it, or there is none. */
function dayOfYear(text: string): number | undefined {
  const [word = "", number] = text.split(" ");
  const month = MONTHS.indexOf(word);
  const length = LENGTHS[month];
  const day = Number(number);
  const date = day < 0 ? (length === undefined ? undefined : length + 1 + day) : day;
  if (date === undefined || date < 1 || date > (length ?? 29)) return undefined;
  return dayNumber(month, date);
}

function dayNumber(month: number, date: number): number {
  return Math.round((Date.UTC(2000, month, date) - Date.UTC(2000, 0, 1)) / 86_400_000);
}

function dateKey(day: number): string {
  return new Date(Date.UTC(2000, 0, 1 + day)).toISOString().slice(5, 10);
}
