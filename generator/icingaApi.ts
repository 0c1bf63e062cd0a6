import * as https from "node:https";

/** The master does not answer, or not yet as it should: trying again mends it. */
export class ApiUnavailable extends Error {
  override readonly name = "ApiUnavailable";
}

/** The master answers, but not us: wrong password, missing permission, a certificate that is not its own. */
export class ApiRefused extends Error {
  override readonly name = "ApiRefused";
}

/** A config package on the master. */
export interface PackageInfo {
  readonly name: string;
  readonly stages: readonly string[];
  /** Undefined as long as no stage was ever valid. */
  readonly activeStage: string | undefined;
}

/** A result of a check that Icinga does not run itself. */
export interface CheckResult {
  /** 0 is OK, 1 WARNING, 2 CRITICAL, as plugins end. */
  readonly exitStatus: 0 | 1 | 2;
  /** The first line is what lists show. */
  readonly output: string;
  /** Such as `hosts=12`. */
  readonly performanceData: readonly string[];
}

/** What the generator asks of the master. Every method throws ApiUnavailable or ApiRefused. */
export interface ConfigApi {
  packages(): Promise<PackageInfo[]>;
  createPackage(name: string): Promise<void>;
  /** Paths of a stage's files, Icinga's own included. */
  listFiles(packageName: string, stage: string): Promise<string[]>;
  /** Undefined if there is no such file. */
  readFile(packageName: string, stage: string, path: string): Promise<string | undefined>;
  /** Hands over a new stage, which the master validates in its own time. Returns the stage's name. */
  upload(packageName: string, files: ReadonlyMap<string, string>): Promise<string>;
  deleteStage(packageName: string, stage: string): Promise<void>;
  /** Stages that the running daemon's zones were loaded from: after a reload, those of the new configuration. */
  loadedStages(packageName: string): Promise<Set<string>>;
  /** Hands over a result for a passive service. Returns whether there is such a service. */
  submit(host: string, service: string, result: CheckResult): Promise<boolean>;
}

export interface ConnectionSettings {
  /** Such as `https://icinga-master:5665`. */
  readonly url: string;
  /** Name that the certificate must carry. */
  readonly serverName: string;
  /** PEM of the one CA that is trusted. */
  readonly ca: string;
  readonly user: string;
  readonly password: string;
  /** @default 30 seconds */
  readonly timeoutMilliseconds?: number;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Icinga complains in its log about connections that are idle for longer than ten seconds. */
const IDLE_MILLISECONDS = 5_000;

/** Errors of the certificate check: whoever answers there is not the stack's master. */
const TLS_REFUSALS = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/** Icinga's API as far as the generator uses it, over TLS that is checked against the stack's own CA. */
export class IcingaApi implements ConfigApi {
  private readonly agent: https.Agent;

  constructor(private readonly settings: ConnectionSettings) {
    this.agent = new https.Agent({
      keepAlive: true,
      maxSockets: 4,
      timeout: IDLE_MILLISECONDS,
      ca: settings.ca,
      servername: settings.serverName,
    });
  }

  async packages(): Promise<PackageInfo[]> {
    const results = await this.results<{ name: string; stages: string[]; "active-stage": string }>("config/packages");
    return results.map((found) => ({
      name: found.name,
      stages: found.stages,
      activeStage: found["active-stage"] || undefined,
    }));
  }

  async createPackage(name: string): Promise<void> {
    await this.expectOk("POST", `config/packages/${encodeURIComponent(name)}`);
  }

  async listFiles(packageName: string, stage: string): Promise<string[]> {
    const url = `config/stages/${packageName}/${stage}`;
    const answer = await this.request("GET", url);
    // Somebody removed the folder of a stage that is still listed: it has no files.
    if (answer.status === 404) return [];
    const found = parseResults<{ name: string; type: string }>(expectOk(answer, "GET", url), url);
    return found.filter(({ type }) => type === "file").map(({ name }) => name);
  }

  async readFile(packageName: string, stage: string, path: string): Promise<string | undefined> {
    const file = path.split("/").map(encodeURIComponent).join("/");
    const url = `config/files/${packageName}/${stage}/${file}`;
    // Icinga answers 400 to any other Accept header here.
    const answer = await this.request("GET", url, undefined, "application/octet-stream");
    if (answer.status === 404) return undefined;
    return expectOk(answer, "GET", url).body;
  }

  async upload(packageName: string, files: ReadonlyMap<string, string>): Promise<string> {
    const url = `config/stages/${packageName}`;
    const answer = await this.expectOk("POST", url, JSON.stringify({ files: Object.fromEntries(files) }));
    const [result] = parseResults<{ stage?: string }>(answer, url);
    if (result?.stage === undefined) throw new ApiUnavailable(`the master names no stage: ${answer.body}`);
    return result.stage;
  }

