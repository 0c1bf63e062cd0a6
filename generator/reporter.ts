import * as fs from "node:fs";
import * as path from "node:path";

/** What the service is at. Only `active` makes it ready. */
export type State = "waiting" | "failed" | "active";

const REPEAT_MILLISECONDS = 30_000;

/**
 * Tells the log, and the container's health check, how the service does. The log gets a line when it is news, and a
 * `waiting` or `failed` one again every half minute, so that a short tail of the log shows it.
 */
export class Reporter {
  private lastLine = "";
  private lastAt = 0;

  /**
   * @param folder where the health check looks: `state` holds the state, the age of `tick` says that the service lives
   * @param write one line to the log
   * @param now milliseconds
   */
  constructor(
    private readonly folder: string,
    private readonly write: (line: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    fs.mkdirSync(folder, { recursive: true });
  }

  /** Something has to come first that may come by itself. */
  waiting(reason: string): void {
    this.report("waiting", `waiting: ${reason}`);
  }

  /** Time will not mend it. */
  failed(cause: string): void {
    this.report("failed", `failed: ${cause}`);
  }

  /** The wanted package is active. */
  active(line: string): void {
    this.report("active", line);
  }

  /** The wanted package is active, as far as it can be known; something beside it is wrong. */
  warning(cause: string): void {
    this.report("active", `warning: ${cause}`);
  }

  /** A line beside the state. */
  note(line: string): void {
    this.write(oneLine(line));
  }

  /** Says that the service lives. To be called often. */
  tick(): void {
    fs.writeFileSync(path.join(this.folder, "tick"), "");
  }

  private report(state: State, text: string): void {
    this.tick();
    const temporary = path.join(this.folder, "state.new");
    fs.writeFileSync(temporary, state);
    fs.renameSync(temporary, path.join(this.folder, "state"));
    const line = oneLine(text);
    const isDue = state !== "active" && this.now() - this.lastAt >= REPEAT_MILLISECONDS;
    if (line === this.lastLine && !isDue) return;
    this.lastLine = line;
    this.lastAt = this.now();
    this.write(line);
  }
}

/** The readiness gate and people read the log line by line. */
function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim();
}
