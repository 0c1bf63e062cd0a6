/** One archive of a value's file. */
interface Archive {
  /** As it was written, such as `5m:60d`. */
  readonly text: string;
  /** Seconds between two points. */
  readonly step: number;
  /** Number of points. */
  readonly points: number;
}

/** As carbon counts: a year has 365 days. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 7 * 86400, y: 365 * 86400 };

/** Bytes of one point, and of a file's header and its part for each archive. */
const POINT_BYTES = 12;
const HEADER_BYTES = 16;
const ARCHIVE_HEADER_BYTES = 12;

/** Carbon's own numbers come once a minute, so no other step gives sums that are right. */
const OWN_RETENTIONS = "1m:90d";

/**
 * Whether carbon can keep values like this. It says so itself only in its log, and then keeps every value for a week.
 *
 * @param retentions how fine for how long, such as `1m:7d,5m:60d,1h:2y`
 * @returns a sentence for each problem
 */
export function retentionProblems(retentions: string): string[] {
  const archives = archivesOf(retentions);
  const empty = archives.filter(({ step, points }) => !(step > 0 && points > 0));
  if (empty.length > 0) {
    return empty.map(
      ({ text }) => `${text} keeps no point: both its step and its time must be above 0, the time longer`,
    );
  }
  return archives.slice(1).flatMap((coarse, index) => problemsBetween(archives[index] as Archive, coarse));
}

function problemsBetween(fine: Archive, coarse: Archive): string[] {
  const pair = `after ${fine.text} ${coarse.text}`;
  if (coarse.step <= fine.step) return [`${pair} is not coarser; begin with the finest step`];
  return [
    ...(coarse.step % fine.step === 0 ? [] : [`${pair} has a step that is no multiple of the finer one`]),
    ...(coarse.step * coarse.points > fine.step * fine.points ? [] : [`${pair} must reach back longer, not less`]),
    ...(fine.points * fine.step >= coarse.step
      ? []
      : [`${fine.text} must keep at least as long as a step of ${coarse.text}, which is made of its points`]),
  ];
}

/**
 * Renders carbon's storage-schemas.conf.
 *
 * One schema serves every check: all kinds of checks have the same interval by default, and what an inventory says of
 * intervals is known to Icinga alone. A check that runs less often than the finest step leaves gaps in it, which the coarser
 * archives close (storage-aggregation.conf); one that runs more often leaves its last value of each step.
 *
 * @param retentions such as `1m:7d,5m:60d,1h:2y`, without problems
 */
export function renderStorageSchemas(retentions: string): string {
  return [
    "[carbon]",
    "pattern = ^carbon\\.",
    `retentions = ${OWN_RETENTIONS}`,
    "",
    "[values]",
    "pattern = .*",
    `retentions = ${retentions}`,
    "",
  ].join("\n");
}

/** Bytes that the file of one value takes, from its first day on. */
export function bytesPerValue(retentions: string): number {
  const archives = archivesOf(retentions);
  return archives.reduce((sum, { points }) => sum + ARCHIVE_HEADER_BYTES + points * POINT_BYTES, HEADER_BYTES);
}

function archivesOf(retentions: string): Archive[] {
  return retentions.split(",").map((text) => {
    const [step = 0, kept = 0] = text.split(":").map(secondsOf);
    return { text, step, points: Math.floor(kept / step) };
  });
}

function secondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * (SECONDS[duration.slice(-1)] ?? Number.NaN);
}
