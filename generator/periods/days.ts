import { nearest } from "../nearest";

/** Days of the week as Icinga names them. */
export const WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;

const MONTHS = [
  ...["january", "february", "march", "april", "may", "june"],
  ...["july", "august", "september", "october", "november", "december"],
];

const NTH = ["1st", "2nd", "3rd", "4th", "5th"];

const MILLISECONDS_A_DAY = 86_400_000;

/** A day of the calendar. */
interface Day {
  /** Days since 1970-01-01. */
  readonly number: number;
  /** From 1. */
  readonly month: number;
  /** From 1. */
  readonly date: number;
  readonly daysInMonth: number;
  /** From 0, which is Monday. */
  readonly weekday: number;
}

/** Which days a key of `days` means. */
interface DayKey {
  /** Place of the key's kind in the order of `decidingKeys`. */
  readonly rank: number;
  /** How many days a stretch of dates has; 0 for all other kinds. */
  readonly length: number;
  readonly includes: (day: Day) => boolean;
}

/** Number of a date, counted in days from 1970-01-01; undefined if the calendar has no such date. */
export function dayNumber(date: string): number | undefined {
  const milliseconds = Date.parse(`${date}T00:00:00Z`);
  // JavaScript takes 02-30 for 03-02.
  if (Number.isNaN(milliseconds) || isoDate(milliseconds / MILLISECONDS_A_DAY) !== date) return undefined;
  return milliseconds / MILLISECONDS_A_DAY;
}

/** Date, `YYYY-MM-DD`, of a day counted from 1970-01-01. */
export function isoDate(number: number): string {
  return new Date(number * MILLISECONDS_A_DAY).toISOString().slice(0, 10);
}

/** Day of the week, from 0, which is Monday. */
export function weekdayOf(number: number): number {
  // 1970-01-01 was a Thursday.
  return (((number + 3) % 7) + 7) % 7;
}

/**
 * Makes a function that tells the keys that decide a day: those of the first kind in this order that has any for it.
 *
 * 1. a date (`2026-12-24`) or a stretch of dates (`2026-12-27 - 2027-01-01`), the shorter before the longer
 * 2. a date of every year (`12-25`)
 * 3. a day of every month (`day 1`, `day -1`)
 * 4. a weekday of a month (`last monday in may`)
 * 5. a weekday of every month (`2nd tuesday`)
 * 6. a day of the week (`monday`)
 * 7. `weekdays`, which are Monday to Friday, or `weekend`
 * 8. `every day`
 *
 * This is the order of Nagios. Several keys of one kind, such as `day 31` and `day -1`, decide a day together.
 *
 * @param keys as `dayKeyProblem` accepts them
 * @returns for a day counted from 1970-01-01, the keys among `keys`
 */
export function decidingKeys(keys: readonly string[]): (number: number) => string[] {
  const read = keys.flatMap((key) => {
    const found = readKey(key);
    return found === undefined ? [] : [{ key, ...found }];
  });
  const ordered = read.sort((left, right) => left.rank - right.rank || left.length - right.length);
  return (number) => {
    const day = dayOf(number);
    const matching = ordered.filter(({ includes }) => includes(day));
    return matching
      .filter(({ rank, length }) => rank === matching[0]?.rank && length === matching[0].length)
      .map(({ key }) => key);
  };
}

/** Whether a key means the same days in every week. */
export function isWeekly(key: string): boolean {
  return Object.hasOwn(WEEKLY, key);
}

