import { Cron } from "croner";
import { z } from "zod";
import { replayHoursSchema } from "./location";

/** `ssh://[user@]host[:port]/path`, and the short form `user@host:path`. */
const SSH_URLS = [/^ssh:\/\/([\w.-]+@)?([\w.-]+|\[[0-9a-fA-F:]+\])(:\d+)?\/\S+$/, /^[\w.-]+@[\w.-]+:(?!\/\/)\S+$/];
const HTTPS_URL = /^https:\/\/[^\s/@]+\/\S+$/;
/** What Git allows in a branch name, without what only experts would think of. */
const BRANCH = /^(?!.*(\.\.|\/\/|\.lock$))[A-Za-z0-9_][\w./+#-]*(?<![./])$/;
const KNOWN_HOST = /^(@[a-z-]+ )?\S+ (ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/]+=*( .*)?$/;
/** A folder inside a repository: no absolute path, no way out of it. */
const FOLDER = /^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\s:\\]+$/;

/** Whether a repository is reached over ssh, with a deploy key and known hosts. */
export function isSshUrl(url: string): boolean {
  return SSH_URLS.some((form) => form.test(url));
}

/**
 * The first time of a schedule after a moment, in UTC.
 *
 * @param schedule five fields as cron has them
 * @returns undefined if it never comes
 * @throws Error saying what is wrong with the schedule
 */
export function nextTime(schedule: string, after: Date): Date | undefined {
  return new Cron(schedule, { timezone: "UTC", mode: "5-part", paused: true }).nextRun(after) ?? undefined;
}

const schedule = z.string().superRefine((text, context) => {
  const example = 'it is five fields as in cron, in UTC, such as "*/5 * * * *"';
  try {
    if (nextTime(text, new Date(0)) !== undefined) return;
    context.addIssue(`never comes; ${example}`);
  } catch (error) {
    const reason = (error as Error).message.replace(/^CronPattern: /, "");
    context.addIssue(`is no schedule (${reason}); ${example}`);
  }
});

const knownHosts = z
  .string()
  .refine(
    (text) => linesOf(text).length > 0 && linesOf(text).every((line) => KNOWN_HOST.test(line)),
    "must be lines as `ssh-keyscan` prints them, such as git.example.com ssh-ed25519 AAAA...",
  );

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => !/^\s*(#|$)/.test(line));
}

/** A Git repository that the inventory is pulled from. */
const gitSchema = z
  .strictObject({
    /** `ssh://...`, `git@host:path`, or `https://...` for a repository that needs no login. */
    url: z
      .string()
      .refine(
        (url) => isSshUrl(url) || HTTPS_URL.test(url),
        "must be ssh://user@host/path, user@host:path, or https://host/path without a user or password in it",
      ),
    branch: z.string().regex(BRANCH, "must be the name of a branch").default("main"),
    /** The inventory's folder in the repository. */
    path: z
      .string()
      .regex(FOLDER, "must be a folder inside the repository, such as monitoring/prod, or . for all of it")
      .transform((folder) => folder.replace(/^(\.\/)+|\/+$/g, "") || ".")
      .default("."),
    /** When it is pulled: five fields as in cron, in UTC. */
    schedule: schedule.default("*/5 * * * *"),
    /** The server's keys, as `ssh-keyscan` prints them. Only for ssh, and needed there. */
    knownHosts: knownHosts.optional(),
  })
  .superRefine(({ url, knownHosts: known }, context) => {
    if (!isSshUrl(url) || known !== undefined) return;
    const message =
      "missing; the server must be told from a stranger: put here what `ssh-keyscan <host>` prints, " +
      "after a comparison with what its operators publish";
    context.addIssue({ code: "custom", path: ["knownHosts"], message });
  });

/** What a stack says of its generator. */
export const generatorSchema = z.strictObject({
  git: gitSchema.optional(),
  /** More hosts than both of these are not removed at once without a word: a share of those there are, and a number. */
  removal: z
    .strictObject({ percent: z.number().min(0).max(100).default(20), hosts: z.int().min(0).default(5) })
    .prefault({}),
  /** That word: the fingerprint that the refusal named. It allows exactly that removal. */
  confirmRemoval: z
    .string()
    .regex(/^[a-z]{8}$/, "must be the eight letters that the generator's refusal named")
    .optional(),
});

/** What the service is told: what the stack says of it, and what it must know of the stack. */
export const serviceSchema = generatorSchema.extend({
  /** Whether the stack's slaves have certificates for NRPE clients. */
  nrpeCertificates: z.boolean().default(false),
  /** Hours that the master keeps for a slave that is out of reach what it would tell it. */
  replayHours: replayHoursSchema,
});

/** What a stack says of its generator, with the defaults. */
export type GeneratorSettings = z.output<typeof generatorSchema>;

/** What the service is told. */
export type ServiceSettings = z.output<typeof serviceSchema>;

/** Where an inventory is pulled from, when, and who may answer there. */
export type GitSettings = z.output<typeof gitSchema>;
