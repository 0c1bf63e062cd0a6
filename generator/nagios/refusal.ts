/** A line of the Nagios configuration, as a person opens it. Lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Something to say about a line. */
export interface Remark extends Place {
  readonly message: string;
}

/** The configuration is one that Nagios itself refuses to start with. */
export class Refusal extends Error {
  constructor(readonly remarks: readonly Remark[]) {
    super(remarks.map(describeRemark).join("\n"));
  }
}

/** One line for a remark, in the form that editors and CI systems make a link of. */
export function describeRemark({ file, line, message }: Remark): string {
  return `${file}:${line}: ${message}`;
}

/** Collects what is wrong, so that one mistake does not hide the next. */
export class Remarks {
  private readonly found: Remark[] = [];

  add({ file, line }: Place, message: string): void {
    this.found.push({ file, line, message });
  }

  get all(): readonly Remark[] {
    return this.found;
  }

  /** @throws Refusal if anything was found */
  refuse(): void {
    if (this.found.length > 0) throw new Refusal(this.found);
  }
}
