import { spawn, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { sshToEngine, sshWithIdentity } from "../../../../commands/ci/otherSsh";

// Programs are started.
jest.setTimeout(60_000);

const PATH = process.env.PATH ?? "";
const folderOf = (searched: string): string => searched.split(path.delimiter)[0] ?? "";

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "other-ssh-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Runs the `ssh` found on a PATH the way that the docker provider does. */
function ask(searched: string, command: readonly string[], input: string): Promise<{ code: number; said: string }> {
  const args = ["-l", "deploy", "-o", "ConnectTimeout=30", "-T", "--", "swarm-manager.example.com", ...command];
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", args, { env: { PATH: searched } });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
    child.on("error", reject).on("close", (code) => resolve({ code: code ?? -1, said }));
    child.stdin.end(input);
  });
}

describe("an ssh that leads to one engine", () => {
  const DIAL = ["docker", "system", "dial-stdio"];
  const REQUEST = "GET /_ping HTTP/1.1\r\nhost: docker\r\nconnection: close\r\n\r\n";

  it.each(["unix", "tcp"])("joins it by %s, whatever host it is told", async (kind) => {
    const server = createServer((request, response) => response.end(`pong of ${request.url}`));
    const socket = path.join(folder, "docker.sock");
    await new Promise<void>((resolve) => {
      if (kind === "unix") server.listen(socket, resolve);
      else server.listen(0, "127.0.0.1", resolve);
    });
    const engine = kind === "unix" ? `unix://${socket}` : `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ssh = sshToEngine(engine, { PATH });
    const { code, said } = await ask(ssh.path, DIAL, REQUEST);
    expect([code, said]).toEqual([0, expect.stringContaining("pong of /_ping")]);
    ssh.remove();
    expect(fs.existsSync(folderOf(ssh.path))).toBe(false);
    server.close();
  });

  it("does nothing else, and says so", async () => {
    const ssh = sshToEngine(`unix://${folder}/none`, { PATH });
    const other = await ask(ssh.path, ["reboot"], "");
    expect([other.code, other.said]).toEqual([255, expect.stringContaining("a preview reaches no other machine")]);
    const gone = await ask(ssh.path, DIAL, REQUEST);
    expect([gone.code, gone.said]).toEqual([255, expect.stringContaining("no Docker Engine answers at unix://")]);
    ssh.remove();
  });
});

describe("an ssh with a key of its own", () => {
  const PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n";
  const HOSTS = "swarm-manager.example.com ssh-ed25519 AAAAC3Nz\n";
  const base64 = (text: string): string => Buffer.from(text).toString("base64");

  it.each([
    ["as they are", PEM, HOSTS],
    ["in base64", base64(PEM), base64(HOSTS)],
    ["in one line", PEM.trim().replaceAll("\n", "\\n"), HOSTS.trim()],
  ])("takes key and host keys %s, and leaves nothing behind", (_form, key, knownHosts) => {
    const real = path.join(folder, "real ssh");
    fs.writeFileSync(real, '#!/bin/sh\nfor word; do echo "$word"; done\n', { mode: 0o755 });
    const ssh = sshWithIdentity({ key, knownHosts }, real, { PATH });
    const own = folderOf(ssh.path);
    const { stdout } = spawnSync("ssh", ["host", "a b"], { env: { PATH: ssh.path }, encoding: "utf8" });
    expect(stdout.split("\n").filter((word) => word !== "-o")).toEqual(
      expect.arrayContaining([`IdentityFile=${own}/key`, "StrictHostKeyChecking=yes", "BatchMode=yes", "host", "a b"]),
    );
    expect(fs.readFileSync(`${own}/key`, "utf8")).toBe(PEM);
    expect(fs.readFileSync(`${own}/known_hosts`, "utf8")).toBe(HOSTS);
    expect(fs.statSync(`${own}/key`).mode & 0o777).toBe(0o600);
    ssh.remove();
    expect(fs.existsSync(own)).toBe(false);
  });

  it("refuses what is neither", () => {
    const real = "/usr/bin/ssh";
    expect(() => sshWithIdentity({ key: "hello", knownHosts: HOSTS }, real, { PATH })).toThrow("is no private key");
    expect(() => sshWithIdentity({ key: PEM, knownHosts: "a host" }, real, { PATH })).toThrow("names no host key");
  });
});
