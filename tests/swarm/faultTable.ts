/** What became of one fault: a row of the table that a run's log holds. Times are in seconds since the fault began. */
export interface Fault {
  readonly what: string;
  /** Until somebody could know. @default nothing to notice */
  readonly noticed?: number;
  /** Until everything was served again. */
  readonly served: number;
  /** Checks, results, data; in words. */
  readonly lost: string;
}

/** Says how a fault went, where the log of the tests has it beside their names. */
export function note({ what, noticed, served, lost }: Fault): void {
  const seconds = (value: number | undefined): string => (value === undefined ? "-" : `${Math.round(value)} s`);
  process.stderr.write(
    `fault | ${what} | noticed ${seconds(noticed)} | served again ${seconds(served)} | lost ${lost}\n`,
  );
}

/** Seconds since it was called. */
export function stopwatch(): () => number {
  const began = Date.now();
  return () => (Date.now() - began) / 1000;
}