/** What is wrong with a key of `days`; undefined if nothing is. */
export function dayKeyProblem(key: string): string | undefined {
  if (readKey(key) !== undefined) return undefined;
  const dates = /^(\d{4}-\d\d-\d\d)(?: - (\d{4}-\d\d-\d\d))?$/.exec(key)?.slice(1) ?? [];
  const written = [...dates, /^\d\d-\d\d$/.exec(key)?.[0]].filter((date) => date !== undefined);
  const missing = written.find((date) => dayNumber(date.length > 5 ? date : `2000-${date}`) === undefined);
  if (missing !== undefined) return `is not in the calendar: there is no ${missing}`;
  if (written.length > 0) return "ends before it begins; swap the two dates";
  if (/^day -?\d+$/.test(key)) return "is no day of a month; they are day 1 to day 31, and day -1 for the last";
  const near = nearest(key, Object.keys(WEEKLY));
  if (near !== undefined) return `is no kind of day; did you mean "${near}"?`;
  return (
    "is no kind of day; write one as monday, weekdays, weekend, every day, 2026-12-24, 12-25, " +
    "2026-12-27 - 2027-01-01, day 1, 2nd tuesday, or last monday in may"
  );
}

/** Keys for the same days in every week, with their rank. */
const WEEKLY: Readonly<Record<string, Pick<DayKey, "rank"> & { readonly weekdays: readonly number[] }>> = {
  ...Object.fromEntries(WEEKDAYS.map((name, weekday) => [name, { rank: 6, weekdays: [weekday] }])),
  weekdays: { rank: 7, weekdays: [0, 1, 2, 3, 4] },
  weekend: { rank: 7, weekdays: [5, 6] },
  "every day": { rank: 8, weekdays: [0, 1, 2, 3, 4, 5, 6] },
};

const NTH_WEEKDAY = new RegExp(`^(last|${NTH.join("|")}) (${WEEKDAYS.join("|")})(?: in (${MONTHS.join("|")}))?$`);

function readKey(key: string): DayKey | undefined {
  return readWeekly(key) ?? readDates(key) ?? readYearly(key) ?? readDayOfMonth(key) ?? readNthWeekday(key);
}

function readWeekly(key: string): DayKey | undefined {
  const found = isWeekly(key) ? WEEKLY[key] : undefined;
  return found && { rank: found.rank, length: 0, includes: ({ weekday }) => found.weekdays.includes(weekday) };
}

function readDates(key: string): DayKey | undefined {
  const [firstDate = "", lastDate = firstDate, ...others] = key.split(" - ");
  const [first, last] = [dayNumber(firstDate), dayNumber(lastDate)];
  if (first === undefined || last === undefined || last < first || others.length > 0) return undefined;
  return { rank: 1, length: last - first + 1, includes: ({ number }) => first <= number && number <= last };
}

function readYearly(key: string): DayKey | undefined {
  // 2000 was a leap year.
  const number = key.length === 5 ? dayNumber(`2000-${key}`) : undefined;
  if (number === undefined) return undefined;
  const { month, date } = dayOf(number);
  return { rank: 2, length: 0, includes: (day) => day.month === month && day.date === date };
}

function readDayOfMonth(key: string): DayKey | undefined {
  const [, fromEnd, digits] = /^day (-?)([1-9]\d?)$/.exec(key) ?? [];
  const count = Number(digits);
  if (digits === undefined || count > 31) return undefined;
  const includes = ({ date, daysInMonth }: Day) => count === (fromEnd === "-" ? daysInMonth - date + 1 : date);
  return { rank: 3, length: 0, includes };
}

function readNthWeekday(key: string): DayKey | undefined {
  const match = NTH_WEEKDAY.exec(key);
  if (match === null) return undefined;
  const [, nth = "", weekday = "", month] = match;
  const isNth = ({ date, daysInMonth }: Day) =>
    nth === "last" ? date > daysInMonth - 7 : Math.ceil(date / 7) === NTH.indexOf(nth) + 1;
  const isMonth = (day: Day) => month === undefined || day.month === MONTHS.indexOf(month) + 1;
  const includes = (day: Day) => WEEKDAYS[day.weekday] === weekday && isNth(day) && isMonth(day);
  return { rank: month === undefined ? 5 : 4, length: 0, includes };
}

function dayOf(number: number): Day {
  const date = new Date(number * MILLISECONDS_A_DAY);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return {
    number,
    month: month + 1,
    date: date.getUTCDate(),
    daysInMonth: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
    weekday: weekdayOf(number),
  };
}
