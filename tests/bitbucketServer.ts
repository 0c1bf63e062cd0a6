import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A comment as the server keeps it. */
export interface ServedComment {
  readonly id: number;
  /** Whose it is: only the same may change it. */
  readonly author: string;
  content: { raw: string };
  deleted?: boolean;
  parent?: { id: number };
  inline?: { path: string };
}

/** A request that came, without its headers. */
export interface Request {
  readonly method: string;
  readonly path: string;
}

/** An answer that says no. */
export interface Failure {
  readonly status: number;
  readonly headers?: Record<string, string>;
  /** Whether what was asked for is done all the same, as where only the answer gets lost. @default no */
  readonly isLate?: boolean;
}

/** Speaks as much of Bitbucket Cloud's REST API 2.0 as comments on a pull request take. */
export class BitbucketServer {
  readonly comments: ServedComment[] = [];
  readonly requests: Request[] = [];
  /** What the next requests are answered with in place of what they ask for; undefined for one that goes well. */
  readonly failures: (Failure | undefined)[] = [];
  /** Value of `Authorization` -> who that is; `reader` may write nothing. */
  readonly users = new Map([["Bearer good-token", "pipeline"]]);
  /** Comments of a page, whatever the caller asks for. */
  pageLength = 10;
  /** Where it says that the next page is; undefined for the truth. */
  nextPage: string | undefined;

  private constructor(
    private readonly repository: string,
    private readonly pullRequest: string,
    private readonly server = createServer(),
  ) {}

  static async start(repository: string, pullRequest: string): Promise<BitbucketServer> {
    const served = new BitbucketServer(repository, pullRequest);
    served.server.on("request", (request, response) => void served.answer(request, response));
    await new Promise<void>((resolve) => served.server.listen(0, "127.0.0.1", resolve));
    served.api = `http://127.0.0.1:${(served.server.address() as AddressInfo).port}/2.0`;
    return served;
  }

  /** Where it answers; empty before it does. */
  api = "";

  add(author: string, raw: string, more: Partial<ServedComment> = {}): ServedComment {
    const comment = { id: 1000 + this.comments.length, author, content: { raw }, ...more };
    this.comments.push(comment);
    return comment;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, path: url });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = chunks.length === 0 ? undefined : (JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown);
    const failure = this.failures.shift();
    const done =
      failure === undefined || failure.isLate ? this.serve(method, url, headers.authorization, body) : undefined;
    if (failure !== undefined || done === undefined) {
      response.writeHead(failure?.status ?? 500, failure?.headers).end("<h1>not now</h1>");
      return;
    }
    const { status, json } = done;
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json));
  }

  private serve(method: string, url: string, authorization = "", body?: unknown): { status: number; json: unknown } {
    const error = (status: number, message: string) => ({ status, json: { type: "error", error: { message } } });
    const user = this.users.get(authorization);
    if (user === undefined) return error(401, "Token is invalid, expired, or not supported for this endpoint.");
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const base = `/2.0/repositories/${this.repository}/pullrequests/${this.pullRequest}/comments`;
    const [, id] = new RegExp(`^${base}(?:/(\\d+))?$`).exec(pathname) ?? [];
    if (!pathname.startsWith(base)) return error(404, "Resource not found");
    if (method === "GET") return { status: 200, json: this.page(Number(searchParams.get("page") ?? "1"), base) };
    if (user === "reader") return error(403, "Your credentials lack one or more required privilege scopes.");
    const raw = (body as { content?: { raw?: unknown } } | undefined)?.content?.raw;
    if (typeof raw !== "string" || raw === "" || raw.length > 32_768) return error(400, "Bad request");
    if (method === "POST" && id === undefined) return { status: 201, json: this.add(user, raw) };
    const comment = this.comments.find((known) => String(known.id) === id);
    if (method !== "PUT" || comment === undefined) return error(404, "Resource not found");
    if (comment.author !== user) return error(403, "You do not have access to edit this comment.");
    comment.content = { raw };
    return { status: 200, json: comment };
  }

  private page(number: number, base: string): unknown {
    const from = (number - 1) * this.pageLength;
    const values = this.comments.slice(from, from + this.pageLength);
    const more = from + this.pageLength < this.comments.length;
    const next = this.nextPage ?? `${this.api.replace("/2.0", "")}${base}?page=${number + 1}`;
    return { pagelen: this.pageLength, page: number, values, ...(more ? { next } : {}) };
  }
}
