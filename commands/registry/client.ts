import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { request as plainRequest, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { request as tlsRequest } from "node:https";
import { rootCertificates } from "node:tls";
import { z } from "zod";
import { UserError } from "../userError";

/** A private registry as the settings name it, and the login for it. */
export interface RegistryLogin {
  /** `host` or `host:port`. */
  readonly address: string;
  /** Path below the address. */
  readonly repository: string;
  readonly username: string;
  readonly password: string;
}

/** The login that the programs run by Pulumi get in their environment. @throws UserError naming what is missing */
export function registryLoginFrom(env: NodeJS.ProcessEnv): RegistryLogin {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new UserError(`the environment variable ${name} is missing`);
    return value;
  };
  return {
    address: required("REGISTRY_ADDRESS"),
    repository: required("REGISTRY_REPOSITORY"),
    username: required("REGISTRY_USERNAME"),
    password: required("REGISTRY_PASSWORD"),
  };
}

/** Seconds without an answer after which a registry is taken for silent. */
const TIMEOUT_SECONDS = 15;
/** What a manifest may be; a registry that is not told answers with a form of its own choice, which has another digest. */
const MANIFESTS = [
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
].join(", ");
/** Where systems keep the authorities that they trust; the first that is there counts, as for programs written in Go. */
const SYSTEM_AUTHORITIES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** What an image's configuration and an index's entries tell. */
const platformSchema = z.object({ architecture: z.string().min(1) });
/** An index of images for several platforms, or one image. */
const manifestSchema = z.union([
  z.object({ manifests: z.array(z.object({ platform: platformSchema })) }),
  z.object({ config: z.object({ digest: z.string() }) }),
]);

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a registry over its HTTP API, and knows what its refusals mean. */
export class RegistryClient {
  /** The value of the header Authorization, by what it is good for: one token for each image, or the login for all. */
  private readonly authorizations = new Map<string, string>();

  /** @param scheme `http` for tests */
  constructor(
    private readonly login: RegistryLogin,
    private readonly scheme: "https" | "http" = "https",
  ) {}

  /**
   * Sees to it that images can be pushed: the registry answers, knows the login, has the repository, takes uploads into it,
   * and its proxy lets through what a push needs. Leaves nothing there.
   *
   * @param image any name of an image, without repository
   * @throws UserError that names registry and repository, what is wrong, and what to do
   */
  async checkPush(image: string): Promise<void> {
    await this.checkLogin();
    await this.checkHead(image);
    const path = `/v2/${this.login.repository}/${image}/blobs/uploads/`;
    const answer = await this.ask("POST", path, image, { "Content-Length": "0" });
    if (answer.status !== 202) throw this.problem(this.refusalOfPush(answer));
    const { location } = answer.headers;
    if (!location) return;
    this.checkLocation(location);
    // An upload that nobody goes on with is no harm: registries forget them after some hours.
    await this.ask("DELETE", location, image).catch(() => undefined);
  }

  /**
   * @param image without repository
   * @returns the digest of what the registry has under this name; undefined when it has nothing
   * @throws UserError as `checkPush`
   */
  async digestOf(image: string, tag: string): Promise<string | undefined> {
    const path = `/v2/${this.login.repository}/${image}/manifests/${tag}`;
    const answer = await this.ask("HEAD", path, image, { Accept: MANIFESTS });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.problem(this.refusal(answer, "HEAD of a manifest"));
    const named = answer.headers["docker-content-digest"];
    if (typeof named === "string") return named;
    // Some proxies hand on no headers they do not know.
    const whole = await this.ask("GET", path, image, { Accept: MANIFESTS });
    return `sha256:${createHash("sha256").update(whole.body).digest("hex")}`;
  }

  /**
   * @param image without repository
   * @param reference digest or tag
   * @returns the architectures that an image is there for, as Docker names them; none where the registry does not tell
   */
  async architecturesOf(image: string, reference: string): Promise<string[]> {
    const path = `/v2/${this.login.repository}/${image}`;
    const read = async (what: string, headers = {}): Promise<unknown> =>
      parsed(await this.askOnwards(`${path}/${what}`, image, headers));
    try {
      const found = manifestSchema.parse(await read(`manifests/${reference}`, { Accept: MANIFESTS }));
      const platforms =
        "manifests" in found
          ? found.manifests.map(({ platform }) => platform)
          : [platformSchema.parse(await read(`blobs/${found.config.digest}`))];
      // Signatures and the like stand in an index as images for no machine.
      return platforms.flatMap(({ architecture }) => (architecture === "unknown" ? [] : architecture));
    } catch {
      // Nothing that a deployment needs: what is wrong with the registry is said where it is in the way.
      return [];
    }
  }

