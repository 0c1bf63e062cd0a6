import { IMAGES, type Trial, type TrialContainer, until } from "./icingaTrial";

export const GATEWAY_IMAGE = process.env["ICINGA_SWARM_IMAGE_GATEWAY"] ?? "icinga-swarm/gateway:dev";

/** The cookie of a session that began with the gateway's own login page. */
export const COOKIE = "__Host-icinga-swarm";

/** What a client might say of itself. */
export const FORGED: readonly (readonly [string, string])[] = [
  ["X-Forwarded-User", "evil"],
  ["x-forwarded-user", "evil2"],
  ["X_Forwarded_User", "evil"],
  ["X-Forwarded_User", "evil"],
  ["X_Forwarded-Role", "admin"],
  ["X-Forwarded-Role", "admin"],
  ["X-WEBAUTH-USER", "evil"],
  ["X_WEBAUTH_ROLE", "Admin"],
  ["X-WEBAUTH-ROLE", "Admin"],
  ["Connection", "close, X-Forwarded-User, X-Forwarded-Role, X-WEBAUTH-USER, X-WEBAUTH-ROLE"],
  ["Authorization", "Basic ZXZpbDpldmls"],
  ["X-Forwarded-For", "6.6.6.6"],
  ["Forwarded", "for=6.6.6.6"],
  ["X-Forwarded-Host", "evil.example.com"],
];

/** Stands for a page: says what it was sent, and speaks WebSocket with one short message. */
const PAGE = `
import base64, hashlib, http.server, json, sys
class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.websocket()
        length = left = int(self.headers.get("Content-Length") or 0)
        while left > 0: left -= len(self.rfile.read(min(left, 65536)))
        body = json.dumps({"page": sys.argv[1], "method": self.command, "path": self.path, "length": length,
                           "headers": [[name.lower(), value] for name, value in self.headers.items()]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(body)
    def websocket(self):
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        text = (self.headers.get("X-WEBAUTH-USER") or "nobody").encode()
        self.wfile.write(bytes([0x81, len(text)]) + text)
        self.close_connection = True
    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = answer
    def log_message(self, *words): pass
http.server.ThreadingHTTPServer(("", int(sys.argv[2])), Page).serve_forever()
`;

/** Sends requests exactly as they are told, one after the other, and prints the answers. */
const CLIENT = `
import http.client, json, ssl, sys, time
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
answers = []
for ask in json.load(open("/requests.json")):
    kind = http.client.HTTPConnection if ask["plain"] else http.client.HTTPSConnection
    options = {} if ask["plain"] else {"context": context}
    connection = kind(ask["address"], timeout=30, **options)
    began = time.monotonic()
    connection.putrequest(ask["method"], ask["path"], skip_host=True, skip_accept_encoding=True)
    body = ask["body"].encode() if ask["body"] is not None else b"x" * ask["bytes"]
    for name, value in ask["headers"]: connection.putheader(name, value)
    if body: connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body or None)
    answer = connection.getresponse()
    text = answer.fp.read(64) if answer.status == 101 else answer.read()
    answers.append({"status": answer.status, "headers": [[n.lower(), v] for n, v in answer.getheaders()],
                    "body": text.decode("utf-8", "replace"), "seconds": time.monotonic() - began})
    connection.close()
print(json.dumps(answers))
`;

/** A request, of which nothing is made up but what is said here. */
export interface Ask {
  readonly path: string;
  readonly method?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string;
  /** So many bytes of no meaning for a body. */
  readonly bytes?: number;
  /** Over plain HTTP. */
  readonly plain?: boolean;
  /** Which session of the gateway's own. @default none */
  readonly cookie?: string;
  /** @default gateway.example.com */
  readonly host?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: readonly [string, string][];
  readonly body: string;
  readonly seconds: number;
}

export const header = (answer: Answer | undefined, name: string): string | undefined =>
  answer?.headers.find(([key]) => key === name)?.[1];
/** What a page was sent. */
export interface Sent {
  readonly page: string;
  readonly method: string;
  readonly path: string;
  readonly length: number;
  readonly headers: [string, string][];
}
export const sent = (answer: Answer | undefined): Sent => JSON.parse(answer?.body ?? "") as Sent;
export const sentHeaders = (answer: Answer | undefined, name: RegExp): string[] =>
  sent(answer)
    .headers.filter(([key]) => name.test(key))
    .map(([key, value]) => `${key}: ${value}`)
    .sort();

/** A page behind the gateway, by the name that it is known by. */
export const startPage = (trial: Trial, name: string, port: number): Promise<TrialContainer> =>
  trial.start({
    image: IMAGES.base,
    name,
    files: { "/page.py": PAGE },
    entrypoint: ["python3", "/page.py", name, String(port)],
    health: false,
  });

export async function isHealthy(container: TrialContainer): Promise<void> {
  const status = async () => (await container.inspect()).State.Health?.Status ?? "none";
  await until(
    async () => (await status()) === "healthy",
    async () => `healthy, but ${await status()}:\n${await container.logs()}`,
  );
}

/** Asks the gateway from within its network, exactly as it is told: no browser would send all of that. */
export class Client {
  private constructor(private readonly container: TrialContainer) {}

  static async start(trial: Trial): Promise<Client> {
    const files = { "/client.py": CLIENT };
    return new Client(
      await trial.start({
        image: IMAGES.base,
        name: "client",
        files,
        entrypoint: ["sleep", "infinity"],
        health: false,
      }),
    );
  }

  address(): Promise<string> {
    return this.container.address();
  }

  /** Sends requests one after the other, each on a connection of its own. */
  async ask(gateway: TrialContainer, ...requests: readonly Ask[]): Promise<Answer[]> {
    const address = await gateway.address();
    const full = requests.map(({ headers = [], cookie, host = "gateway.example.com", ...rest }) => {
      const isForm = rest.body !== undefined;
      return {
        address,
        method: "GET",
        body: null,
        bytes: 0,
        plain: false,
        ...rest,
        headers: [
          ["Host", host],
          ...(cookie === undefined ? [] : [["Cookie", `${COOKIE}=${cookie}`]]),
          ...(isForm ? [["Content-Type", "application/x-www-form-urlencoded"]] : []),
          ...headers,
        ],
      };
    });
    await this.container.copy({ "/requests.json": JSON.stringify(full) });
    return JSON.parse(await this.container.output("python3", "/client.py")) as Answer[];
  }
}
