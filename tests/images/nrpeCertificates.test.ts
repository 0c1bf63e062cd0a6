import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "./icingaStack";
import { IMAGES, type TrialContainer, until } from "./icingaTrial";

const NAME = "icinga-slave-frankfurt-1";
const FOLDER = "/run/icinga-swarm/nrpe";
const CHECK = ["/usr/lib/nagios/plugins/check_nrpe", "-H", "nrpe-client"];
const WITH_CERTIFICATE = ["-A", `${FOLDER}/ca.crt`, "-C", `${FOLDER}/client.crt`, "-K", `${FOLDER}/client.key`];

/** An NRPE client as a careful company sets it up: it answers whoever shows a certificate of its authority. */
const NRPE_CONFIGURATION = `server_port=5666
nrpe_user=nagios
nrpe_group=nagios
disable_syslog=1
ssl_client_certs=2
ssl_cacert_file=/nrpe/ca.crt
ssl_cert_file=/nrpe/server.crt
ssl_privatekey_file=/nrpe/server.key
`;

/** An authority with a certificate for each name: `<name>.crt` and `<name>.key`. */
function makeCertificates(...names: string[]): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), "icinga-swarm-test-nrpe-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
  const request = ["req", "-newkey", "rsa:2048", "-nodes"];
  openssl(...request, "-x509", "-days", "10", "-subj", "/CN=NRPE CA", "-keyout", "ca.key", "-out", "ca.crt");
  for (const name of names) {
    openssl(...request, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "10"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.crt`);
  }
  const files = ["ca.crt", ...names.flatMap((name) => [`${name}.crt`, `${name}.key`])];
  const texts = files.map((file) => [file, readFileSync(join(directory, file), "utf8")]);
  rmSync(directory, { recursive: true });
  return Object.fromEntries(texts) as Record<string, string>;
}

const made = makeCertificates("server", "client");
const secrets = {
  "nrpe-ca.crt": made["ca.crt"] ?? "",
  "nrpe-client.crt": made["client.crt"] ?? "",
  "nrpe-client.key": made["client.key"] ?? "",
};

let stack: Stack;
let slave: TrialContainer;

jest.setTimeout(180_000);

beforeAll(async () => {
  stack = await Stack.create();
  await stack.trial.start({
    image: IMAGES.base,
    name: "nrpe-client",
    health: false,
    entrypoint: ["/usr/sbin/nrpe", "-c", "/nrpe/nrpe.cfg", "-f"],
    files: {
      "/nrpe/nrpe.cfg": NRPE_CONFIGURATION,
      "/nrpe/ca.crt": made["ca.crt"] ?? "",
      "/nrpe/server.crt": made["server.crt"] ?? "",
      "/nrpe/server.key": made["server.key"] ?? "",
    },
  });
  // Long before the master is there.
  slave = await stack.trial.start(stack.slave(NAME, [NAME], { secrets }));
  await slave.line("waiting: the master");
});
afterAll(() => stack.trial.remove());

test("a client that wants a certificate answers a check that shows one, and no other", async () => {
  const check = () => slave.run([...CHECK, ...WITH_CERTIFICATE], "nagios");
  await until(
    async () => (await check()).code === 0,
    async () => (await check()).output,
  );
  expect((await check()).output).toMatch(/^NRPE v4/);
  expect((await slave.run(CHECK, "nagios")).code).not.toBe(0);
});

test("nobody but the checks reads them", async () => {
  const modes = await slave.output("bash", "-c", `stat -c '%n %a %U' ${FOLDER} ${FOLDER}/*`);
  expect(modes.split("\n")).toEqual([
    `${FOLDER} 500 nagios`,
    `${FOLDER}/ca.crt 400 nagios`,
    `${FOLDER}/client.crt 400 nagios`,
    `${FOLDER}/client.key 400 nagios`,
  ]);
});

test("a stack without them has no files", async () => {
  const plain = await stack.trial.start(stack.slave("icinga-slave-plain-1", ["icinga-slave-plain-1"]));
  await plain.line("waiting: the master");
  expect((await plain.run(["ls", FOLDER])).output).toContain("No such file");
});

test.each([
  ["a key of another certificate", { "nrpe-client.key": made["server.key"] ?? "" }, "does not match the certificate"],
  ["a certificate that is none", { "nrpe-client.crt": "something" }, "is not a PEM certificate"],
  ["an authority that is none", { "nrpe-ca.crt": "something" }, "is not a PEM certificate; give nrpeCaCertificate"],
])("%s ends the container with its cause", async (_what, changes, cause) => {
  const name = "icinga-slave-wrong-1";
  const wrong = await stack.trial.start(stack.slave(name, [name], { secrets: { ...secrets, ...changes } }));
  expect(await wrong.exitCode()).toBe(1);
  expect(await wrong.line("failed: ")).toContain(cause);
});
