import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const LIBRARY = join(__dirname, "../../../images/base/lib/init.sh");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "init-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
  openssl("genpkey", ...key, "-out", "own.key");
  openssl("genpkey", ...key, "-out", "other.key");
  openssl("pkey", "-in", "own.key", "-aes256", "-passout", "pass:secret", "-out", "locked.key");
  openssl("req", "-x509", "-key", "own.key", "-subj", "/CN=own", "-out", "own.crt");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a function of the library without a terminal, as in a container. */
function call(name: string, file: string, input = ""): Promise<{ code: number | null; out: string }> {
  const script = 'set -euo pipefail; source "$1"; "$2" "$3"';
  const shell = spawn("bash", ["-c", script, "bash", LIBRARY, name, file], { cwd: folder, detached: true });
  let out = "";
  shell.stdout.on("data", (data: Buffer) => (out += data.toString()));
  shell.stderr.on("data", (data: Buffer) => (out += data.toString()));
  // What does not read its input may be gone before it is written.
  shell.stdin.on("error", () => undefined).end(input);
  return new Promise((resolve, reject) => shell.on("error", reject).on("close", (code) => resolve({ code, out })));
}

it("tells whether a key is that of a certificate", async () => {
  const certificate = await call("public_key_of_certificate", "own.crt");
  expect(certificate).toEqual({ code: 0, out: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----\n/) });
  expect(await call("public_key_of_key", "own.key")).toEqual(certificate);
  const { code, out } = await call("public_key_of_key", "other.key");
  expect(code).toBe(0);
  expect(out).not.toBe(certificate.out);
});

it.each([
  ["public_key_of_certificate", "own.key"],
  ["public_key_of_certificate", "absent.crt"],
  ["public_key_of_key", "own.crt"],
  ["public_key_of_key", "absent.key"],
])("has nothing to say but no: %s of %s", async (name, file) => {
  expect(await call(name, file)).toEqual({ code: 1, out: "" });
});

it("takes no passphrase from what the script reads", async () => {
  expect(await call("public_key_of_key", "locked.key", "secret\n")).toEqual({ code: 1, out: "" });
});
