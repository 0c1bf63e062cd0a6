import { type Attribute, quote } from "../dsl";
import type { IcingaCheck, Remarks, Timing } from "../model";

/** Seconds that Icinga gives a plugin beyond the limit that it keeps itself, so that its own message is seen. */
const TIMEOUT_MARGIN = 10;

export function timingAttributes({ interval, retryInterval, attempts }: Partial<Timing>): Attribute[] {
  return [
    ["check_interval", interval === undefined ? undefined : `${interval}s`],
    ["retry_interval", retryInterval === undefined ? undefined : `${retryInterval}s`],
    ["max_check_attempts", attempts === undefined ? undefined : String(attempts)],
  ];
}

export function timeoutAttribute({ timeout }: Pick<IcingaCheck, "timeout">): Attribute {
  return ["check_timeout", timeout === undefined ? undefined : `${timeout + TIMEOUT_MARGIN}s`];
}

export function remarkAttributes({ notes, runbook, dashboard }: Remarks): Attribute[] {
  return [text("notes", notes), text("notes_url", runbook), text("action_url", dashboard)];
}

/** An attribute that Icinga takes literally. */
export function text(name: string, words: string | undefined): Attribute {
  return [name, words === undefined ? undefined : quote(words)];
}
