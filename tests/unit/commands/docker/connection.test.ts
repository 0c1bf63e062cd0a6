import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerConnection, explainDockerError, sshArguments } from "../../../../commands/docker/connection";

describe("a Docker host", () => {
  it("that is none is refused, with the forms there are", () => {
    expect(() => dockerConnection("/var/run/docker.sock")).toThrow(/must look like unix:\/\/.*ssh:\/\/.*tcp:\/\//);
    expect(() => dockerConnection("https://swarm.example.com")).toThrow(/is no Docker host/);
  });

  it("over ssh is reached with the user's own configuration, and never by an option in its name", () => {
    const args = sshArguments(new URL("ssh://deploy@swarm.example.com:2222"), "/tmp/local.sock");
    expect(args.slice(0, 3)).toEqual(["-N", "-L", "/tmp/local.sock:/var/run/docker.sock"]);
    expect(args).toEqual(expect.arrayContaining(["BatchMode=yes", "ControlMaster=no", "ControlPath=none"]));
    expect(args.slice(-4)).toEqual(["-p", "2222", "--", "deploy@swarm.example.com"]);
    expect(args).not.toContain("-F");
  });

  it("that does not answer is named, and so is what it answers; a bug stays a bug", () => {
    const refused = Object.assign(new Error("connect ENOENT /nope"), { code: "ENOENT" });
    expect(explainDockerError(refused, "unix:///nope")).toMatchObject({
      name: "UserError",
      message: "no Docker Engine answers at unix:///nope: connect ENOENT /nope",
    });
    const answer = Object.assign(new Error("(HTTP code 503) ..."), {
      statusCode: 503,
      json: { message: "no manager" },
    });
    expect(explainDockerError(answer, "ssh://a")).toMatchObject({
      message: "the Docker Engine at ssh://a answers: no manager",
    });
    const bug = new TypeError("x is not a function");
    expect(explainDockerError(bug, "ssh://a")).toBe(bug);
  });
});

/** Stands for ssh: forwards the local socket of `-L` to the "remote" one, on this machine. */
const FAKE_SSH = `#!${process.execPath}
const net = require("node:net");
const args = process.argv.slice(2);
if (args.at(-1) === "unreachable") {
  console.error("ssh: connect to host unreachable port 22: No route to host");
  process.exit(255);
}
const fs = require("node:fs");
const turnedAway = ${JSON.stringify("TURNED_AWAY")};
if (args.at(-1) === "busy" && !fs.existsSync(turnedAway)) {
  fs.writeFileSync(turnedAway, "");
  console.error("kex_exchange_identification: read: Connection reset by peer");
  process.exit(255);
}
const [local, remote] = args[args.indexOf("-L") + 1].split(":");
net.createServer((client) => {
  const target = net.connect(remote);
  target.on("error", () => { console.error("open failed: " + remote); client.destroy(); });
  client.on("error", () => target.destroy());
  client.pipe(target).pipe(client);
}).listen(local);
fs.writeFileSync(${JSON.stringify("PID_FILE")}, String(process.pid));
`;

describe("a tunnel", () => {
  const folder = mkdtempSync(join(tmpdir(), "icinga-swarm-test-"));
  const engineSocket = join(folder, "engine.sock");
  const pidFile = join(folder, "ssh.pid");
  const path = process.env.PATH;
  let engine: Server;

  beforeAll(async () => {
    writeFileSync(
      join(folder, "ssh"),
      FAKE_SSH.replace("PID_FILE", pidFile).replace("TURNED_AWAY", join(folder, "turned-away")),
    );
    chmodSync(join(folder, "ssh"), 0o755);
    process.env.PATH = `${folder}:${path}`;
    engine = createServer((_request, response) => response.end("OK"));
    await new Promise<void>((resolve) => engine.listen(engineSocket, resolve));
  });

  afterAll(async () => {
    process.env.PATH = path;
    await new Promise((resolve) => engine.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const sshPid = (): number => Number(readFileSync(pidFile, "utf8"));
  const ends = async (pid: number): Promise<void> => {
    while (existsSync(`/proc/${pid}/cmdline`)) await new Promise((resolve) => setTimeout(resolve, 20));
  };

  it("carries requests, is opened again when ssh died, and leaves no ssh behind", async () => {
    const connection = dockerConnection(`ssh://swarm.example.com${engineSocket}`);
    const first = await connection.client();
    expect(String(await first.ping())).toBe("OK");
    expect(await connection.client()).toBe(first);
    const pid = sshPid();
    process.kill(pid);
    await ends(pid);
    // What is noticed of it depends on the moment; a later request goes through in any case.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = await connection.client();
    expect(String(await second.ping())).toBe("OK");
    expect(second).not.toBe(first);
    connection.close();
    await ends(sshPid());
  });

  it("leads where it was told, whatever DOCKER_HOST says", async () => {
    for (const elsewhere of ["ssh://elsewhere.invalid", "tcp://127.0.0.1:1", "unix:///nowhere.sock"]) {
      process.env.DOCKER_HOST = elsewhere;
      for (const host of [`ssh://swarm.example.com${engineSocket}`, `unix://${engineSocket}`]) {
        const connection = dockerConnection(host);
        expect(String(await (await connection.client()).ping())).toBe("OK");
        connection.close();
      }
      await ends(sshPid());
    }
    delete process.env.DOCKER_HOST;
  });

  it("is tried again when sshd has too many newcomers", async () => {
    const connection = dockerConnection(`ssh://busy${engineSocket}`);
    expect(String(await (await connection.client()).ping())).toBe("OK");
    expect(existsSync(join(folder, "turned-away"))).toBe(true);
    connection.close();
    await ends(sshPid());
  });

  it("says what ssh said, or that there is no engine at the other end", async () => {
    await expect(dockerConnection("ssh://unreachable").client()).rejects.toThrow(
      "ssh to unreachable failed: ssh: connect to host unreachable port 22: No route to host",
    );
    await expect(dockerConnection("ssh://swarm.example.com/nowhere.sock").client()).rejects.toThrow(
      /ssh to swarm.example.com works, but no Docker Engine answers at \/nowhere.sock: .*/,
    );
  });
});
