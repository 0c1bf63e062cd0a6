import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { RegistryClient, registryLoginFrom } from "../../../../commands/registry/client";

/** Handlers by `METHOD /path`, without the query; what none is for is 404. */
type Routes = Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const BASIC = `Basic ${Buffer.from("ci:right: 'one'").toString("base64")}`;
const UPLOADS = "POST /v2/monitoring/base/blobs/uploads/";
const seen: string[] = [];
let server: Server;
let address: string;
let routes: Routes;

beforeEach(async () => {
  seen.length = 0;
  server = createServer((request, response) => {
    const key = `${request.method} ${(request.url ?? "").split("?")[0]}`;
    seen.push(key);
    const route = routes[key];
    if (route) return route(request, response);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  routes = {
    "GET /v2/": withLogin(200),
    [UPLOADS]: withLogin(202, { Location: "/v2/monitoring/base/blobs/uploads/1" }),
  };
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function client(password = "right: 'one'", repository = "monitoring"): RegistryClient {
  return new RegistryClient({ address, repository, username: "ci", password }, "http");
}

/** An answer to whoever has this authorization; others are asked for it. */
function withLogin(
  status: number,
  headers: Record<string, string> = {},
  body = "",
  { authorization = BASIC, challenge = 'Basic realm="r"' } = {},
): Routes[string] {
  return (request, response) => {
    if (request.headers.authorization === authorization) response.writeHead(status, headers).end(body);
    else response.writeHead(401, { "WWW-Authenticate": challenge }).end();
  };
}

function refusal(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

test("a registry that takes images is well, and nothing is left there", async () => {
  routes["DELETE /v2/monitoring/base/blobs/uploads/1"] = withLogin(204);
  await client().checkPush("base");
  expect(seen).toContain("DELETE /v2/monitoring/base/blobs/uploads/1");
  expect(seen.filter((key) => key.startsWith("HEAD"))).not.toEqual([]);
});

test("a registry that gives tokens gets the login for one, and the token for the rest", async () => {
  const scopes: (string | null)[] = [];
  const bearer = { authorization: "Bearer t", challenge: `Bearer realm="http://${address}/token",service="s"` };
  routes = {
    "GET /v2/": withLogin(200, {}, "", bearer),
    [UPLOADS]: withLogin(202, {}, "", bearer),
    "GET /token": (request, response) => {
      scopes.push(new URL(request.url ?? "", "http://x").searchParams.get("scope"));
      withLogin(200, {}, '{"token":"t"}')?.(request, response);
    },
  };
  await client().checkPush("base");
  expect(scopes).toEqual([null, "repository:monitoring/base:pull,push"]);
  await expect(client("wrong").checkPush("base")).rejects.toThrow(/ci is refused with this password \(401\)/);
});

test("a token that has run out since is replaced by another; only a refusal of that one is the password's", async () => {
  const path = "/v2/monitoring/base/manifests/1";
  const challenge = `Bearer realm="http://${address}/token"`;
  const accepting = (token: string) => {
    const bearer = { authorization: `Bearer ${token}`, challenge };
    routes[`HEAD ${path}`] = withLogin(200, { "Docker-Content-Digest": "sha256:abc" }, "", bearer);
  };
  let tokens = 0;
  routes["GET /token"] = (request, response) => withLogin(200, {}, `{"token":"${++tokens}"}`)?.(request, response);
  const registry = client();
  accepting("1");
  expect(await registry.digestOf("base", "1")).toBe("sha256:abc");
  accepting("2");
  expect(await registry.digestOf("base", "1")).toBe("sha256:abc");
  accepting("none");
  await expect(registry.digestOf("base", "1")).rejects.toThrow(/ci is refused with this password \(401\)/);
  expect(tokens).toBe(3);
});

test.each<[string, Routes, RegExp]>([
  [
    "another password",
    { "GET /v2/": (_, answer) => answer.writeHead(401).end() },
    /password \(401\); set the right one/,
  ],
  ["no registry", { "GET /v2/": (_, answer) => answer.writeHead(404).end() }, /no Docker registry answers there/],
  ["a proxy with nothing behind", { "GET /v2/": (_, answer) => answer.writeHead(502).end() }, /behind the proxy .*502/],
  [
    "an unknown repository",
    { [UPLOADS]: withLogin(404, {}, refusal("NAME_UNKNOWN", "not known")) },
    /no such repository \(404: not known\); .*"monitoring"/,
  ],
  [
    "a missing privilege",
    { [UPLOADS]: withLogin(403, {}, refusal("DENIED", "no")) },
    /ci may not push there \(403: no\)/,
  ],
  ["a group", { [UPLOADS]: withLogin(405) }, /takes no images \(405\); it must be a hosted repository/],
  ["a proxy that takes no HEAD", { "HEAD /v2/monitoring/base/manifests/no-such-tag": withLogin(405) }, /HEAD requests/],
  [
    "a proxy that hides TLS",
    { [UPLOADS]: withLogin(202, { Location: "ftp://elsewhere/v2/monitoring/base/blobs/uploads/1" }) },
    /wants uploads at .*X-Forwarded-Proto: https/,
  ],
])("%s is told with registry, repository and what to do", async (_what, changes, expected) => {
  Object.assign(routes, changes);
  const check = client().checkPush("base");
  await expect(check).rejects.toThrow(expected);
  await expect(check).rejects.toThrow(new RegExp(`^registry ${address}, repository monitoring: .*See docs/nexus.md.$`));
});

test("a registry that is down, or whose name nobody knows, is told", async () => {
  const gone = new RegistryClient({ address: "127.0.0.1:1", repository: "m", username: "ci", password: "x" });
  await expect(gone.checkPush("base")).rejects.toThrow(/nothing answers at 127\.0\.0\.1:1 \(ECONNREFUSED\)/);
  const unknown = new RegistryClient({ address: "nexus.invalid", repository: "m", username: "ci", password: "x" });
  await expect(unknown.checkPush("base")).rejects.toThrow(/does not know the name nexus\.invalid/);
  const plain = new RegistryClient({ address, repository: "m", username: "ci", password: "x" });
  await expect(plain.checkPush("base")).rejects.toThrow(/does not speak TLS/);
});

test("the digest of a tag comes from HEAD, or from the manifest itself where a proxy drops the header", async () => {
  const path = "/v2/monitoring/base/manifests";
  routes[`HEAD ${path}/1`] = withLogin(200, { "Docker-Content-Digest": "sha256:abc" });
  expect(await client().digestOf("base", "1")).toBe("sha256:abc");
  expect(await client().digestOf("base", "2")).toBeUndefined();
  routes[`HEAD ${path}/3`] = withLogin(200);
  routes[`GET ${path}/3`] = withLogin(200, {}, "manifest");
  expect(await client().digestOf("base", "3")).toBe(
    "sha256:05b3abf2579a5eb66403cd78be557fd860633a1fe2103c7642030defe32c657f",
  );
});

describe("the architectures of an image", () => {
  const path = "/v2/monitoring/base";
  const manifest = (body: object): void => {
    routes[`GET ${path}/manifests/sha256:m`] = withLogin(200, {}, JSON.stringify(body));
  };
  const architectures = () => client().architecturesOf("base", "sha256:m");

  test("are that of its configuration, wherever the registry keeps it", async () => {
    manifest({ config: { digest: "sha256:c" } });
    routes[`GET ${path}/blobs/sha256:c`] = withLogin(200, {}, '{"architecture":"arm64","os":"linux"}');
    expect(await architectures()).toEqual(["arm64"]);
    routes["GET /store/c"] = withLogin(200, {}, '{"architecture":"arm64"}');
    routes[`GET ${path}/blobs/sha256:c`] = withLogin(307, { Location: "/store/c" });
    expect(await architectures()).toEqual(["arm64"]);
  });

  test("are those of an index's platforms, without what is no image", async () => {
    const platforms = ["arm64", "unknown", "amd64"].map((architecture) => ({ platform: { architecture } }));
    manifest({ manifests: platforms });
    expect(await architectures()).toEqual(["arm64", "amd64"]);
  });

  test("are none where the registry does not tell them", async () => {
    expect(await architectures()).toEqual([]);
    for (const body of [{}, [], { manifests: [{}] }, { manifests: "x" }, { config: { digest: "sha256:gone" } }]) {
      manifest(body);
      expect(await architectures()).toEqual([]);
    }
    for (const body of ["null", '{"architecture":""}']) {
      routes[`GET ${path}/blobs/sha256:gone`] = withLogin(200, {}, body);
      expect(await architectures()).toEqual([]);
    }
    const gone = new RegistryClient({ address: "127.0.0.1:1", repository: "m", username: "ci", password: "x" }, "http");
    expect(await gone.architecturesOf("base", "sha256:m")).toEqual([]);
  });
});

test("a password that is not right anywhere is sent to nobody else", async () => {
  const strangers: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    strangers.push(request.headers.authorization);
    response.writeHead(401, { "WWW-Authenticate": 'Basic realm="r"' }).end();
  });
  await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  const { port } = stranger.address() as AddressInfo;
  routes[UPLOADS] = withLogin(202, { Location: `http://127.0.0.1:${port}/upload` });
  await expect(client().checkPush("base")).rejects.toThrow(/wants uploads at/);
  expect(strangers).toEqual([]);
  await new Promise((resolve) => stranger.close(resolve));
});

test("the login comes from the environment, all of it", () => {
  const env = {
    REGISTRY_ADDRESS: "nexus:5000",
    REGISTRY_REPOSITORY: "monitoring",
    REGISTRY_USERNAME: "ci",
    REGISTRY_PASSWORD: "secret",
  };
  expect(registryLoginFrom(env)).toEqual({
    address: "nexus:5000",
    repository: "monitoring",
    username: "ci",
    password: "secret",
  });
  expect(() => registryLoginFrom({ ...env, REGISTRY_PASSWORD: "" })).toThrow("REGISTRY_PASSWORD is missing");
});
