import type Docker from "dockerode";

/** One line of a container's output, as the manager hands it out. */
export interface TimedLine {
  /** RFC 3339 with nanoseconds, by the clock of the container's node; sorts as text. */
  readonly time: string;
  readonly text: string;
}

const HEADER_BYTES = 8;
const READ_TIMEOUT_MS = 4_000;

/**
 * The last lines of a task's log, through the manager's API; empty while there is no container.
 *
 * @param tail how many lines at most
 */
export async function taskLog(docker: Docker, taskId: string, tail: number): Promise<TimedLine[]> {
  // A node that is away can keep the manager waiting for its part of the log.
  const abortSignal = AbortSignal.timeout(READ_TIMEOUT_MS);
  const task = docker.getTask(taskId) as unknown as { logs(options: object): Promise<Buffer> };
  return parseLog(await task.logs({ stdout: true, stderr: true, timestamps: true, tail, abortSignal }));
}

/** Takes Docker's multiplexed stream apart: per frame one byte for the stream, three empty, four for the length. */
export function parseLog(multiplexed: Buffer): TimedLine[] {
  let text = "";
  for (let at = 0; at + HEADER_BYTES <= multiplexed.length;) {
    const end = at + HEADER_BYTES + multiplexed.readUInt32BE(at + 4);
    text += multiplexed.toString("utf8", at + HEADER_BYTES, end);
    at = end;
  }
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const space = line.indexOf(" ");
      return { time: line.slice(0, space), text: line.slice(space + 1).trimEnd() };
    })
    .sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)));
}