  /** An error that begins with where it happened. */
  problem(what: string): UserError {
    const { address, repository } = this.login;
    return new UserError(`registry ${address}, repository ${repository}: ${what}. See docs/nexus.md.`);
  }

  private async checkLogin(): Promise<void> {
    const answer = await this.ask("GET", "/v2/", undefined);
    if (answer.status === 200) return;
    if (answer.status === 404) {
      throw this.problem(
        "no Docker registry answers there (404 for /v2/); icinga-swarm:registry.address must be the host and port at which " +
          "docker login works: a connector's, or that of path-based routing",
      );
    }
    throw this.problem(this.refusal(answer, "GET of /v2/"));
  }

  private async checkHead(image: string): Promise<void> {
    const path = `/v2/${this.login.repository}/${image}/manifests/no-such-tag`;
    const { status } = await this.ask("HEAD", path, image, { Accept: MANIFESTS });
    // What else is wrong is told better by an answer that has a body.
    if (status === 405 || status === 501) {
      throw this.problem(`HEAD requests do not come through (${status}); the reverse proxy must hand them on`);
    }
  }

  /** Layers are sent where the registry says, which it only knows from what its proxy tells it. */
  private checkLocation(location: string): void {
    const { origin } = new URL(`${this.scheme}://${this.login.address}`);
    if (!URL.canParse(location) || new URL(location).origin === origin) return;
    throw this.problem(
      `it wants uploads at ${new URL(location).origin}, not at ${origin}; the reverse proxy must hand on the header Host ` +
        "with its port, and X-Forwarded-Proto: https",
    );
  }

  private refusalOfPush(answer: Answer): string {
    const { username, repository } = this.login;
    const [first = ""] = repository.split("/");
    const code = errorCode(answer);
    if (answer.status === 404 || code === "NAME_UNKNOWN") {
      return (
        `there is no such repository${said(answer)}; make a Docker (hosted) repository "${first}" that is reached by its ` +
        "path, or correct icinga-swarm:registry.repository"
      );
    }
    if (answer.status === 401 || answer.status === 403) {
      return (
        `${username} may not push there${said(answer)}; give its role the privileges browse, read, add and edit of that ` +
        "repository, and see whether the repository is there: some registries only say that it is not allowed"
      );
    }
    if (answer.status === 400 || answer.status === 405) {
      return `it takes no images${said(answer)}; it must be a hosted repository that allows to deploy, no group and no proxy`;
    }
    return this.refusal(answer, "the beginning of an upload");
  }

  private refusal(answer: Answer, what: string): string {
    const { username } = this.login;
    if (answer.status === 401) {
      return (
        `${username} is refused with this password${said(answer)}; set the right one with: ` +
        "pulumi config set --secret registryPassword"
      );
    }
    if (answer.status === 403) return `${username} may not use it${said(answer)}; give it a role with its privileges`;
    if (answer.status >= 500) {
      return `the registry behind the proxy does not work (${answer.status} to ${what}); see whether it is running`;
    }
    return `unexpected answer ${answer.status} to ${what}${said(answer)}`;
  }

  /** A GET that follows the way to where a registry keeps its blobs. */
  private async askOnwards(path: string, image: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const answer = await this.ask("GET", path, image, headers);
    const { location } = answer.headers;
    return answer.status >= 300 && location ? this.ask("GET", location, image) : answer;
  }

  /** One request, with whatever authorization the registry asks for. */
  private async ask(
    method: string,
    path: string,
    image: string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const url = new URL(path, `${this.scheme}://${this.login.address}`);
    // An answer that points elsewhere gets no password.
    const isOwn = url.host === new URL(`${this.scheme}://${this.login.address}`).host;
    const scope = image === undefined ? "" : `repository:${this.login.repository}/${image}:pull,push`;
    const known = isOwn ? this.authorizations.get(scope) : undefined;
    const first = await this.send(method, url, known === undefined ? headers : { ...headers, Authorization: known });
    if (first.status !== 401 || !isOwn) return first;
    // A token that was good may have run out, as during a long push; only a second 401 is about the password.
    this.authorizations.delete(scope);
    const authorization = await this.authorize(first, scope);
    if (typeof authorization !== "string") return authorization;
    const second = await this.send(method, url, { ...headers, Authorization: authorization });
    if (second.status !== 401) this.authorizations.set(scope, authorization);
    return second;
  }

