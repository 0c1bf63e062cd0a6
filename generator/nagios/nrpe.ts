/** How an NRPE client is asked, as the inventory says it. */
export interface NrpeSettings {
  readonly settings: Readonly<Record<string, unknown>>;
  /** What is not quite the same. */
  readonly changed: readonly string[];
}

/** Options of check_nrpe that take a value, by all their names. */
const VALUES: Readonly<Record<string, string>> = {
  "-H": "host",
  "--host": "host",
  "-c": "command",
  "--command": "command",
  "-a": "args",
  "--args": "args",
  "-p": "port",
  "--port": "port",
  "-t": "timeout",
  "--timeout": "timeout",
};

/** Those that do not; the ones that make no difference here are empty. */
const FLAGS: Readonly<Record<string, string>> = {
  "-n": "off",
  "--no-ssl": "off",
  "-2": "protocol 2",
  "--v2-packets-only": "protocol 2",
  "-3": "protocol 3",
  "--v3-packets-only": "protocol 3",
  "-u": "a client that does not answer in time is CRITICAL, not UNKNOWN",
  "--unknown-timeout": "a client that does not answer in time is CRITICAL, not UNKNOWN",
  "-4": "",
  "--ipv4": "",
  "-6": "",
  "--ipv6": "",
  "-E": "",
  "--stderr-to-stdout": "",
};

/**
 * What a call of check_nrpe asks, as the inventory's own check says it.
 *
 * @param words the call, taken apart
 * @param address the host's own
 * @returns undefined if it is another program, or has options that the inventory's check has not
 */
export function nrpeSettings(words: readonly string[], address: string): NrpeSettings | undefined {
  if (!/(^|\/)check_nrpe$/.test(words[0] ?? "")) return undefined;
  const said: Record<string, string> = {};
  const args: string[] = [];
  const changed: string[] = [];
  for (let at = 1; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const long = /^(--[a-z0-9-]+)=(.*)$/s.exec(word) ?? /^(-[A-Za-z])(.+)$/s.exec(word);
    const option = VALUES[long?.[1] ?? word];
    if (option === "args") {
      // All that follows, up to the end, is for the client.
      args.push(...(long === null ? [] : [long[2] ?? ""]), ...words.slice(at + 1));
      break;
    }
    if (option !== undefined && long !== null) said[option] = long[2] ?? "";
    else if (option !== undefined) {
      at += 1;
      said[option] = words[at] ?? "";
    } else if (FLAGS[word] === undefined) return undefined;
    else if (/^(off|protocol .)$/.test(FLAGS[word])) said[FLAGS[word]] = "";
    else if (FLAGS[word] !== "") changed.push(FLAGS[word]);
  }
  const { command, host, port, timeout } = said;
  if (host !== address) return undefined;
  if (command === undefined || !/^[^\s!"'\][=;]{1,200}$/.test(command)) return undefined;
  if (args.some((arg) => !/^[^!\p{Cc}]{1,1000}$/u.test(arg))) return undefined;
  const limit = timeout === undefined ? undefined : timeLimit(timeout, changed);
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && !(number >= 1 && number <= 65535)) return undefined;
  const protocol = "protocol 2" in said ? 2 : "protocol 3" in said ? 3 : undefined;
  const settings = {
    command,
    arguments: args.length === 0 ? undefined : args,
    port: number === 5666 ? undefined : number,
    protocol,
    ssl: "off" in said ? "off" : undefined,
    timeout: limit,
  };
  return { settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)), changed };
}

function timeLimit(timeout: string, changed: string[]): string {
  const [seconds = "", state] = timeout.split(":");
  const limit = Math.min(Math.max(Number.parseInt(seconds, 10) || 10, 1), 999);
  if (state !== undefined && !/^crit/i.test(state) && state !== "2") {
    changed.push(`a client that does not answer in time is CRITICAL, not ${state}`);
  }
  if (String(limit) !== seconds) changed.push(`the time limit ${timeout} is ${limit} seconds`);
  return `${limit}s`;
}
