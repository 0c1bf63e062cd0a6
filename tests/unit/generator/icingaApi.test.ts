import * as https from "node:https";
import type { AddressInfo } from "node:net";
import forge from "node-forge";
import { ApiRefused, ApiUnavailable, IcingaApi } from "../../../generator/icingaApi";

/** A self-signed certificate is its own CA. Small keys: what is tested is who is trusted, not the mathematics. */
function certificate(name: string): { key: string; cert: string } {
  const keys = forge.pki.rsa.generateKeyPair(1024);
  const cert = forge.pki.createCertificate();
  cert.publicKey = keys.publicKey;
  cert.serialNumber = "01";
  cert.validity.notAfter = new Date(Date.now() + 86_400_000);
  const subject = [{ name: "commonName", value: name }];
  cert.setSubject(subject);
  cert.setIssuer(subject);
  cert.setExtensions([
    { name: "basicConstraints", cA: true },
    { name: "subjectAltName", altNames: [{ type: 2, value: name }] },
  ]);
  cert.sign(keys.privateKey, forge.md.sha256.create());
  return { key: forge.pki.privateKeyToPem(keys.privateKey), cert: forge.pki.certificateToPem(cert) };
}

const OURS = certificate("icinga-master");
// The same security level as Debian's Icinga would refuse such keys; this server and client are told not to.
const CIPHERS = "DEFAULT:@SECLEVEL=0";

interface Exchange {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly accept: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

let server: https.Server;
let seen: Exchange[];
let sockets: Set<unknown>;
let answer: (exchange: Exchange) => { status?: number; body: string } | undefined;

beforeEach(async () => {
  seen = [];
  sockets = new Set();
  answer = () => ({ body: '{"results":[]}' });
  server = https.createServer({ ...OURS, ciphers: CIPHERS }, (request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      const { accept, authorization } = request.headers;
      const exchange = { method: request.method, url: request.url, accept, authorization, body };
      seen.push(exchange);
      const reply = answer(exchange);
      if (reply !== undefined) response.writeHead(reply.status ?? 200).end(reply.body);
    });
  });
  server.on("secureConnection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function client(settings: { ca?: string; serverName?: string; timeoutMilliseconds?: number } = {}): IcingaApi {
  const { port } = server.address() as AddressInfo;
  return new IcingaApi({
    url: `https://127.0.0.1:${port}`,
    serverName: "icinga-master",
    ca: OURS.cert,
    user: "generator",
    password: "pass:wörd",
    ...settings,
  });
}

describe("the API client", () => {
  it("reads packages, over one kept connection, as its user", async () => {
    const results = [
      { name: "icinga-swarm", stages: ["a", "b"], "active-stage": "b" },
      { name: "new", stages: [], "active-stage": "" },
    ];
    answer = () => ({ body: JSON.stringify({ results }) });
    const api = client();
    await api.packages();
    expect(await api.packages()).toEqual([
      { name: "icinga-swarm", stages: ["a", "b"], activeStage: "b" },
      { name: "new", stages: [], activeStage: undefined },
    ]);
    expect(sockets.size).toBe(1);
    expect(seen[0]).toMatchObject({ method: "GET", url: "/v1/config/packages", accept: "application/json" });
    expect(Buffer.from(seen[0]?.authorization?.slice(6) ?? "", "base64").toString()).toBe("generator:pass:wörd");
  });

  it("reads a file's bytes with the one Accept header that Icinga takes there", async () => {
    answer = () => ({ body: "ä\n" });
    expect(await client().readFile("p", "s", "zones.d/a/b c.conf")).toBe("ä\n");
    expect(seen[0]).toMatchObject({
      url: "/v1/config/files/p/s/zones.d/a/b%20c.conf",
      accept: "application/octet-stream",
    });
    answer = () => ({ status: 404, body: "{}" });
    expect(await client().readFile("p", "s", "none")).toBeUndefined();
    expect(await client().listFiles("p", "s")).toEqual([]);
  });

  it("uploads files as JSON and returns the stage", async () => {
    answer = () => ({ body: '{"results":[{"code":200,"stage":"x-1"}]}' });
    expect(await client().upload("p", new Map([["conf.d/a.conf", "ü"]]))).toBe("x-1");
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/v1/config/stages/p",
      body: '{"files":{"conf.d/a.conf":"ü"}}',
    });
  });

  it("tells which stages the running zones came from", async () => {
    const zone = (name: string, path: string) => ({ attrs: { package: name, source_location: { path } } });
    const results = [
      zone("_etc", "/etc/icinga2/zones.conf"),
      zone("icinga-swarm", "/var/lib/icinga2/api/packages/icinga-swarm/uuid-1/conf.d/zones.conf"),
    ];
    answer = () => ({ body: JSON.stringify({ results }) });
    expect(await client().loadedStages("icinga-swarm")).toEqual(new Set(["uuid-1"]));
  });

  it("hands over a result for one service, and says whether there is one", async () => {
    const result = { exitStatus: 2, output: "no\nwhy", performanceData: ["hosts=1"] } as const;
    expect(await client().submit("config-generator", "configuration", result)).toBe(true);
    expect(seen[0]).toMatchObject({ method: "POST", url: "/v1/actions/process-check-result" });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      type: "Service",
      service: "config-generator!configuration",
      exit_status: 2,
      plugin_output: "no\nwhy",
      performance_data: ["hosts=1"],
      check_source: "config-generator",
    });
    answer = () => ({ status: 404, body: "{}" });
    expect(await client().submit("config-generator", "configuration", result)).toBe(false);
  });

  it.each([
    [500, ApiUnavailable, "500"],
    [423, ApiUnavailable, "busy with another change"],
    [403, ApiRefused, "may not do this"],
    [401, ApiRefused, "refuses the password"],
  ])("takes %s for what it is", async (status, kind, message) => {
    answer = () => ({ status, body: "{}" });
    const error: unknown = await client()
      .packages()
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain("wörd");
  });

  it("takes an answer that is no JSON for a master that is not ready", async () => {
    answer = () => ({ body: "<html>" });
    await expect(client().packages()).rejects.toThrow(ApiUnavailable);
  });

  it("trusts nobody but the stack's CA, and only the master's name", async () => {
    const stranger = client({ ca: certificate("icinga-master").cert });
    await expect(stranger.packages()).rejects.toThrow(ApiRefused);
    await expect(client({ serverName: "icinga-slave-x-1" }).packages()).rejects.toThrow(ApiRefused);
    expect(seen).toEqual([]);
  });

  it("gives up on a master that does not answer", async () => {
    answer = () => undefined;
    await expect(client({ timeoutMilliseconds: 100 }).packages()).rejects.toThrow("within 0.1 s");
  });

  it("asks again when the kept connection was closed in between", async () => {
    const api = client();
    await api.packages();
    server.closeAllConnections();
    expect(await api.packages()).toEqual([]);
    expect(sockets.size).toBe(2);
  });

  it("says that nobody is there", async () => {
    const api = client();
    await new Promise((resolve) => server.close(resolve));
    await expect(api.packages()).rejects.toThrow(/cannot be reached \(connect ECONNREFUSED/);
  });
});
