import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { run } from "../../../generator/cli";

let root: string;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "cli-"));
  fs.mkdirSync(path.join(root, "inventory"));
  write("inventory/a.yaml", "hosts: [{ name: a, address: 10.0.0.1, location: here, checks: [ping] }]\n");
  write(
    "Pulumi.test.yaml",
    "encryptionsalt: v1:x\nconfig:\n  icinga-swarm:inventory: inventory\n  icinga-swarm:locations:\n" +
      "    - { name: here, nodes: [self] }\n  icinga-swarm:mysqlRootPassword: { secure: x }\n",
  );
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  fs.writeFileSync(path.join(root, file), text);
}

/** Where the user is, below the project's folder. */
let cwd = "";

async function call(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const code = await run(argv, {
    root,
    cwd: path.join(root, cwd),
    now: () => new Date("2026-11-25T12:00:00Z"),
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
  });
  return { code, ...said };
}

describe("npm run inventory", () => {
  it("checks a stack's inventory", async () => {
    expect(await call("check", "--stack", "test")).toEqual({
      code: 0,
      out: "inventory: 1 host with 1 check, no problems\n",
      err: "",
    });
  });

  it("says every problem and ends with 1", async () => {
    write("inventory/a.yaml", "hosts: [{ name: a, adress: 10.0.0.1, location: here }]\n");
    expect(await call("check", "--stack", "test")).toEqual({
      code: 1,
      out: "",
      err:
        'inventory/a.yaml:1:9: "address" is missing; it is the IP address or DNS name that checks connect to, such as ' +
        '10.1.2.3\ninventory/a.yaml:1:20: unknown key "adress"; did you mean "address"?\n2 problems\n',
    });
  });

  it("says what is wrong with the locations, at their place in the stack's file", async () => {
    write(
      "Pulumi.test.yaml",
      "config:\n  icinga-swarm:inventory: inventory\n  icinga-swarm:locations: [{ name: A }]\n",
    );
    const { code, err } = await call("check", "--stack", "test");
    expect(code).toBe(1);
    expect(err).toContain('Pulumi.test.yaml:3:36: "name" "A" must start with a lower-case letter');
    expect(err).toContain('Pulumi.test.yaml:3:28: "nodes" is missing');
  });

  it.each([[[]], [["--locations", "locations.yaml"]]])(
    "says what is wrong with the YAML of the stack's file, called with %j",
    async (named) => {
      write("locations.yaml", "- { name: here, nodes: [x] }\n");
      write("Pulumi.test.yaml", "config:\n  icinga-swarm:inventory: inventory\n  icinga-swarm:locations: [\n");
      const { code, err } = await call("check", "--stack", "test", ...named);
      expect({ code, err }).toEqual({
        code: 1,
        err: expect.stringMatching(/^Pulumi\.test\.yaml:4:1: not valid YAML: .*\n1 problem\n$/),
      });
    },
  );

  it("says that the stack's file names no inventory", async () => {
    write("Pulumi.test.yaml", "config:\n  icinga-swarm:locations: [{ name: here, nodes: [x] }]\n");
    expect(await call("check", "--stack", "test")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Pulumi.test.yaml has no icinga-swarm:inventory; say it with --inventory <dir>"),
    });
  });

  it.each(["- { name: here, nodes: [x] }\n", "locations:\n  - { name: here, nodes: [x] }\n"])(
    "takes locations from a file of their own",
    async (text) => {
      write("locations.yaml", text);
      expect(await call("check", "--inventory", "inventory", "--locations", "locations.yaml")).toMatchObject({
        code: 0,
      });
    },
  );

  it("shows the package, or writes its files", async () => {
    const { out } = await call("render", "--stack", "test");
    expect(out).toContain("// ===== zones.d/here/hosts.conf\n");
    expect(await call("render", "--stack", "test", "--output", "package")).toMatchObject({ code: 0 });
    expect(fs.readFileSync(path.join(root, "package/zones.d/here/hosts.conf"), "utf8")).toContain('object Host "a" {');
    expect(await call("render", "--stack", "test", "--output", "package")).toMatchObject({
      code: 2,
      err: expect.stringContaining("package is not empty"),
    });
  });

  describe("shows how long the replay log is kept", () => {
    const LOCATIONS = "  icinga-swarm:locations: [{ name: here, nodes: [x] }]\n";
    const stackWith = (retention: string) =>
      write("Pulumi.test.yaml", `config:\n  icinga-swarm:inventory: inventory\n${LOCATIONS}${retention}`);

    it.each([
      ["  icinga-swarm:retention: { historyDays: 9, replayHours: 48 }\n", "48h"],
      ["  icinga-swarm:retention:\n    replayHours: 1\n", "1h"],
      ["  icinga-swarm:retention: { historyDays: 9 }\n", "24h"],
      ["  icinga-swarm:retention:\n", "24h"],
      ["", "24h"],
    ])("by the stack: %j is %s", async (retention, shown) => {
      stackWith(retention);
      const { out, err } = await call("render", "--stack", "test");
      expect({ hours: out.match(/log_duration = .*/g), err }).toEqual({ hours: [`log_duration = ${shown}`], err: "" });
    });

    it.each([
      [["--stack", "test", "--inventory", "inventory", "--locations", "locations.yaml"], "48h"],
      [["--inventory", "inventory", "--locations", "locations.yaml"], "24h"],
    ])("by the stack alone, called with %j", async (named, shown) => {
      stackWith("  icinga-swarm:retention: { replayHours: 48 }\n");
      write("locations.yaml", "- { name: here, nodes: [x] }\n");
      const { out } = await call("render", ...named);
      expect(out.match(/log_duration = .*/g)).toEqual([`log_duration = ${shown}`]);
    });

    it.each([
      ["{ replayHours: 0 }", '4:42: "replayHours" 0 must be at least 1: Icinga takes 0 for no replay at all'],
      ["{ replayHours: 2d }", '4:42: "replayHours" must be a number, not the text "2d"'],
      ["2d", '4:27: "icinga-swarm:retention" must be a mapping (key: value), not the text "2d"'],
    ])("and what is wrong with %s, at its place", async (retention, problem) => {
      stackWith(`  icinga-swarm:retention: ${retention}\n`);
      expect(await call("render", "--stack", "test")).toEqual({
        code: 1,
        out: "",
        err: `Pulumi.test.yaml:${problem}\n1 problem\n`,
      });
    });
  });

  it("finds stacks from any folder, and what is named from where the user is", async () => {
    fs.mkdirSync(path.join(root, "deep"));
    cwd = "deep";
    expect(await call("check", "--stack", "test")).toMatchObject({ code: 0 });
    const named = ["--inventory", "../inventory", "--locations", "../Pulumi.test.yaml"];
    expect(await call("check", ...named)).toMatchObject({
      code: 0,
      out: "../inventory: 1 host with 1 check, no problems\n",
    });
    cwd = "";
  });

  it("explains itself", async () => {
    expect(await call("--help")).toMatchObject({ code: 0, out: expect.stringContaining("usage: npm run inventory") });
  });

  describe("diff", () => {
    beforeEach(() => {
      git("init", "--quiet", "--initial-branch=main");
      commit();
    });

    it("compares a commit with the files as they are, committed or not", async () => {
      write("inventory/b.yaml", "hosts: [{ name: b, address: 10.0.0.2, location: here, checks: [ping, ssh] }]\n");
      expect(await call("diff", "main", "--stack", "test")).toEqual({
        code: 0,
        out: "inventory, main -> now\n\nhere: +1 host with 2 services\n\n" + "here\n  +1 host with 2 services\n    b\n",
        err: "",
      });
      commit();
      expect(await call("diff", "main", "--stack", "test")).toMatchObject({
        code: 0,
        out: "inventory, main -> now\n\nMonitoring stays as it is.\n",
      });
      expect(await call("diff", "HEAD~1", "--stack", "test", "--markdown")).toMatchObject({
        code: 0,
        out: expect.stringContaining("| <code>here</code> | +1 host with 2 services |"),
      });
    });

    it("ends with 3 for a difference if that is asked for", async () => {
      expect(await call("diff", "main", "--stack", "test", "--exit-code")).toMatchObject({ code: 0 });
      write("inventory/a.yaml", "hosts: []\n");
      expect(await call("diff", "main", "--stack", "test", "--exit-code")).toMatchObject({ code: 3 });
    });

    it("takes locations and the inventory's folder from the commit as well", async () => {
      fs.renameSync(path.join(root, "inventory"), path.join(root, "moved"));
      write(
        "Pulumi.test.yaml",
        "config:\n  icinga-swarm:inventory: moved\n  icinga-swarm:locations: [{ name: here, nodes: [x], slaves: 3 }]\n",
      );
      const { out } = await call("diff", "main", "--stack", "test");
      expect(out).toContain("slaves: 1 -> 3  (here)");
      expect(out).not.toContain("+1 host");
    });

    it("takes a stack that the commit does not have for an empty one", async () => {
      fs.copyFileSync(path.join(root, "Pulumi.test.yaml"), path.join(root, "Pulumi.new.yaml"));
      expect(await call("diff", "main", "--stack", "new")).toMatchObject({
        code: 0,
        out: expect.stringContaining("here: +1 host with 1 service\neverywhere: +1 location"),
      });
    });

    it("compares inventories whose locations stand outside of their repository", async () => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), "cli-locations-"));
      const locations = path.join(folder, "locations.yaml");
      fs.writeFileSync(locations, "- { name: here, nodes: [x] }\n");
      write("inventory/a.yaml", "hosts: []\n");
      const named = ["--inventory", "inventory", "--locations", locations];
      const said = await call("diff", "main", ...named).finally(() => fs.rmSync(folder, { recursive: true }));
      expect(said).toMatchObject({ code: 0, out: expect.stringContaining("here: -1 host with 1 service\n") });
    });

    it("says what was wrong with the old state", async () => {
      write("inventory/a.yaml", "hots: []\n");
      commit();
      write("inventory/a.yaml", "hosts: []\n");
      expect(await call("diff", "HEAD", "--stack", "test")).toEqual({
        code: 1,
        out: "",
        err: 'HEAD:inventory/a.yaml:1:1: unknown key "hots"; did you mean "hosts"?\n1 problem\n',
      });
    });

    it("says what was wrong with the YAML of the stack's file then", async () => {
      const now = fs.readFileSync(path.join(root, "Pulumi.test.yaml"), "utf8");
      write("Pulumi.test.yaml", "config: [\n");
      commit();
      write("Pulumi.test.yaml", now);
      expect(await call("diff", "HEAD", "--stack", "test")).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^HEAD:Pulumi\.test\.yaml:2:1: not valid YAML: /),
      });
    });

    it.each([
      [["diff", "--stack", "test"], "diff needs <git ref> behind it"],
      [["diff", "nowhere", "--stack", "test"], "git knows no commit nowhere"],
      [["diff", "--stack", "test", "--", "--output=x"], "git knows no commit --output=x"],
    ])("ends with 2 when called with %j", async (argv, message) => {
      expect(await call(...argv)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
    });

    function commit(): void {
      git("add", "--all");
      git("-c", "user.name=a", "-c", "user.email=a@b.cd", "commit", "--quiet", "--message=x");
    }

    function git(...args: string[]): void {
      execFileSync("git", ["-C", root, ...args]);
    }
  });

  it("suggests a host's name", async () => {
    expect(await call("explain", "b", "--stack", "test")).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no host b; did you mean "a"?'),
    });
    expect(await call("explain", "a", "--stack", "test")).toMatchObject({
      code: 0,
      out: expect.stringContaining("host a, inventory/a.yaml:1\n"),
    });
  });

  it.each(["check", "explain", "diff", "render", "schema"])("explains %s", async (command) => {
    const { code, out } = await call(command, "--help");
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`usage: npm run inventory -- ${command}`) });
    expect((await call("--help")).out).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it.each([
    [[], "say what to do: check,"],
    [["chek", "--stack", "test"], 'there is no command chek; did you mean "check"?'],
    [["check"], "say which inventory: --stack <name>, or both"],
    [["check", "--stack", "none"], "there is no file Pulumi.none.yaml"],
    [["check", "--stakc", "test"], "--stakc"],
    [["check", "render", "--stack", "test"], "one command at a time, not also render"],
    [["check", "--stack", "test", "--output", "x"], "check takes no --output"],
    [["render", "x", "--stack", "test"], "render does not know what to do with x"],
    [["toString", "--stack", "test"], "there is no command toString"],
  ])("ends with 2 when called with %j", async (argv, message) => {
    const { code, err } = await call(...argv);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
