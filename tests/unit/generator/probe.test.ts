import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseInventory } from "../../../generator/inventory";
import { probeScript } from "../../../generator/probe";

const SITE = { name: "here", slaves: 1 };

const HOSTS = `hosts:
  - { name: new, address: 192.0.2.1, location: here, checks: [nrpe: { command: check_a }, load, ping] }
  - { name: old, address: 192.0.2.2, location: here, nrpe: { port: 5667, protocol: 2, ssl: "off" }, checks: [load] }
  - { name: safe, address: 192.0.2.3, location: here, nrpe: { ssl: certificates }, checks: [load] }
  - { name: up, address: "2001:db8::4", location: here, alive: { nrpe: { command: check_x } } }
  - { name: web, address: 192.0.2.5, location: here, checks: [http] }
  - { name: far, address: 192.0.2.6, location: there, checks: [load] }
`;

function scriptOf(text: string, slaves = 1): string | undefined {
  const sites = [
    { ...SITE, slaves },
    { name: "there", slaves: 1 },
  ];
  const { inventory, problems } = parseInventory({ "hosts.yaml": text }, sites);
  expect(problems).toEqual([]);
  return probeScript(inventory, { ...SITE, slaves });
}

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "probe-"))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Runs a script on a node that has containers of some services; clients answer unless their address is among the deaf. */
function run(script: string, services: readonly string[], deaf: readonly string[] = []) {
  const tool = (name: string, text: string) =>
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}`, { mode: 0o755 });
  tool(
    "check_nrpe",
    `echo "$@" >>${folder}/calls\ncase " ${deaf.join(" ")} " in *" $2 "*) echo "refused"; exit 2;; esac\necho "NRPE v4.1.0"\n`,
  );
  tool(
    "docker",
    `if [ "$1" = ps ]; then
  for service in ${services.join(" ")}; do case "$4" in *"=$service") echo "container-$service";; esac; done
else
  sh -c "$(printf '%s' "$6" | sed 's#/usr/lib/nagios/plugins#${folder}#')"
fi
`,
  );
  tool("ip", `echo "$3 via 10.0.0.254 dev eth0 src 10.0.0.7 uid 0"\n`);
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  const { status, stdout, stderr } = spawnSync("sh", { input: script, encoding: "utf8", env });
  const calls = path.join(folder, "calls");
  return {
    status,
    stdout,
    stderr,
    calls: fs.existsSync(calls) ? fs.readFileSync(calls, "utf8").trim().split("\n").sort() : [],
  };
}

describe("a location's probe", () => {
  it("asks each client as its checks do, and says who answers", () => {
    const { status, stdout, stderr, calls } = run(scriptOf(HOSTS) ?? "", ["icinga-slave-here"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      "ok new 192.0.2.1: NRPE v4.1.0\n" +
        "ok old 192.0.2.2: NRPE v4.1.0\n" +
        "ok safe 192.0.2.3: NRPE v4.1.0\n" +
        "ok up 2001:db8::4: NRPE v4.1.0\n",
    );
    const certificates = "/run/icinga-swarm/nrpe";
    expect(calls).toEqual([
      "-H 192.0.2.1 -t 10",
      "-H 192.0.2.2 -t 10 -p 5667 -2 -n",
      `-H 192.0.2.3 -t 10 -A ${certificates}/ca.crt -C ${certificates}/client.crt -K ${certificates}/client.key`,
      "-H 2001:db8::4 -t 10",
    ]);
  });

  it("names those that do not answer, with the address that they must allow", () => {
    const { status, stdout } = run(scriptOf(HOSTS) ?? "", ["icinga-slave-here"], ["192.0.2.2", "2001:db8::4"]);
    expect(status).toBe(1);
    expect(stdout).toContain("ok new 192.0.2.1: NRPE v4.1.0\n");
    expect(stdout).toContain("FAILED old 192.0.2.2: refused\n");
    expect(stdout).toContain("must have the address it comes with:\n  old: 10.0.0.7\n  up: 10.0.0.7\n");
  });

  it("says that it is on the wrong node where no slave runs", () => {
    const { status, stdout, stderr } = run(scriptOf(HOSTS) ?? "", []);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("no slave that has clients to ask runs on this node\n");
  });

  it("asks every client from the pair that checks it", () => {
    const many = Array.from(
      { length: 20 },
      (_, index) => `  - { name: h${index}, address: 192.0.2.${index}, location: here, checks: [load] }\n`,
    );
    const script = scriptOf(`hosts:\n${many.join("")}`, 4) ?? "";
    const ofFirst = run(script, ["icinga-slave-here"]).calls;
    const ofBoth = run(script, ["icinga-slave-here", "icinga-slave-here-p2"]).calls;
    expect(ofFirst.length).toBeGreaterThan(0);
    expect(ofFirst.length).toBeLessThan(20);
    expect(new Set(ofBoth).size).toBe(20);
  });

  it("is nothing where nobody has an NRPE check", () => {
    expect(scriptOf("hosts: [{ name: web, address: 192.0.2.5, location: here, checks: [http] }]\n")).toBeUndefined();
  });
});
