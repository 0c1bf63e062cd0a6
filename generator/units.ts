import { z } from "zod";

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Seconds of a duration that one of the schemas below accepted.
 *
 * @param text such as `30s`, `5m`, `250ms`
 */
export function seconds(text: string): number {
  const [, count = "", unit = ""] = DURATION.exec(text) ?? [];
  // Through milliseconds: 0.001 * 250 is not quite a quarter.
  return Math.round(Number(count) * (SECONDS[unit] ?? Number.NaN) * 1000) / 1000;
}

/** A number of seconds as people write it: `90s`, `5m`, `1d`. */
export function briefly(duration: number): string {
  const unit = ["d", "h", "m"].find((name) => duration > 0 && duration % (SECONDS[name] ?? 1) === 0) ?? "s";
  return `${duration / (SECONDS[unit] ?? 1)}${unit}`;
}

/** A number of things, in words: `1 host`, `2 hosts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** How often, how long to wait: whole seconds, minutes, hours or days. */
export const interval = z
  .string()
  .regex(/^[1-9]\d{0,4}(s|m|h|d)$/, "is not a length of time; write it as 30s, 5m, 1h or 1d");

/** How long a plugin waits before it gives up. */
export const timeout = z
  .string()
  .regex(/^([1-9]\d{0,2}s|[1-5]m)$/, "is not a time limit; write it as 10s or 2m (at most 999s)");

/** How long an answer may take: seconds or milliseconds. */
export const responseTime = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,4}(\.\d{1,3})?(ms|s)$/, "is not a response time; write it as 500ms, 2s or 1.5s");

/** A TCP port. */
export const port = z.int("must be a whole number").min(1, "must be 1 or more").max(65535, "must be 65535 or less");

/** Text of one line that a person reads. */
export const line = z
  .string()
  .min(1, "must not be empty")
  .max(1000, "must have at most 1000 characters")
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must be one line without control characters");

/** A name of something in the inventory: of a role, a contact, a period, ... */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9 ._:-]{0,98}[A-Za-z0-9])?$/,
    "must be 1 to 100 letters, digits, spaces and . _ : -, and start and end with a letter or digit",
  );

/** Text of several lines that a person reads. */
export const text = z
  .string()
  .min(1, "must not be empty")
  .max(4000, "must have at most 4000 characters")
  .regex(/^[^\p{Cs}\0]*$/u, "must be text");

/** Address of a web page. */
export const webPage = z
  .string()
  .max(1000, "must have at most 1000 characters")
  .regex(/^https?:\/\/[^\s\p{Cc}]+$/u, "must be a web address such as https://wiki.example.com/disk-full");
