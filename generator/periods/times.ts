import { MINUTES_A_DAY, type Span } from "./spans";

const RANGE = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** How to say that a day has no times. */
const NO_TIMES = "none";

/**
 * The times of a day that `timesProblem` has nothing against, in minutes from its midnight. What goes on over midnight
 * ends behind minute 1440.
 *
 * @param text such as `08:00-12:00, 13:00-17:30`, `22:00-06:00` or `none`
 */
export function timesOf(text: string): Span[] {
  return text === NO_TIMES ? [] : ranges(text).flatMap((range) => span(range) ?? []);
}

/** What is wrong with the times of a day; undefined if nothing is. */
export function timesProblem(text: string): string | undefined {
  if (text === NO_TIMES) return undefined;
  const written = ranges(text);
  if (!written.every((range) => RANGE.test(range))) {
    return 'is no list of times; write it as "09:00-17:00", as "08:00-12:00, 13:00-17:30", or as none';
  }
  const empty = written.find((range) => range.slice(0, 5) === range.slice(6));
  if (empty !== undefined) return `has a range that ends as it begins, ${empty}; a whole day is "00:00-24:00"`;
  const sorted = written
    .flatMap((range) => ({ range, start: span(range)?.start ?? 0, end: span(range)?.end ?? 0 }))
    .sort((left, right) => left.start - right.start);
  const second = sorted.findIndex(({ start }, index) => start < (sorted[index - 1]?.end ?? 0));
  if (second < 0) return undefined;
  return `has ranges that overlap, ${sorted[second - 1]?.range} and ${sorted[second]?.range}; make one of the two`;
}

/** Minutes of a day as Icinga writes them: `HH:MM`, the day's end as `24:00`. */
export function clock(minutes: number): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function ranges(text: string): string[] {
  return text.split(",").map((range) => range.trim());
}

function span(range: string): Span | undefined {
  const match = RANGE.exec(range);
  if (match === null) return undefined;
  const [, startHour = 0, startMinute = 0, endHour = 24, endMinute = 0] = match;
  const start = Number(startHour) * 60 + Number(startMinute);
  const end = Number(endHour) * 60 + Number(endMinute);
  return { start, end: end > start ? end : end + MINUTES_A_DAY };
}
