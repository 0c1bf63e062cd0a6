import { z } from "zod";
import { UserError } from "../userError";

/** A pull request of Bitbucket Cloud, and how to speak for it. */
export interface PullRequest {
  /** Of REST API 2.0, without a slash at its end. */
  readonly api: string;
  /** `<workspace>/<repository>`. */
  readonly repository: string;
  readonly id: string;
  /** Value of the header `Authorization`. */
  readonly authorization: string;
}

/** A comment as far as it matters here. */
interface Comment {
  readonly id: number;
  readonly raw: string;
}

type BuildOf = (raw: string) => number | undefined;

/** Where the answers come from, and what passes between two tries. */
export interface Web {
  readonly fetch: typeof fetch;
  readonly wait: (seconds: number) => Promise<void>;
}

const WEB: Web = {
  fetch: (...call) => fetch(...call),
  wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
};

/** Seconds before the second, third and fourth try. */
const PAUSES = [1, 4, 10];
const LONGEST_PAUSE_SECONDS = 60;
const TIMEOUT_MS = 30_000;
/** Of 100 comments each: a pull request of more was not made by people. */
const MOST_PAGES = 100;

/** Bitbucket did not answer, or asked to come again later. */
class Busy extends Error {
  constructor(
    message: string,
    readonly seconds?: number,
  ) {
    super(message);
  }
}

/** An answer that says no. */
class Refused extends UserError {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/**
 * Publishes a report as the one comment on a pull request: updates the report that is there, whatever build it is of, or
 * makes one. The report of a newer build, which may end first, stays; so does what only looks like a report, because
 * somebody else wrote it.
 *
 * @param buildOf the build whose report a comment is; undefined for any other comment
 * @returns what was done, in words
 * @throws UserError when Bitbucket refuses, or does not answer several times
 */
export async function publish(
  pullRequest: PullRequest,
  raw: string,
  buildOf: BuildOf,
  web: Web = WEB,
): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      // Looked up anew each time: an answer may get lost after the comment was made.
      return await publishOnce(pullRequest, raw, buildOf, web);
    } catch (error) {
      if (!(error instanceof Busy)) throw error;
      const pause = PAUSES[tries];
      if (pause === undefined) throw new UserError(`${error.message}; gave up after ${tries + 1} tries`);
      await web.wait(Math.min(error.seconds ?? pause, LONGEST_PAUSE_SECONDS));
    }
  }
}

async function publishOnce(pullRequest: PullRequest, raw: string, buildOf: BuildOf, web: Web): Promise<string> {
  const build = buildOf(raw) ?? 0;
  const reports = (await listComments(pullRequest, web)).flatMap((comment) => {
    const of = buildOf(comment.raw);
    return of === undefined ? [] : [{ ...comment, of }];
  });
  for (const { id, of, raw: there } of reports.sort((a, b) => b.of - a.of)) {
    const isNewer = of > build;
    // A newer one is sent back as it is: only so it shows whether it is ours, and others must not silence the report.
    if (!(await change(pullRequest, id, isNewer ? there : raw, web))) continue;
    const comment = `comment ${id} of pull request ${pullRequest.id}`;
    return isNewer ? `${comment} is of a newer build, ${of}: nothing to add to it for ${build}` : `updated ${comment}`;
  }
  const made = z
    .object({ id: z.number() })
    .safeParse(await request(pullRequest, "POST", commentsUrl(pullRequest), web, { content: { raw } }));
  return `made comment ${made.data?.id ?? ""} of pull request ${pullRequest.id}`;
}

/** @returns whether the comment is ours: who may comment may still not change what others wrote */
async function change(pullRequest: PullRequest, id: number, raw: string, web: Web): Promise<boolean> {
  try {
    await request(pullRequest, "PUT", `${commentsUrl(pullRequest)}/${id}`, web, { content: { raw } });
    return true;
  } catch (error) {
    if (error instanceof Refused && error.status === 403) return false;
    throw error;
  }
}

const pageSchema = z.object({
  next: z.string().optional(),
  values: z.array(
    z.object({
      id: z.number(),
      deleted: z.boolean().optional(),
      content: z.object({ raw: z.string().nullish() }).nullish(),
      parent: z.unknown().optional(),
      inline: z.unknown().optional(),
    }),
  ),
});

/** The comments on the pull request as a whole, the oldest first. */
async function listComments(pullRequest: PullRequest, web: Web): Promise<Comment[]> {
  const comments: Comment[] = [];
  let url: string | undefined = `${commentsUrl(pullRequest)}?pagelen=100`;
  for (let pages = 0; url !== undefined && pages < MOST_PAGES; pages++) {
    // The address of the next page comes from outside, and what is sent there opens the repository.
    if (!url.startsWith(`${pullRequest.api}/`)) {
      throw new UserError(`Bitbucket's list of comments goes on at ${url}, which is not below ${pullRequest.api}`);
    }
    const page = pageSchema.safeParse(await request(pullRequest, "GET", url, web));
    if (!page.success) throw new UserError(`${url} answered with something that is no list of comments`);
    for (const { id, deleted, content, parent, inline } of page.data.values) {
      if (!deleted && !parent && !inline) comments.push({ id, raw: content?.raw ?? "" });
    }
    url = page.data.next;
  }
  return comments;
}

function commentsUrl({ api, repository, id }: PullRequest): string {
  const path = ["repositories", ...repository.split("/"), "pullrequests", id, "comments"];
  return [api, ...path.map((part, index) => (index === 0 ? part : encodeURIComponent(part)))].join("/");
}

/** @throws Busy, Refused */
async function request(
  pullRequest: PullRequest,
  method: "GET" | "POST" | "PUT",
  url: string,
  web: Web,
  body?: unknown,
): Promise<unknown> {
  const response = await web
    .fetch(url, {
      method,
      headers: {
        accept: "application/json",
        authorization: pullRequest.authorization,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    .catch((error: Error) => {
      const { message } = (error.cause as Error | undefined) ?? error;
      throw new Busy(`Bitbucket does not answer at ${pullRequest.api}: ${message}`);
    });
  const text = await response.text().catch(() => "");
  if (response.ok) return parse(text);
  const said = `Bitbucket answered ${response.status} to ${method} ${url}${wordsOf(text)}`;
  if (response.status === 429 || response.status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? "");
    throw new Busy(said, seconds > 0 ? seconds : undefined);
  }
  throw new Refused([said, hintOf(response.status, pullRequest)].filter(Boolean).join(": "), response.status);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What Bitbucket says itself, where it says something. */
function wordsOf(text: string): string {
  const error = z.object({ error: z.object({ message: z.string() }) }).safeParse(parse(text));
  return error.success ? ` ("${error.data.error.message.slice(0, 200)}")` : "";
}

function hintOf(status: number, { repository, id }: PullRequest): string {
  const token = "docs/many-hands.md tells how to make BITBUCKET_ACCESS_TOKEN";
  if (status === 401) return `the access token is wrong, expired or revoked; ${token}`;
  if (status === 403) return `the access token lacks the permission to write to pull requests; ${token}`;
  if (status === 404)
    return `there is no pull request ${id} in ${repository}, or the access token is of another repository`;
  return "";
}
