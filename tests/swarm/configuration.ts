import type { TestBed } from "./testBed";
import { eventually, failed, succeeded } from "./workspace";

const SLAVE = "icinga-slave-frankfurt";

/** A host of Frankfurt in the customer's network, checked often. */
function host(name: string, more = ""): string {
  return `  - { name: ${name}, address: ${name}, location: frankfurt, interval: 5s, retryInterval: 5s, attempts: 1${more} }\n`;
}

/** The way from an inventory to what Icinga does, with everything that can be wrong on it. */
export function configurationCases(given: () => TestBed): void {
  describe("the inventory", () => {
    test("brings hosts live, old clients as well, and nothing but the generator restarts", async () => {
      const bed = given();
      const { stack, workspace } = bed;
      const before = await bed.stack.containersOutside("config-generator");
      const old = (name: string, nrpe: string) =>
        host(name, `, nrpe: { ${nrpe} }, checks: [nrpe: { command: check_switch }]`).replace(
          `address: ${name}`,
          `address: ${bed.client}`,
        );
      workspace.write(
        "inventory/dev/old.yaml",
        `hosts:\n${old("without-ssl", 'ssl: "off", port: 5667')}${old("version-2", 'ssl: "off", port: 5668, protocol: 2')}`,
      );
      await workspace.up();
      for (const name of ["without-ssl", "version-2"]) {
        const result = await eventually(`a result of ${name}`, async () => {
          const last = await stack.lastResult(`${name}!switch`);
          return last?.state === 0 ? last : undefined;
        });
        expect(result).toMatchObject({
          source: expect.stringContaining(SLAVE),
          output: expect.stringContaining("SWITCH OK"),
        });
      }
      expect(await bed.stack.containersOutside("config-generator")).toEqual(before);
      workspace.delete("inventory/dev/old.yaml");
    });

    test("with a mistake ends a preview with its place", async () => {
      const { workspace } = given();
      workspace.write("inventory/dev/wrong.yaml", `hosts:\n${host("x", ", roles: [lunix]")}`);
      expect(failed(await workspace.pulumi("preview"))).toMatch(
        /inventory\/dev\/wrong\.yaml:2:\d+: unknown role "lunix"/,
      );
      workspace.delete("inventory/dev/wrong.yaml");
    });

    test("that only Icinga can refuse is named by its line, and what was active stays", async () => {
      const { workspace, stack } = given();
      const active = await stack.activeStage();
      // Somebody has put a host onto the master by hand: nothing here can know.
      const byHand = "/etc/icinga2/features-enabled/by-hand.conf";
      await stack.exec("icinga-master", [
        "sh",
        "-c",
        `echo 'object Host "clash" { check_command = "dummy" }' >${byHand}`,
      ]);
      workspace.write("inventory/dev/clash.yaml", `hosts:\n${host("clash")}`);
      expect(failed(await workspace.tryUp())).toMatch(
        /Icinga refuses the package: .*host clash, from clash\.yaml:2:\d+/,
      );
      expect(await stack.activeStage()).toBe(active);
      const check = await eventually("the check to say so", async () => {
        const last = await stack.lastResult("config-generator!configuration");
        return last?.state === 2 ? last : undefined;
      });
      expect(check.output).toContain("clash.yaml:2:");
      await stack.exec("icinga-master", ["rm", byHand]);
      workspace.delete("inventory/dev/clash.yaml");
      await workspace.up();
      await eventually("the check to be well", async () => {
        return (await stack.lastResult("config-generator!configuration"))?.state === 0;
      });
    });

    test("does not lose many hosts at once without a word", async () => {
      const { workspace, stack } = given();
      const many = Array.from({ length: 30 }, (_, index) => host(`many-${index}`, ", alive: none"));
      workspace.write("inventory/dev/many.yaml", `hosts:\n${many.join("")}`);
      await workspace.up();
      expect(Object.keys(await stack.objects("hosts", ["name"], 'match("many-*", host.name)'))).toHaveLength(30);

      workspace.delete("inventory/dev/many.yaml");
      const message = failed(await workspace.tryUp());
      expect(message).toMatch(/30 of \d+ hosts/);
      expect(Object.keys(await stack.objects("hosts", ["name"], 'match("many-*", host.name)'))).toHaveLength(30);
      const [, word] = /confirmRemoval to "?([a-z]{8})/.exec(message) ?? [];
      workspace.configure({ generator: { confirmRemoval: word } });
      await workspace.up();
      expect(await stack.objects("hosts", ["name"], 'match("many-*", host.name)')).toEqual({});
      workspace.configure({ generator: undefined });
    });

    test("is there again after somebody changed the package by hand", async () => {
      const { stack } = given();
      const before = await stack.activeStage();
      const file = `/var/lib/icinga2/api/packages/icinga-swarm/${before}/zones.d/chicago/hosts.conf`;
      expect((await stack.exec("icinga-master", ["rm", file])).code).toBe(0);
      const after = await eventually(
        "another stage",
        async () => {
          const stage = await stack.activeStage();
          return stage !== before && stage;
        },
        120,
      );
      const { code } = await stack.exec("icinga-master", ["test", "-s", file.replace(String(before), String(after))]);
      expect(code).toBe(0);
    });

    test("can come from a company's Git server", async () => {
      const bed = given();
      const { workspace, stack, neighbours } = bed;
      const { git, deployKey } = await neighbours.gitAccess();
      const shipped = bed.inventory();
      const first = await neighbours.commit(shipped);
      workspace.write(".local/deploy-key", deployKey);
      const set = "pulumi config set --secret generatorDeployKey --stack local <.local/deploy-key";
      succeeded(await workspace.run("bash", "-c", set));
      workspace.configure({ inventory: undefined, generator: { git } });
      await workspace.up();
      await eventually("the check to name the first commit", async () => {
        const last = await stack.lastResult("config-generator!configuration");
        return last?.state === 0 && last.output.includes(first.slice(0, 7));
      });
      expect(await bed.exposures()).toEqual([]);

      const commit = await neighbours.commit({
        ...shipped,
        "git.yaml": `hosts:\n${host("from-git", ", alive: none")}`,
      });
      await eventually(
        "the host of the commit",
        async () => {
          return "from-git" in (await stack.objects("hosts", ["name"], 'host.name == "from-git"'));
        },
        180,
      );
      await eventually(
        "the check to name the commit",
        async () => {
          return (await stack.lastResult("config-generator!configuration"))?.output.includes(commit.slice(0, 7));
        },
        90,
      );
      workspace.configure({ inventory: "inventory/dev", generator: undefined });
      await workspace.up();
    });
  });

  describe("people", () => {
    test("are told of a host that is down, once, and of its return", async () => {
      const bed = given();
      const { workspace, neighbours } = bed;
      const machine = await neighbours.startMachine("branch-printer");
      workspace.write(
        "inventory/dev/printer.yaml",
        `contacts: { printers: { email: printers@example.com }, strangers: { email: strangers@example.com } }
notifications: { printers: { contacts: [printers] }, strangers: { contacts: [strangers] } }
hosts:
${host("branch-printer", ", notify: [printers]")}`,
      );
      await workspace.up();
      await eventually("the printer to be up", async () => {
        const { "branch-printer": printer } = await bed.stack.objects(
          "hosts",
          ["state", "last_check"],
          'host.name == "branch-printer"',
        );
        return printer?.["state"] === 0 && Number(printer["last_check"]) > 0;
      });
      const toPrinters = () => neighbours.mails("printers@example.com", /branch-printer/);
      await neighbours.removeMachine(machine);
      await eventually("a mail", async () => (await toPrinters()).length > 0, 150);
      const again = await neighbours.startMachine("branch-printer");
      await eventually("the mail after it", async () => (await toPrinters()).length > 1, 150);
      // Anything too much would come with one of the next checks.
      await new Promise((resolve) => setTimeout(resolve, 15_000));
      const subjects = (await toPrinters()).map(({ headers }) => headers["subject"]);
      expect(subjects).toEqual([
        expect.stringMatching(/^DOWN branch-printer/),
        expect.stringMatching(/^UP branch-printer/),
      ]);
      expect(await neighbours.mails("strangers@example.com", /./)).toEqual([]);
      await neighbours.removeMachine(again);
      workspace.delete("inventory/dev/printer.yaml");
      await workspace.up();
    });
  });
}
