import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { RegistryAccess } from "../../../components/registryAccess";
import { ServiceImage, type ServiceImageArgs } from "../../../components/serviceImage";
import { record } from "./recorder";

const ARGS: ServiceImageArgs = { image: "demo", base: "debian:13", buildArgs: { VERSION: "1" }, copies: ["shared"] };
const home = process.cwd();
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "icinga-swarm-image-"));
  process.chdir(folder);
  write("images/demo/Dockerfile", "FROM x");
  write("images/demo/bin/start", "echo");
  write("shared/code.ts", "1");
});

afterEach(() => {
  process.chdir(home);
  fs.rmSync(folder, { recursive: true });
});

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

/** The name under which the image would be built: it changes exactly when the image is built again. */
async function builtAs(args: ServiceImageArgs): Promise<unknown> {
  const resources = await record({}, async () => new ServiceImage("image-demo", args));
  return resources.find(({ name }) => name === "image-demo-build")?.inputs.name;
}

test("an image is built again when a file, its mode, a build argument or its base changes", async () => {
  const before = await builtAs(ARGS);
  expect(before).toMatch(/^icinga-swarm\/demo:[0-9a-f]{16}$/);
  const seen = new Set([before]);
  const changes: [string, () => ServiceImageArgs | undefined][] = [
    ["a file", () => void write("images/demo/bin/start", "echo more")],
    ["a new file", () => void write("images/demo/new", "")],
    ["a copied file", () => void write("shared/code.ts", "2")],
    ["a mode", () => void fs.chmodSync("images/demo/bin/start", 0o755)],
    ["a build argument", () => ({ ...ARGS, buildArgs: { VERSION: "2" } })],
    ["the base", () => ({ ...ARGS, base: "debian:14" })],
  ];
  for (const [what, change] of changes) {
    const name = await builtAs(change() ?? ARGS);
    expect(seen.has(name) ? `${what} changed nothing` : "").toBe("");
    seen.add(name);
  }
});

test("an image is not built again for anything else", async () => {
  const before = await builtAs(ARGS);
  write("images/other/Dockerfile", "FROM y");
  write("README.md", "text");
  fs.utimesSync("images/demo/Dockerfile", 1, 1);
  expect(await builtAs(ARGS)).toBe(before);
});

test("a change of the base is a change of what stands on it", async () => {
  write("images/base/Dockerfile", "FROM z");
  const onBase = async (): Promise<unknown> => {
    const resources = await record({}, async () => {
      const base = new ServiceImage("image-base", { image: "base", base: "debian:13" });
      return new ServiceImage("image-demo", { ...ARGS, base });
    });
    return resources.find(({ name }) => name === "image-demo-build")?.inputs;
  };
  const before = (await onBase()) as { name: string; build: { buildArgs: Record<string, string> } };
  write("images/base/Dockerfile", "FROM zz");
  const after = (await onBase()) as typeof before;
  expect(after.name).not.toBe(before.name);
  expect(after.build.buildArgs.BASE_IMAGE).toMatch(/^icinga-swarm\/base:[0-9a-f]{16}$/);
});

describe("a push", () => {
  const NEXUS = { address: "nexus:5000", repository: "monitoring", username: "ci", password: "first" };

  /** The name of the push and of nothing else: a name that is new is a push, and whatever else changes is none. */
  const pushedAs = async (to: typeof NEXUS): Promise<string | undefined> => {
    const resources = await record({}, async () => {
      const args = { ...to, password: pulumi.output(to.password), dockerHost: "unix:///socket", contents: [] };
      return new ServiceImage("image-demo", { ...ARGS, registry: new RegistryAccess("registry", args) });
    });
    const [push, ...others] = resources.filter(({ name }) => name.startsWith("image-demo-push-"));
    expect(others).toEqual([]);
    expect(push?.ignoreChanges).toEqual(["create", "environment"]);
    return push?.name;
  };

  test("is done again for another registry, another repository and another content", async () => {
    const names = [
      await pushedAs(NEXUS),
      await pushedAs({ ...NEXUS, address: "nexus:5001" }),
      await pushedAs({ ...NEXUS, repository: "other" }),
    ];
    write("shared/code.ts", "2");
    names.push(await pushedAs(NEXUS));
    expect(new Set(names).size).toBe(names.length);
  });

  test("is not done again for another user or password", async () => {
    const before = await pushedAs(NEXUS);
    expect(before).toMatch(/^image-demo-push-[0-9a-f]{16}$/);
    expect(await pushedAs({ ...NEXUS, username: "deploy", password: "second" })).toBe(before);
  });
});
