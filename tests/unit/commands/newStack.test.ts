import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { makeInBackend, makeStack, nextSteps } from "../../../commands/newStack";
import { findKeeping } from "../../../commands/newStack/backend";
import { parseCommandLine, USAGE } from "../../../commands/newStack/commandLine";
import { configOf, type Given, givenProblems, nameProblem } from "../../../commands/newStack/config";
import { renderInventory, renderStackFile } from "../../../commands/newStack/files";
import { askForRest } from "../../../commands/newStack/questions";
import type { PulumiCli } from "../../../commands/stack/pulumiCli";

// An authority's key takes its time.
jest.setTimeout(60_000);

const LAB: Given = { name: "lab", locations: ["berlin=self"], slaves: [], secrets: true };
const PROD: Given = {
  name: "asia",
  locations: ["frankfurt=fra-1,fra-2", "chicago=chi-1"],
  slaves: ["chicago=6"],
  central: "hq-1",
  registry: "nexus.example.com:5000/team/monitoring",
  registryUser: "ci",
  hostname: "monitoring.example.com",
  dockerHost: "ssh://deploy@hq-1.example.com",
  secrets: true,
};
const PROD_CONFIG = {
  "docker:host": "ssh://deploy@hq-1.example.com",
  "icinga-swarm:registry": { address: "nexus.example.com:5000", repository: "team/monitoring", username: "ci" },
  "icinga-swarm:central": { node: "hq-1" },
  "icinga-swarm:inventory": "inventory/asia",
  "icinga-swarm:locations": [
    { name: "frankfurt", nodes: ["fra-1", "fra-2"], slaves: 2 },
    { name: "chicago", nodes: ["chi-1"], slaves: 6 },
  ],
  "icinga-swarm:gateway": { hostname: "monitoring.example.com" },
};

describe("the command line", () => {
  it("is read into what was given", () => {
    const args =
      "asia --docker-host ssh://deploy@hq-1.example.com --hostname monitoring.example.com --central hq-1 " +
      "--registry nexus.example.com:5000/team/monitoring --registry-user ci --location frankfurt=fra-1,fra-2 " +
      "--location chicago=chi-1 --slaves chicago=6";
    expect(parseCommandLine(args.split(" "))).toEqual({ what: "make", given: PROD });
    expect(parseCommandLine(["lab", "--no-secrets"])).toMatchObject({ given: { name: "lab", secrets: false } });
    expect(parseCommandLine(["--help"])).toEqual({ what: "help" });
  });

  it.each([
    [["a", "b"], /^one stack at a time, not also b\n.*--help/],
    [["a", "--locations", "x"], /Unknown option '--locations'/],
    [["a", "--central"], /--central/],
  ])("%j is not understood", (args, expected) => {
    expect(() => parseCommandLine(args)).toThrow(expected);
  });

  it("is explained with every option and examples that hold", () => {
    const examples = USAGE.slice(USAGE.indexOf("Examples:")).replace(/\\\n/g, " ").split("\n").slice(1);
    expect(examples).toHaveLength(2);
    for (const example of examples) {
      const request = parseCommandLine(example.trim().split(/ +/).slice(4));
      expect(request.what === "make" && configOf(request.given).problems).toEqual([]);
    }
    const options = [...USAGE.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option]) => option);
    expect(options).toEqual(expect.arrayContaining(["--location", "--registry-user", "--docker-host", "--no-secrets"]));
  });
});

