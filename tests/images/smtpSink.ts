import { type Mail, mailsIn } from "../mails";
import { IMAGES, type Options, type TrialContainer, until } from "./icingaTrial";

/** What a master needs in its environment to send through the sink. */
export const MAIL_ENVIRONMENT = { MAIL_HOST: "sink", MAIL_PORT: "2525", MAIL_FROM: "icinga@example.com" };

/** A mail server that tells what it got. */
export const SMTP_SINK: Options = { image: IMAGES.smtpSink, name: "sink", health: false };

/** All mails that arrived, in order. */
export async function mails(sink: TrialContainer): Promise<Mail[]> {
  return mailsIn(await sink.logs());
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
