const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];

/** The days of the week, as a time period names them. */
export const WEEKDAYS: readonly string[] = DAYS;

/** A line of a time period: when it applies, and the hours, not yet read. */
export interface DateLine {
  /** In one form for all ways to write the same: `2026-01-05 - 2026-01-09 / 2`, `day -1`, `monday 1 may`, `monday`. */
  readonly when: string;
  readonly ranges: string;
  /** Whether it is a plain day of the week. */
  readonly weekday: boolean;
}

const TIMES = String.raw`\s*([0-9:, -]+)`;
const EVERY = String.raw`(?:\s*/\s*([+-]?\d+))?`;
const NUMBER = String.raw`\s*([+-]?\d+)`;
const DATE = String.raw`(\d{1,4})-(\d{1,2})-(\d{1,2})`;
const WORD = String.raw`\s*([a-z]+)`;

const CALENDAR = new RegExp(String.raw`^${DATE}(?:\s*-\s*${DATE})?${EVERY}${TIMES}`);
const WEEKDAY_OF_MONTH = new RegExp(`^${WORD}${NUMBER}${WORD}\\s*-${WORD}${NUMBER}${WORD}${EVERY}${TIMES}`);
const FROM_TO = new RegExp(`^${WORD}${NUMBER}\\s*-${WORD}${NUMBER}${EVERY}${TIMES}`);
const SPAN = new RegExp(`^${WORD}${NUMBER}\\s*-${NUMBER}${EVERY}${TIMES}`);
const ONE_DAY = new RegExp(`^${WORD}${NUMBER}[ \\t]+${TIMES}`);
const ONE_WEEKDAY_OF_MONTH = new RegExp(`^${WORD}${NUMBER}${WORD}${TIMES}`);
const EVERY_WEEK = new RegExp(`^${WORD}${TIMES}`);

/**
 * Reads a line of a time period. As Nagios does, it tries the longest form first, and takes no notice of what follows the
 * hours.
 *
 * @param line directive and value, such as `monday 09:00-17:00` or `day 1 - 15 / 2 00:00-24:00`
 * @returns undefined if it is none
 */
export function parseDate(line: string): DateLine | undefined {
  return calendar(line) ?? weekdayOfMonth(line) ?? fromTo(line) ?? span(line) ?? oneDay(line) ?? everyWeek(line);
}

function calendar(line: string): DateLine | undefined {
  const [found, year, month, day, toYear, toMonth, toDay, every, ranges = ""] = CALENDAR.exec(line) ?? [];
  if (found === undefined) return undefined;
  const from = date(year, month, day);
  const to = toYear === undefined ? from : date(toYear, toMonth, toDay);
  return { when: `${from}${from === to ? "" : ` - ${to}`}${step(every)}`, ranges, weekday: false };
}

function date(year = "", month = "", day = ""): string {
  return [Number(year), month.padStart(2, "0"), day.padStart(2, "0")].join("-");
}

function weekdayOfMonth(line: string): DateLine | undefined {
  const [range, day = "", nth, month = "", toDay = "", toNth, toMonth = "", every, hours = ""] =
    WEEKDAY_OF_MONTH.exec(line) ?? [];
  const [one, onlyDay = "", onlyNth, onlyMonth = "", onlyHours = ""] = ONE_WEEKDAY_OF_MONTH.exec(line) ?? [];
  if (range !== undefined && [day, toDay].every(isDay) && [month, toMonth].every(isMonth)) {
    return between(`${day} ${Number(nth)} ${month}`, `${toDay} ${Number(toNth)} ${toMonth}`, every, hours);
  }
  if (range !== undefined || one === undefined || !isDay(onlyDay) || !isMonth(onlyMonth)) return undefined;
  return { when: `${onlyDay} ${Number(onlyNth)} ${onlyMonth}`, ranges: onlyHours, weekday: false };
}

function fromTo(line: string): DateLine | undefined {
  const [found, name = "", from, toName = "", to, every, ranges = ""] = FROM_TO.exec(line) ?? [];
  if (found === undefined || ![isDay, isMonth, isMonthDay].some((is) => is(name) && is(toName))) return undefined;
  const toDay = isMonthDay(name) ? "" : `${toName} `;
  return between(`${name} ${Number(from)}`, `${toDay}${Number(to)}`, every, ranges);
}

function span(line: string): DateLine | undefined {
  const [found, name = "", from, to, every, ranges = ""] = SPAN.exec(line) ?? [];
  if (found === undefined || !isAnyDay(name)) return undefined;
  return fromTo(`${name} ${from} - ${name} ${to}${every === undefined ? "" : `/${every}`} ${ranges}`);
}

function oneDay(line: string): DateLine | undefined {
  const [found, name = "", nth, ranges = ""] = ONE_DAY.exec(line) ?? [];
  if (found === undefined || !isAnyDay(name)) return undefined;
  return { when: `${name} ${Number(nth)}`, ranges, weekday: false };
}

function everyWeek(line: string): DateLine | undefined {
  const [, day = "", ranges = ""] = EVERY_WEEK.exec(line) ?? [];
  return isDay(day) ? { when: day, ranges, weekday: true } : undefined;
}

function between(from: string, to: string, every: string | undefined, ranges: string): DateLine {
  return { when: isSame(from, to) ? from : `${from} - ${to}${step(every)}`, ranges, weekday: false };
}

function isSame(from: string, to: string): boolean {
  return from === to || from === `day ${to}`;
}

function step(every: string | undefined): string {
  return every !== undefined && Number(every) > 1 ? ` / ${Number(every)}` : "";
}

const isDay = (word: string) => DAYS.includes(word);
const isMonth = (word: string) => MONTHS.includes(word);
const isMonthDay = (word: string) => word === "day";
const isAnyDay = (word: string) => isDay(word) || isMonth(word) || isMonthDay(word);

/** Hours of a day, in seconds from midnight. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/**
 * Reads the hours of a day.
 *
 * @param ranges such as `00:00-09:00,17:00-24:00`
 * @returns sorted by their start; undefined if Nagios refuses them, which it does for a blank behind a comma
 */
export function parseHours(ranges: string): Hours[] | undefined {
  const parsed = ranges.split(/[, ]/).map((range) => {
    const [, hour, minute, toHour, toMinute] = /^(\d*):(\d*)[^-]*-(\d*):(\d*)/.exec(range) ?? [];
    if (hour === undefined) return undefined;
    return { from: clock(hour, minute), to: clock(toHour, toMinute) };
  });
  const hours = parsed.filter((range) => range !== undefined && range.from <= 86400 && range.to <= 86400);
  if (hours.length < parsed.length) return undefined;
  return (hours as Hours[]).sort((left, right) => left.from - right.from);
}

function clock(hour = "", minute = ""): number {
  return Number(hour) * 3600 + Number(minute) * 60;
}

/** Hours as they are written: `00:00-09:00,17:00-24:00`. */
export function describeHours(hours: readonly Hours[]): string {
  return hours.map(({ from, to }) => `${time(from)}-${time(to)}`).join(",");
}

function time(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, "0")).join(":");
}