  /** What to authorize with, by the registry's challenge; or the answer of the place that gives tokens, if it refuses. */
  private async authorize(challenged: Answer, scope: string): Promise<string | Answer> {
    const basic = `Basic ${Buffer.from(`${this.login.username}:${this.login.password}`).toString("base64")}`;
    const challenge = String(challenged.headers["www-authenticate"] ?? "");
    if (!/^bearer /i.test(challenge)) return basic;
    const parameters = Object.fromEntries(
      [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    ) as { realm?: string; service?: string };
    if (!parameters.realm || !URL.canParse(parameters.realm)) {
      throw this.problem(`it asks for a token from "${parameters.realm ?? ""}", which is no address`);
    }
    const realm = new URL(parameters.realm);
    if (realm.protocol !== `${this.scheme}:`) {
      throw this.problem(
        `it asks for a token over ${realm.protocol.slice(0, -1)}, which would show the password; the reverse proxy must ` +
          "send X-Forwarded-Proto: https",
      );
    }
    if (parameters.service) realm.searchParams.set("service", parameters.service);
    if (scope) realm.searchParams.set("scope", scope);
    const answer = await this.send("GET", realm, { Authorization: basic });
    if (answer.status !== 200) return answer;
    const { token, access_token: accessToken } = parsed(answer) as { token?: string; access_token?: string };
    return `Bearer ${token ?? accessToken ?? ""}`;
  }

  private send(method: string, url: URL, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const options: RequestOptions = { method, headers: { "User-Agent": "icinga-swarm", ...headers } };
    return new Promise((resolve, reject) => {
      const call =
        url.protocol === "https:" ? tlsRequest(url, { ...options, ca: trusted() }) : plainRequest(url, options);
      call.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
        response.on("error", reject);
      });
      call.setTimeout(TIMEOUT_SECONDS * 1000, () => call.destroy(new Error(`no answer in ${TIMEOUT_SECONDS} s`)));
      call.on("error", (error: NodeJS.ErrnoException) => reject(this.problem(connectionProblem(error, url.host))));
      call.end();
    });
  }
}

/** What it means that no answer came at all. */
function connectionProblem({ code = "", message }: NodeJS.ErrnoException, host: string): string {
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return `this machine does not know the name ${host}; correct icinga-swarm:registry.address, or this machine's DNS`;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `its certificate is for another name (${message}); icinga-swarm:registry.address must be a name that is in it`;
  }
  if (code === "CERT_HAS_EXPIRED") return "its certificate has expired; renew it at the reverse proxy";
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return (
      `its certificate is not trusted (${message}); add its authority to this machine's, with update-ca-certificates or ` +
      "as a PEM file in SSL_CERT_FILE, and to each node's"
    );
  }
  if (code === "EPROTO" || code.startsWith("ERR_SSL")) {
    return `${host} does not speak TLS; images are pushed over HTTPS only, so name the port of the reverse proxy`;
  }
  return `nothing answers at ${host} (${code || message}); see whether the registry and its reverse proxy are running`;
}

/** The authorities that Node.js comes with, and those that this machine trusts besides. */
function trusted(): string[] {
  const { SSL_CERT_FILE: chosen, NODE_EXTRA_CA_CERTS: extra } = process.env;
  const system = chosen || SYSTEM_AUTHORITIES.find((file) => existsSync(file));
  const files = [system, extra].filter((file): file is string => Boolean(file) && existsSync(file as string));
  return [...rootCertificates, ...files.map((file) => readFileSync(file, "utf8"))];
}

function parsed({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    return {};
  }
}

interface RegistryErrors {
  readonly errors?: readonly { readonly code?: string; readonly message?: string }[];
}

function errorCode(answer: Answer): string | undefined {
  return (parsed(answer) as RegistryErrors | null)?.errors?.[0]?.code;
}

/** The registry's own words for a refusal, in brackets. */
function said(answer: Answer): string {
  const message = (parsed(answer) as RegistryErrors | null)?.errors?.[0]?.message;
  return ` (${answer.status}${message ? `: ${message}` : ""})`;
}
