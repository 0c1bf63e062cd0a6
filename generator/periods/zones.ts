import { nearest } from "../nearest";
import { MINUTES_A_DAY, type Span } from "./spans";

/** A stretch of time in which a zone's clocks are the same number of minutes ahead of UTC. */
interface Stretch extends Span {
  readonly offset: number;
}

/** What is wrong with the name of a time zone; undefined if it is one. */
export function zoneProblem(zone: string): string | undefined {
  if (formatter(zone) !== undefined) return undefined;
  const near = nearest(zone, ["UTC", ...Intl.supportedValuesOf("timeZone")]);
  return `is no time zone; ${near === undefined ? "write its IANA name, such as Europe/Berlin or UTC" : `did you mean "${near}"?`}`;
}

/**
 * Divides a window at the moments when a zone's clocks are changed.
 *
 * @param zone IANA name
 * @param window in minutes since 1970-01-01 00:00 UTC
 * @throws RangeError if there is no such zone
 */
export function stretches(zone: string, window: Span): Stretch[] {
  const found: Stretch[] = [];
  let { start } = window;
  let offset = offsetAt(zone, start);
  // No zone changes its clocks twice within a day.
  for (let before = start; before < window.end; before += MINUTES_A_DAY) {
    const after = Math.min(before + MINUTES_A_DAY, window.end);
    const next = offsetAt(zone, after);
    if (next === offset) continue;
    const change = firstMinute(before, after, (minute) => offsetAt(zone, minute) === next);
    found.push({ start, end: change, offset });
    start = change;
    offset = next;
  }
  return [...found, { start, end: window.end, offset }].filter((stretch) => stretch.start < stretch.end);
}

/** The first minute behind `low` for which something is so that is so at `high`. */
function firstMinute(low: number, high: number, isSo: (minute: number) => boolean): number {
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isSo(middle)) high = middle;
    else low = middle;
  }
  return high;
}

function offsetAt(zone: string, minute: number): number {
  const format = formatter(zone);
  if (format === undefined) throw new RangeError(`${zone} is no time zone`);
  const name = format.formatToParts(minute * 60_000).find(({ type }) => type === "timeZoneName")?.value ?? "";
  // GMT+05:45, GMT-03:00, and GMT for none.
  const [, sign, hours = 0, minutes = 0] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(name) ?? [];
  const ahead = Number(hours) * 60 + Number(minutes);
  return sign === "-" ? -ahead : ahead;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Undefined if there is no such zone. Kept, because making one takes as long as using it a hundred times. */
function formatter(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone);
  // Only some versions of Node.js take +01:00 for a zone; what an inventory may say must not depend on that.
  if (known !== undefined || !/^[A-Za-z]/.test(zone)) return known;
  try {
    const made = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
    formatters.set(zone, made);
    return made;
  } catch {
    return undefined;
  }
}
