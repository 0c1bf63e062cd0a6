import type { IncomingMessage } from "node:http";
import type Docker from "dockerode";

/** One line of a container's output, as the manager hands it out. */
export interface TimedLine {
  /** RFC 3339 with nanoseconds, by the clock of the container's node; sorts as text. */
  readonly time: string;
  readonly text: string;
}

/** Which part of a log is read. */
export interface LogQuery {
  /** How many lines at most, counted from the end. The node looks for them there: what is older costs nothing. */
  readonly tail: number;
  /** Seconds since 1970, by the clock of the container's node: no line from before. @default any */
  readonly since?: number;
  /** Which lines are kept. @default all */
  readonly keep?: (text: string) => boolean;
  /** How long the manager may take; what it sent until then is returned. @default 4 s */
  readonly timeoutMs?: number;
}

/** What was read of a log. */
export interface LogPart {
  /** In the order of their times. */
  readonly lines: readonly TimedLine[];
  /** Why it is not all that was asked for. @default it is */
  readonly problem?: string;
}

const HEADER_BYTES = 8;
const READ_TIMEOUT_MS = 4_000;
/** The manager's own words in a stream: that it could not get the rest. */
const COMPLAINTS = 3;

/**
 * Reads a part of a task's log, through the manager's API. The lines come oldest first, so that an answer which is cut
 * short lacks the newest.
 *
 * @returns also what came before something failed; never throws
 */
export async function readTaskLog(docker: Docker, taskId: string, query: LogQuery): Promise<LogPart> {
  const { tail, since = 0, keep = () => true, timeoutMs = READ_TIMEOUT_MS } = query;
  // A node that is away can keep the manager waiting for its part of the log.
  const abortSignal = AbortSignal.timeout(timeoutMs);
  const decoder = new LogDecoder();
  const lines: TimedLine[] = [];
  let problem: string | undefined;
  try {
    const stream = await openLog(docker, taskId, { tail, since, abortSignal });
    for await (const chunk of stream) lines.push(...decoder.push(chunk as Buffer).filter(({ text }) => keep(text)));
    lines.push(...decoder.finish().filter(({ text }) => keep(text)));
  } catch (error) {
    problem = abortSignal.aborted ? `not all of it came within ${timeoutMs / 1000} s` : (error as Error).message.trim();
  }
  problem ??= decoder.complaint;
  return { lines: inOrder(lines), ...(problem === undefined ? {} : { problem }) };
}

/**
 * The last lines of a task's log, through the manager's API; empty while there is no container.
 *
 * @param tail how many lines at most
 * @throws Error when not all of them came
 */
export async function taskLog(docker: Docker, taskId: string, tail: number): Promise<readonly TimedLine[]> {
  const { lines, problem } = await readTaskLog(docker, taskId, { tail });
  if (problem !== undefined) throw new Error(problem);
  return lines;
}

/**
 * Whether the node of a running task answers the manager. Swarm itself gives a node up only after three heartbeats, which
 * on a swarm of distant sites are minutes; its log is what a manager asks a node for at once.
 */
export async function answersForTask(docker: Docker, taskId: string): Promise<boolean> {
  return (await readTaskLog(docker, taskId, { tail: 1 })).problem === undefined;
}

/** The client collects a whole log before it hands it out, unless it is to be followed; this takes it as it comes. */
function openLog(
  docker: Docker,
  taskId: string,
  { tail, since, abortSignal }: { tail: number; since: number; abortSignal: AbortSignal },
): Promise<IncomingMessage> {
  const request = {
    path: `/tasks/${taskId}/logs?`,
    method: "GET",
    options: { stdout: 1, stderr: 1, timestamps: 1, tail, since },
    isStream: true,
    abortSignal,
    statusCodes: { 200: true, 404: "no such task", 500: "server error", 503: "node is not part of a swarm" },
  };
  return new Promise((resolve, reject) =>
    docker.modem.dial(request, (error: Error | null, answer) =>
      error ? reject(error) : resolve(answer as IncomingMessage),
    ),
  );
}

/** Takes a whole log in Docker's multiplexed form apart. */
export function parseLog(multiplexed: Buffer): TimedLine[] {
  const decoder = new LogDecoder();
  return inOrder([...decoder.push(multiplexed), ...decoder.finish()]);
}

function inOrder(lines: readonly TimedLine[]): TimedLine[] {
  return [...lines].sort((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time)));
}

/** A line of which not all frames have come. */
interface Begun {
  readonly time: string;
  readonly parts: Buffer[];
}

/**
 * Takes Docker's multiplexed stream apart as it comes: per frame one byte for the stream, three empty, four for the
 * length, then a time and a line. Docker cuts lines of more than 16 KiB into frames with a time each; here they are one.
 */
class LogDecoder {
  /** The manager's own words, that it could not get the rest. */
  complaint: string | undefined;
  #rest = Buffer.alloc(0);
  readonly #begun = new Map<number, Begun>();

  /** @returns the lines that are complete now */
  push(chunk: Buffer): TimedLine[] {
    const data = Buffer.concat([this.#rest, chunk]);
    const lines: TimedLine[] = [];
    let at = 0;
    while (at + HEADER_BYTES <= data.length) {
      const end = at + HEADER_BYTES + data.readUInt32BE(at + 4);
      if (end > data.length) break;
      lines.push(...this.#take(data[at] ?? 0, data.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = data.subarray(at);
    return lines;
  }

  /** @returns the lines whose end never came, once the stream is over */
  finish(): TimedLine[] {
    return [...this.#begun.values()].map((line) => this.#line(line));
  }

  #take(stream: number, frame: Buffer): TimedLine[] {
    if (stream === COMPLAINTS) {
      this.complaint = frame.toString("utf8").trim();
      return [];
    }
    const space = frame.indexOf(" ");
    const line: Begun = this.#begun.get(stream) ?? { time: frame.toString("utf8", 0, space), parts: [] };
    line.parts.push(frame.subarray(space + 1));
    const isWhole = frame.at(-1) === 0x0a;
    if (!isWhole) {
      this.#begun.set(stream, line);
      return [];
    }
    this.#begun.delete(stream);
    return [this.#line(line)];
  }

  #line({ time, parts }: Begun): TimedLine {
    return { time, text: Buffer.concat(parts).toString("utf8").trimEnd() };
  }
}
