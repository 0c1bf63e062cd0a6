import { IMAGES, type Options, type TrialContainer, until } from "./icingaTrial";

/** A mail as it arrived: its envelope, its headers in lower case, and its text. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a master needs in its environment to send through the sink. */
export const MAIL_ENVIRONMENT = { MAIL_HOST: "sink", MAIL_PORT: "2525", MAIL_FROM: "icinga@example.com" };

/** A mail server that tells what it got. */
export const SMTP_SINK: Options = { image: IMAGES.smtpSink, name: "sink", health: false };

/** All mails that arrived, in order. */
export async function mails(sink: TrialContainer): Promise<Mail[]> {
  const lines = (await sink.logs()).split("\n").filter((line) => line.startsWith("mail "));
  return lines.map((line) => JSON.parse(line.slice("mail ".length)) as Mail);
}

/** Waits for a mail behind the first `count`, and gives it. */
export async function mailAfter(count: number, sink: TrialContainer, master: TrialContainer): Promise<Mail> {
  let found: Mail | undefined;
  await until(
    async () => (found = (await mails(sink))[count]) !== undefined,
    () => master.logs(),
  );
  return found as Mail;
}