  async deleteStage(packageName: string, stage: string): Promise<void> {
    await this.expectOk("DELETE", `config/stages/${packageName}/${stage}`);
  }

  async loadedStages(packageName: string): Promise<Set<string>> {
    const zones = await this.results<{ attrs: { package: string; source_location: { path: string } } }>(
      "objects/zones?attrs=package&attrs=source_location",
    );
    const own = zones.filter(({ attrs }) => attrs.package === packageName);
    const stages = own.map(({ attrs }) => attrs.source_location.path.split(`/packages/${packageName}/`)[1]);
    return new Set(stages.flatMap((path) => path?.split("/")[0] ?? []));
  }

  async submit(host: string, service: string, result: CheckResult): Promise<boolean> {
    const url = "actions/process-check-result";
    const body = {
      type: "Service",
      service: `${host}!${service}`,
      exit_status: result.exitStatus,
      plugin_output: result.output,
      performance_data: result.performanceData,
      check_source: host,
    };
    const answer = await this.request("POST", url, JSON.stringify(body));
    if (answer.status === 404) return false;
    expectOk(answer, "POST", url);
    return true;
  }

  private async results<Result>(url: string): Promise<Result[]> {
    return parseResults<Result>(await this.expectOk("GET", url), url);
  }

  private async expectOk(method: string, url: string, body?: string): Promise<Answer> {
    return expectOk(await this.request(method, url, body), method, url);
  }

  private async request(method: string, url: string, body?: string, accept = "application/json"): Promise<Answer> {
    try {
      return await this.send(method, url, body, accept);
    } catch (error) {
      // The master closes idle connections, and all of them at a reload: that says nothing about a new one.
      if (!(error instanceof StaleConnection) || method !== "GET") throw error;
      return this.send(method, url, body, accept);
    }
  }

  private send(method: string, url: string, body: string | undefined, accept: string): Promise<Answer> {
    const { user, password, timeoutMilliseconds = 30_000 } = this.settings;
    return new Promise((resolve, reject) => {
      const request = https.request(
        `${this.settings.url}/v1/${url}`,
        {
          method,
          agent: this.agent,
          auth: `${user}:${password}`,
          timeout: timeoutMilliseconds,
          headers: {
            Accept: accept,
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            "Content-Length": Buffer.byteLength(body ?? ""),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", (error) => reject(unavailable(error)));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      let isTimedOut = false;
      request.on("timeout", () => {
        isTimedOut = true;
        request.destroy(new Error(`no answer to ${method} /v1/${url} within ${timeoutMilliseconds / 1000} s`));
      });
      request.on("error", (error) => {
        const isStale = request.reusedSocket && !isTimedOut;
        reject(
          isStale ? new StaleConnection(`the master closed the connection (${error.message})`) : unavailable(error),
        );
      });
      request.end(body);
    });
  }
}

/** A kept connection that turned out to be closed. */
class StaleConnection extends ApiUnavailable {}

function unavailable(error: Error & { code?: string }): Error {
  if (TLS_REFUSALS.test(error.code ?? "")) {
    return new ApiRefused(
      `who answers as the master shows a certificate that is not the master's own (${error.message}); ` +
        "the CA certificate in the stack's config and the one on the master must be the same",
    );
  }
  return new ApiUnavailable(`the master's API cannot be reached (${error.message})`);
}

function expectOk(answer: Answer, method: string, url: string): Answer {
  if (answer.status === 200) return answer;
  const what = `${method} /v1/${url}: ${answer.status} ${summary(answer.body)}`;
  if (answer.status === 401) {
    throw new ApiRefused(
      "the master refuses the password of the API user generator (401); " +
        "the secret icinga-api-generator-password must be the same in both services",
    );
  }
  // Icinga takes one new stage at a time, of whatever package.
  if (answer.status === 423) throw new ApiUnavailable("the master is still busy with another change of configuration");
  if (answer.status === 403) throw new ApiRefused(`the API user generator may not do this: ${what}`);
  throw new ApiUnavailable(`the master's API does not answer as it should (${what})`);
}

function parseResults<Result>(answer: Answer, url: string): Result[] {
  try {
    return (JSON.parse(answer.body) as { results: Result[] }).results;
  } catch {
    throw new ApiUnavailable(`the answer to /v1/${url} is not JSON: ${summary(answer.body)}`);
  }
}

function summary(body: string): string {
  return body.replace(/\s+/g, " ").slice(0, 300);
}
