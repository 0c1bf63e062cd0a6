/** A mail as it arrived at the test's mail server: its envelope, its headers in lower case, and its text. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** All mails that the log of `fixtures/smtp-sink` tells of, in order; Docker may have put bytes before each line. */
export function mailsIn(log: string): Mail[] {
  return log.split("\n").flatMap((line) => {
    const start = line.indexOf("mail {");
    return start < 0 ? [] : [JSON.parse(line.slice(start + "mail ".length)) as Mail];
  });
}
