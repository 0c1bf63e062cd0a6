import { createServer, type Server, type ServerResponse } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { parseLog, readTaskLog, taskLog } from "../../../../commands/docker/serviceLogs";

const [OUT, ERR, COMPLAINT] = [1, 2, 3];

function frame(stream: number, text: string | Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

it("takes the streams apart and puts the lines into the order of their times", () => {
  const log = Buffer.concat([
    frame(ERR, "2026-11-01T12:00:00.000000002Z second, naïve\n"),
    frame(OUT, "2026-11-01T12:00:00.000000001Z first\r\n"),
    frame(OUT, "2026-11-01T12:00:00.000000003Z \n"),
  ]);
  expect(parseLog(log)).toEqual([
    { time: "2026-11-01T12:00:00.000000001Z", text: "first" },
    { time: "2026-11-01T12:00:00.000000002Z", text: "second, naïve" },
    { time: "2026-11-01T12:00:00.000000003Z", text: "" },
  ]);
  expect(parseLog(Buffer.alloc(0))).toEqual([]);
});

it("makes one line of what Docker cut into several frames, whatever came between them", () => {
  const umlaut = Buffer.from("ü");
  const log = Buffer.concat([
    frame(OUT, Buffer.concat([Buffer.from("2026-11-01T12:00:00.000000001Z long, na"), umlaut.subarray(0, 1)])),
    frame(ERR, "2026-11-01T12:00:00.000000002Z between\n"),
    frame(OUT, Buffer.concat([Buffer.from("2026-11-01T12:00:00.000000003Z "), umlaut.subarray(1), Buffer.from("f\n")])),
    frame(OUT, "2026-11-01T12:00:00.000000004Z without an end"),
  ]);
  expect(parseLog(log).map(({ text }) => text)).toEqual(["long, naüf", "between", "without an end"]);
});

describe("a log from the manager", () => {
  let folder: string;
  let server: Server | undefined;
  let asked: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "icinga-swarm-logs-"));
    asked = [];
  });
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true });
  });

  /** Stands for the manager. */
  async function manager(answer: (response: ServerResponse) => void): Promise<Docker> {
    const socketPath = join(folder, "docker.sock");
    server = createServer(({ url = "" }, response) => {
      asked.push(url);
      answer(response);
    });
    await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
    return new Docker({ socketPath });
  }

  it("is asked for from the end and from a time on, and only what is wanted is kept", async () => {
    const docker = await manager((response) => {
      const frames = [frame(OUT, "2026-11-01T12:00:00.1Z status {}\n"), frame(OUT, "2026-11-01T12:00:00.2Z other\n")];
      const bytes = Buffer.concat(frames);
      // However the network cuts it.
      response.write(bytes.subarray(0, 11));
      setTimeout(() => response.end(bytes.subarray(11)), 20);
    });
    const part = await readTaskLog(docker, "t1", { tail: 7, since: 100, keep: (text) => text.startsWith("status") });
    expect(part).toEqual({ lines: [{ time: "2026-11-01T12:00:00.1Z", text: "status {}" }] });
    expect(asked).toEqual(["/tasks/t1/logs?stdout=1&stderr=1&timestamps=1&tail=7&since=100"]);
  });

  it("that does not end in time is what came until then", async () => {
    const docker = await manager((response) => response.write(frame(OUT, "2026-11-01T12:00:00.1Z first\n")));
    const part = await readTaskLog(docker, "t1", { tail: 7, timeoutMs: 2000 });
    expect(part.lines.map(({ text }) => text)).toEqual(["first"]);
    expect(part.problem).toBe("not all of it came within 2 s");
  });

  it("that never begins does not block", async () => {
    const docker = await manager(() => undefined);
    const part = await readTaskLog(docker, "t1", { tail: 7, timeoutMs: 200 });
    expect(part).toEqual({ lines: [], problem: "not all of it came within 0.2 s" });
  });

  it("comes with the manager's own words on what it could not get", async () => {
    const words = "error from daemon in stream: Error grabbing logs: node x is not available";
    const docker = await manager((response) => response.end(frame(COMPLAINT, words)));
    expect(await readTaskLog(docker, "t1", { tail: 7 })).toEqual({ lines: [], problem: words });
    await expect(taskLog(docker, "t1", 7)).rejects.toThrow("node x is not available");
  });

  it("of a task that is gone is an answer, too", async () => {
    const docker = await manager((response) => response.writeHead(404).end('{"message":"task t1 not found"}'));
    expect((await readTaskLog(docker, "t1", { tail: 7 })).problem).toContain("task t1 not found");
  });
});
