/** Where a command's words go, and where relative paths start. */
export interface Surroundings {
  /** The project's folder: stacks, and the inventories they name. */
  readonly root: string;
  /** Where the user is: what they name on the command line. */
  readonly cwd: string;
  readonly now: () => Date;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What the user can mend on the command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What is read is not valid; every problem was said. */
export class InvalidInventory extends Error {
  override readonly name = "InvalidInventory";
}

/** An option of the command line. */
export interface Option {
  /** What follows its name, such as `<dir>`; undefined for one that is there or not. */
  readonly value?: string;
  /** What it does, in one line. */
  readonly text: string;
}

/** What the user said behind a command's name. */
export interface Call {
  /** As many as the command has. */
  readonly operands: readonly string[];
  /** Values of options; those that are there or not are the empty text, or undefined. */
  readonly options: Readonly<Record<string, string | undefined>>;
}

/** One command of `npm run inventory`: all there is to know of it. */
export interface Command {
  /** What it does, in one line. */
  readonly summary: string;
  /** What its own help says beyond that. */
  readonly details?: string;
  /** Words that follow its name, such as `<host>`. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** Behind `npm run inventory -- `. */
  readonly examples: readonly string[];
  /**
   * @returns the exit code
   * @throws UsageError, InvalidInventory
   */
  readonly run: (call: Call, around: Surroundings) => number | Promise<number>;
}
