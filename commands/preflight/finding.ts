/** Something that was found out about a swarm. */
export interface Finding {
  /** `error`: the stack would not work. `warning`: it works, until something happens. `note`: good to know. */
  readonly severity: "error" | "warning" | "note";
  /** A word for what it is about, such as `heartbeat`. */
  readonly subject: string;
  /** What is wrong, and what comes of it. */
  readonly message: string;
  /** What to do about it. @default nothing */
  readonly remedy?: string;
}

const SEVERITIES = ["error", "warning", "note"] as const;

/** A line for each finding and each remedy, in columns, the worst first. */
export function renderFindings(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length));
  const sorted = SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
  return sorted.flatMap(({ severity, subject, message, remedy }) => {
    const begin = `${severity.padEnd("warning".length)}  ${subject.padEnd(width)}  `;
    return [`${begin}${message}`, ...(remedy === undefined ? [] : [`${" ".repeat(begin.length)}-> ${remedy}`])];
  });
}

/** `1 error, 2 warnings`; `no error, no warning` where all is well. */
export function countFindings(findings: readonly Finding[]): string {
  const count = (severity: Finding["severity"]): string => {
    const { length } = findings.filter((finding) => finding.severity === severity);
    return `${length === 0 ? "no" : length} ${severity}${length > 1 ? "s" : ""}`;
  };
  return `${count("error")}, ${count("warning")}`;
}
