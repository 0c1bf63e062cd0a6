import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainRefusal, pushOnce } from "../../../commands/pushImage";
import { RegistryClient } from "../../../commands/registry/client";

const LOGIN = { address: "nexus:5000", repository: "monitoring", username: "ci", password: "secret" };

test.each([
  [
    "Get https://nexus:5000/v2/: x509: certificate signed by unknown authority",
    "/etc/docker/certs.d/nexus:5000/ca.crt",
  ],
  ["dial tcp: lookup nexus on 127.0.0.53:53: no such host", "does not know the name"],
  ["error parsing HTTP 413 response body: invalid character '<'", "client_max_body_size 0"],
  ["denied: requested access to the resource is denied", "see the role of ci"],
  ["name unknown", "see the role of ci"],
  ["EOF", "what arrived is kept"],
])("the engine's words for a failed push, %s, are told with what to do", (words, remedy) => {
  const text = explainRefusal(words, LOGIN, "graphite", "unix:///socket");
  expect(text).toContain(`graphite could not be pushed (${words})`);
  expect(text).toContain(remedy);
  expect(text).not.toContain("secret");
});

describe("a tag that is there", () => {
  const DIGEST = `sha256:${"a".repeat(64)}`;
  /** What the registry's index says, if it has one, and what the engine says of the image, if it has it. */
  let platforms: string[] | undefined;
  let local: string | undefined;
  let asked: string[];
  let folder: string;
  let servers: Server[];

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "icinga-swarm-push-"));
    [platforms, local, asked] = [["arm64"], "amd64", []];
    const registry = createServer((request, response) => {
      if (request.method === "HEAD") return response.writeHead(200, { "Docker-Content-Digest": DIGEST }).end();
      if (!platforms) return response.writeHead(403).end();
      const manifests = platforms.map((architecture) => ({ platform: { architecture } }));
      response.end(JSON.stringify({ manifests }));
    });
    const engine = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (!local) return response.writeHead(404).end('{"message":"no such image"}');
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ Architecture: local }));
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => engine.listen(join(folder, "docker.sock"), resolve));
    servers = [registry, engine];
  });

  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    rmSync(folder, { recursive: true });
  });

  const pushed = (dockerHost = `unix://${folder}/docker.sock`) => {
    const address = `127.0.0.1:${(servers[0]?.address() as AddressInfo).port}`;
    const login = { ...LOGIN, address };
    return pushOnce(new RegistryClient(login, "http"), { login, image: "graphite", tag: "0123", dockerHost });
  };

  test("for another architecture than the engine's is refused, with both and what to do", async () => {
    await expect(pushed()).rejects.toThrow(
      /^registry .*, repository monitoring: graphite:0123 is there for arm64, .* built it for amd64; .*icinga-swarm:registry\.repository/,
    );
    expect(asked).toEqual([expect.stringMatching(/^GET \/images\/127\.0\.0\.1.*monitoring.*graphite.*0123\/json$/)]);
  });

  test("for the engine's among others is the image, and is pushed no more", async () => {
    platforms = ["arm64", "amd64"];
    expect(await pushed()).toBe(DIGEST);
    expect(asked.filter((request) => request.startsWith("POST"))).toEqual([]);
  });

  test("is taken as it is where registry or engine do not tell the architecture", async () => {
    platforms = undefined;
    expect(await pushed()).toBe(DIGEST);
    expect(asked).toEqual([]);
    [platforms, local] = [["arm64"], undefined];
    expect(await pushed()).toBe(DIGEST);
    expect(await pushed(`unix://${folder}/nowhere.sock`)).toBe(DIGEST);
  });
});
