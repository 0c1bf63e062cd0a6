import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Speaks as much of S3's API as Pulumi's state backend takes: one bucket, in memory, open to every key. */
export class S3Server {
  readonly objects = new Map<string, Buffer>();
  /** Methods of the requests that came, such as `PUT`. */
  readonly requests: string[] = [];

  private constructor(
    private readonly bucket: string,
    private readonly server = createServer(),
  ) {}

  static async start(bucket: string): Promise<S3Server> {
    const served = new S3Server(bucket);
    served.server.on("request", (request, response) => void served.answer(request, response));
    await new Promise<void>((resolve) => served.server.listen(0, "127.0.0.1", resolve));
    return served;
  }

  /** What Pulumi takes for a backend, and what its library wants to know beside. */
  get env(): Record<string, string> {
    const { port } = this.server.address() as AddressInfo;
    const options = `region=us-east-1&endpoint=127.0.0.1:${port}&disableSSL=true&s3ForcePathStyle=true`;
    return {
      PULUMI_BACKEND_URL: `s3://${this.bucket}?${options}`,
      AWS_ACCESS_KEY_ID: "access-key-of-the-test",
      AWS_SECRET_ACCESS_KEY: "secret-key-of-the-test",
    };
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push(method);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(url, "http://localhost");
    const key = decodeURIComponent(pathname).slice(`/${this.bucket}/`.length);
    const send = (status: number, body: Buffer | string = "", type = "application/xml"): void => {
      const bytes = Buffer.from(body);
      const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
      response.writeHead(status, {
        "content-type": type,
        "content-length": bytes.length,
        etag,
        "last-modified": new Date().toUTCString(),
      });
      response.end(method === "HEAD" ? undefined : bytes);
    };
    if (method === "PUT") {
      const source = headers["x-amz-copy-source"];
      const from = source === undefined ? undefined : decodeURIComponent(String(source)).replace(/^\/?[^/]+\//, "");
      const body = Buffer.concat(chunks);
      const isChunked = String(headers["content-encoding"] ?? "").includes("aws-chunked");
      this.objects.set(
        key,
        from !== undefined ? (this.objects.get(from) ?? Buffer.of()) : isChunked ? plain(body) : body,
      );
      send(200, from === undefined ? "" : `<CopyObjectResult><ETag>"x"</ETag></CopyObjectResult>`);
    } else if (method === "DELETE") {
      this.objects.delete(key);
      send(204);
    } else if (searchParams.get("list-type") === "2") {
      send(200, this.list(searchParams.get("prefix") ?? "", searchParams.get("delimiter") ?? ""));
    } else {
      const object = this.objects.get(key);
      if (object === undefined) send(404, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>");
      else send(200, object, "application/octet-stream");
    }
  }

  private list(prefix: string, delimiter: string): string {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const endOf = (key: string): number => (delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length));
    const files = keys.filter((key) => endOf(key) < 0);
    const folders = new Set(keys.flatMap((key) => (endOf(key) < 0 ? [] : [key.slice(0, endOf(key) + 1)])));
    const contents = files.map(
      (key) =>
        `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length ?? 0}</Size><ETag>"x"</ETag>` +
        `<LastModified>${new Date().toISOString()}</LastModified></Contents>`,
    );
    const prefixes = [...folders].map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`);
    return `<ListBucketResult><IsTruncated>false</IsTruncated>${[...contents, ...prefixes].join("")}</ListBucketResult>`;
  }
}

/** A body that its client sent in pieces: `<hexadecimal length>[;...]\r\n<bytes>\r\n`, the last one empty. */
function plain(body: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; ;) {
    const end = body.indexOf("\r\n", at);
    const length = Number.parseInt(body.subarray(at, end).toString("latin1"), 16);
    if (!(length > 0)) return Buffer.concat(pieces);
    pieces.push(body.subarray(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}