describe("a stack's config", () => {
  it("is what was given, with defaults", () => {
    expect(configOf(PROD)).toEqual({ config: PROD_CONFIG, problems: [] });
    expect(configOf(LAB)).toEqual({
      config: {
        "icinga-swarm:inventory": "inventory/lab",
        "icinga-swarm:locations": [{ name: "berlin", nodes: ["self"], slaves: 1 }],
      },
      problems: [],
    });
  });

  it.each([
    [{ ...LAB, name: "local" }, "the name local: local is this machine's own stack, which npm run up makes"],
    [{ ...LAB, name: "Lab" }, "the name Lab: must start with a lower-case letter"],
    [{ ...LAB, locations: ["berlin"] }, "--location berlin: must look like frankfurt=fra-1,fra-2"],
    [{ ...LAB, locations: ["Berlin=self"] }, "--location Berlin=self: name: must start with a lower-case letter"],
    [{ ...LAB, locations: ["berlin=a,a"] }, "--location berlin=a,a: nodes: must name each node once"],
    [{ ...LAB, locations: ["berlin=a,"] }, "--location berlin=a,: nodes.1: "],
    [{ ...LAB, slaves: ["berlin=six"] }, "--slaves berlin=six: must look like frankfurt=6"],
    [{ ...LAB, slaves: ["berlin=0"] }, "--slaves berlin=0: slaves of berlin: Too small"],
    [{ ...LAB, registry: "nexus:5000" }, "--registry nexus:5000: must look like nexus.example.com:5000/monitoring"],
    [{ ...LAB, registry: "nexus:5000/Team" }, "--registry nexus:5000/Team: repository: must be lower case"],
    [{ ...LAB, dockerHost: "hq-1" }, '--docker-host hq-1: "hq-1" is no Docker host'],
  ])("is not made of what is wrong by itself: %#", (given, expected) => {
    expect(givenProblems(given)).toEqual([expect.stringContaining(expected)]);
    expect(configOf(given).problems).toEqual(givenProblems(given));
  });

  it.each([
    [{ ...LAB, name: undefined }, "say what the stack is called"],
    [{ ...LAB, locations: [] }, "--location is missing"],
    [{ ...LAB, slaves: ["lima=2"] }, "--slaves lima=...: there is no --location lima=..."],
    [{ ...LAB, registry: "nexus:5000/team" }, "--registry-user is missing"],
    [{ ...LAB, registryUser: "ci" }, "--registry is missing"],
    [{ ...LAB, dockerHost: "ssh://hq-1" }, "--hostname is missing: Docker is on another machine"],
    [{ ...PROD, central: undefined }, "icinga-swarm:central: missing; the stack has 3 nodes"],
    [
      { ...PROD, registry: undefined, registryUser: undefined },
      "icinga-swarm:registry: missing; the stack has 4 nodes",
    ],
    [{ ...PROD, hostname: "https://m" }, "icinga-swarm:gateway.hostname: must be a host's name or address"],
    [
      { ...LAB, locations: ["berlin=self", "berlin=self"] },
      'icinga-swarm:locations[1].name: "berlin" is already the name of locations[0]',
    ],
  ])("says what is missing or does not fit together: %#", (given, expected) => {
    expect(givenProblems(given)).toEqual([]);
    expect(configOf(given).problems).toEqual([expect.stringContaining(expected)]);
  });

  it.each(["prod", "a", "eu_west-1", "x".repeat(63)])("takes the name %s", (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  it.each(["", "-x", "1st", "a/b", "..", "a b", "Prod", "x".repeat(64), "local"])("refuses the name %j", (name) => {
    expect(nameProblem(name)).toBeDefined();
  });
});

describe("questions", () => {
  /** Answers one after the other. */
  function terminal(...answers: string[]) {
    const asked: string[] = [];
    const said: string[] = [];
    const ask = (question: string): Promise<string> => {
      asked.push(question);
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new Error(`not expected: ${question}`)) : Promise.resolve(answer);
    };
    return { asked, said, ask, say: (line: string) => void said.push(line) };
  }

  const NOTHING: Given = { locations: [], slaves: [], secrets: true };

  it("are put for what is missing, until each answer is good", async () => {
    const { ask, say, asked, said } = terminal(
      ...["Asia", "asia", "hq-1", "ssh://deploy@hq-1.example.com"],
      ...["", "frankfurt=fra-1,fra-2", "", "frankfurt=fra-3", "chicago=chi-1", "21", "6", ""],
      ...["", "hq-1", "nexus.example.com:5000", "nexus.example.com:5000/team/monitoring", ""],
      ...["", "monitoring.example.com"],
    );
    const given = await askForRest(NOTHING, ask, say);
    expect(configOf(given)).toEqual({ config: PROD_CONFIG, problems: [] });
    expect(said.map((line) => line.trim())).toEqual([
      expect.stringContaining("must start with a lower-case letter"),
      expect.stringContaining('"hq-1" is no Docker host'),
      expect.stringContaining("must look like frankfurt=fra-1,fra-2"),
      "there is a location frankfurt already",
      expect.stringContaining("slaves of chicago: Too big"),
      expect.stringContaining("node: Too small"),
      expect.stringContaining("must look like nexus.example.com:5000/monitoring"),
      expect.stringContaining("must be a host's name"),
    ]);
    expect(asked).toEqual(expect.arrayContaining(["Slaves in frankfurt [2]: ", "Who pushes and pulls there [ci]: "]));
  });

  it("may be left without an answer on one machine", async () => {
    const { ask, say, asked } = terminal("lab", "", "berlin=self", "", "", "", "", "");
    expect(configOf(await askForRest(NOTHING, ask, say))).toEqual(configOf(LAB));
    expect(asked.slice(-3)).toEqual([
      "Node that holds everything but the slaves [self]: ",
      "Registry and repository of the images, such as nexus.example.com:5000/monitoring [none]: ",
      "Name that people type to get to the pages [localhost]: ",
    ]);
  });

  it("are not put where nothing that is needed is missing", async () => {
    const { ask, say } = terminal();
    expect(await askForRest(LAB, ask, say)).toBe(LAB);
    expect(await askForRest(PROD, ask, say)).toBe(PROD);
  });
});

describe("files", () => {
  it("hold the config, and an inventory that has hosts in every location", () => {
    const text = renderStackFile("asia", PROD_CONFIG);
    expect(text).toMatch(/^# The stack asia, made by npm run new-stack/);
    expect(text).toContain("    - name: frankfurt\n      nodes: [fra-1, fra-2]\n");
    expect(load(text)).toEqual({ config: PROD_CONFIG });
    // The generator itself is asked whether it takes it.
    const files = renderInventory([
      { name: "frankfurt", slaves: 2 },
      { name: "chicago", slaves: 1 },
    ]);
    expect(Object.keys(files)).toEqual(["hosts.yaml", "people.yaml"]);
    expect(files["hosts.yaml"]).toContain("name: chicago-local");
  });
});

describe("making a stack", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "icinga-swarm-new-stack-"));
    writeFileSync(join(root, "Pulumi.yaml"), "name: icinga-swarm\n");
    mkdirSync(join(root, "inventory"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const making = () => ({ root, stack: "asia", config: PROD_CONFIG });
  const leftovers = () => [...readdirSync(join(root, ".local")), ...readdirSync(join(root, "inventory"))];

  it("puts everything in place once it is finished", async () => {
    await makeStack(making(), (folder) => {
      expect(existsSync(join(root, "Pulumi.asia.yaml"))).toBe(false);
      expect(existsSync(join(root, "inventory", "asia"))).toBe(false);
      // As Pulumi does.
      writeFileSync(join(folder, "Pulumi.asia.yaml"), "config: {}\n", { flag: "a" });
      return Promise.resolve();
    });
    expect(readFileSync(join(root, "Pulumi.asia.yaml"), "utf8")).toMatch(/config: \{\}\n$/);
    expect(readdirSync(join(root, "inventory", "asia"))).toEqual(["hosts.yaml", "people.yaml"]);
    expect(readdirSync(join(root, ".local"))).toEqual([]);
  });

  it("leaves nothing when it fails", async () => {
    await expect(makeStack(making(), () => Promise.reject(new Error("no Pulumi")))).rejects.toThrow("no Pulumi");
    expect(existsSync(join(root, "Pulumi.asia.yaml"))).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it("touches nothing that came in the meantime", async () => {
    const other = join(root, "Pulumi.asia.yaml");
    const finish = (): Promise<void> => {
      writeFileSync(other, "somebody else's");
      return Promise.resolve();
    };
    await expect(makeStack(making(), finish)).rejects.toThrow("there is Pulumi.asia.yaml already");
    expect(readFileSync(other, "utf8")).toBe("somebody else's");
    expect(leftovers()).toEqual([]);
  });
});

describe("the stack in the backend", () => {
  /** Stands for Pulumi; `fails` on a command that contains this word. */
  function fakePulumi(fails = "nothing", words = "no such luck") {
    const calls: string[] = [];
    const output = (args: readonly string[]): Promise<string> => {
      calls.push(args.join(" "));
      if (args.join(" ").includes(fails)) return Promise.reject(new Error(words));
      return Promise.resolve(args[1] === "--json" ? '{"icinga-swarm:registry":{"value":"{}"}}' : "");
    };
    return { pulumi: { stack: "asia", output } as unknown as PulumiCli, calls };
  }

  it("is made with its credentials, the registry's password among them", async () => {
    const { pulumi, calls } = fakePulumi();
    await makeInBackend(pulumi, () => undefined, "secret");
    expect(calls[0]).toBe("stack init --no-select");
    expect(calls).toContain("config set --secret icinga-swarm:registryPassword");
    expect(calls.join()).not.toContain("stack rm");
  });

  it("is taken away again when a credential cannot be made", async () => {
    const { pulumi, calls } = fakePulumi("icingaTicketSalt");
    await expect(makeInBackend(pulumi, () => undefined, undefined)).rejects.toThrow("no such luck");
    expect(calls.at(-1)).toBe("stack rm --yes --preserve-config");
  });

  it("is taken away again when somebody interrupts", async () => {
    const { pulumi, calls } = fakePulumi();
    const say = (): void => void process.emit("SIGINT", "SIGINT");
    await expect(makeInBackend(pulumi, say, undefined)).rejects.toThrow("interrupted; nothing was made");
    expect(calls.at(-1)).toBe("stack rm --yes --preserve-config");
    expect(calls.length).toBeLessThan(6);
    expect(process.listenerCount("SIGINT")).toBe(0);
  });

  it("of somebody else stays", async () => {
    const { pulumi, calls } = fakePulumi("stack init", "stack 'asia' already exists");
    await expect(makeInBackend(pulumi, () => undefined, undefined)).rejects.toThrow(
      "the backend has a stack asia already",
    );
    expect(calls).toHaveLength(1);
  });
});

describe("the backend and the passphrase", () => {
  const home = mkdtempSync(join(tmpdir(), "icinga-swarm-pulumi-home-"));
  const root = join(home, "project");
  beforeAll(() => {
    mkdirSync(root);
    writeFileSync(join(root, "Pulumi.yaml"), "name: icinga-swarm\n");
  });
  afterAll(() => rmSync(home, { recursive: true }));
  const find = (env: NodeJS.ProcessEnv) => findKeeping(root, { PULUMI_HOME: home, ...env });

  it("must both be chosen before credentials can be made", () => {
    expect(find({}).lacking).toMatch(/^no backend is chosen/);
    expect(find({ PULUMI_BACKEND_URL: "s3://states" }).lacking).toMatch(/^no passphrase is set/);
    expect(find({ PULUMI_BACKEND_URL: "s3://states", PULUMI_CONFIG_PASSPHRASE: "" }).lacking).toBeUndefined();
    expect(find({ PULUMI_BACKEND_URL: "https://api.pulumi.com" }).lacking).toBeUndefined();
    writeFileSync(join(home, "credentials.json"), '{"current":"https://api.pulumi.com"}');
    expect(find({}).env).toEqual({ PULUMI_BACKEND_URL: "https://api.pulumi.com" });
    writeFileSync(join(root, "Pulumi.yaml"), "name: icinga-swarm\nbackend: { url: s3://states }\n");
    expect(find({}).lacking).toMatch(/^no passphrase is set/);
  });

  it("are the same wherever Pulumi runs", () => {
    const env = { PULUMI_BACKEND_URL: "file://.local/state", PULUMI_CONFIG_PASSPHRASE_FILE: ".local/passphrase" };
    expect(find(env).env).toEqual({
      PULUMI_BACKEND_URL: `file://${root}/.local/state`,
      PULUMI_CONFIG_PASSPHRASE_FILE: `${root}/.local/passphrase`,
    });
    const absolute = { PULUMI_BACKEND_URL: "file://~", PULUMI_CONFIG_PASSPHRASE_FILE: "/a" };
    expect(find(absolute).env).toEqual(absolute);
  });
});

it("says what to do next, with what the credentials lacked", () => {
  expect(nextSteps("asia", PROD_CONFIG, undefined).join("\n")).not.toMatch(/stack init|npm run secrets/);
  const text = nextSteps("asia", PROD_CONFIG, "no backend is chosen").join("\n");
  for (const part of [
    "no credentials were made: no backend is chosen",
    "pulumi stack init asia",
    "npm run secrets -- asia",
  ]) {
    expect(text).toContain(part);
  }
  expect(text).toMatch(/npm run user -- asia .*\n(.*\n){3} +pulumi up --stack asia\n/);
});
