// The entry of every npm script and of what Pulumi runs on the operator's machine:
//   node commands/run.mjs <name> [arguments]     runs main(arguments) of commands/<name in camel case>.ts
// Plain JavaScript without dependencies: it has to work before `npm ci` ever ran.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];
/** Several of these run at once, inside a program that uses the packages: not the time to install any. */
const RUN_BY_PULUMI = [
  "check-swarm",
  "wait-ready",
  "label-node",
  "network-id",
  "keep-slots",
  "check-registry",
  "push-image",
  "renew-registry-login",
];

/** What a user can mend: its message is all they need to see. Has the name of commands/userError.ts's class. */
class UserError extends Error {
  name = "UserError";
}

function checkNodeVersion() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new UserError(
    `This is Node.js ${process.versions.node}; icinga-swarm needs ${OLDEST_NODE.join(".")} or newer. ` +
      "Install a current one from https://nodejs.org or your distribution, then run this again.",
  );
}

/** Whether what npm last installed holds every package of the lock file, those of other platforms aside. */
function matchesLock(lock, installedLockFile) {
  const installed = JSON.parse(readFileSync(installedLockFile, "utf8")).packages;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, { optional, version }]) => path === "" || optional || installed[path]?.version === version,
  );
}

/** Runs `npm ci` unless node_modules is what package-lock.json describes. A hash makes the usual case one comparison. */
function ensureDependencies() {
  const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(ROOT, "node_modules", ".icinga-swarm-lock-hash");
  const installedLock = join(ROOT, "node_modules", ".package-lock.json");
  if (existsSync(installedLock)) {
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
    if (matchesLock(lock, installedLock)) return remember(stamp, hash);
  }
  const why = existsSync(installedLock) ? "do not match package-lock.json" : "are not installed yet";
  console.log(`The npm packages of this project ${why}: running npm ci (about half a minute) ...`);
  const began = Date.now();
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--include=dev", "--loglevel=notice"], {
    cwd: ROOT,
    stdio: "inherit",
  });
  if (npm.error) throw new UserError(`npm could not be started (${npm.error.message}). It comes with Node.js.`);
  if (npm.status !== 0) throw new UserError("npm ci failed, see above.");
  console.log(`npm packages installed in ${Math.round((Date.now() - began) / 1000)} s.`);
  remember(stamp, hash);
}

function remember(stamp, hash) {
  try {
    writeFileSync(stamp, hash);
  } catch {
    // A read-only checkout only makes the next check a little slower.
  }
}

/** The names that can be given: the files that have a main. */
function commandNames() {
  return readdirSync(join(ROOT, "commands"))
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => /^export async function main\(/m.test(readFileSync(join(ROOT, "commands", file), "utf8")))
    .map((file) => file.slice(0, -3).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
}

function load(name) {
  const camelCase = (name ?? "").replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
  if (!commandNames().includes(name)) {
    throw new UserError(`There is no command "${name ?? ""}"; the commands are: ${commandNames().join(", ")}.`);
  }
  // The compiler looks for tsconfig.json in the working directory, which may be any.
  process.env.SWC_NODE_PROJECT = join(ROOT, "tsconfig.json");
  const require = createRequire(import.meta.url);
  require("@swc-node/register");
  return require(join(ROOT, "commands", `${camelCase}.ts`));
}

async function run([name, ...args]) {
  try {
    checkNodeVersion();
    if (!RUN_BY_PULUMI.includes(name)) ensureDependencies();
    return await load(name).main(args);
  } catch (error) {
    console.error(error?.name === "UserError" ? error.message : error);
    return 1;
  }
}

// A bug that escapes every handler must not end in success.
process.on("unhandledRejection", (error) => {
  console.error(error);
  process.exit(1);
});
const code = await run(process.argv.slice(2));
// Open sockets must not keep the process alive, and a pipe must get the last line before it ends.
process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
