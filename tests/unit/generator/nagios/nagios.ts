import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { cachePath } from "../../../../toolchain/hostCommand";

const PACKAGES = ["nagios4-core", "nagios4-common", "monitoring-plugins-basic", "monitoring-plugins-standard"];

/** Debian's Nagios, unpacked where this project keeps what it can make again; nothing is installed. */
export function nagiosFiles(): string {
  const folder = cachePath("nagios");
  const done = path.join(folder, "unpacked");
  if (fs.existsSync(done)) return done;
  fs.mkdirSync(folder, { recursive: true });
  const unfinished = fs.mkdtempSync(path.join(folder, ".unpacking-"));
  try {
    download(unfinished);
    const target = path.join(unfinished, "unpacked");
    for (const file of fs.readdirSync(unfinished).filter((name) => name.endsWith(".deb"))) {
      execFileSync("dpkg-deb", ["--extract", path.join(unfinished, file), target]);
    }
    // Debian's packages put these there when they are installed.
    const commands = path.join(target, "usr/share/monitoring-plugins");
    for (const templates of ["templates-basic", "templates-standard"]) {
      const from = path.join(commands, templates);
      fs.cpSync(from, path.join(target, "etc/nagios-plugins/config"), { recursive: true });
    }
    try {
      fs.renameSync(target, done);
    } catch (error) {
      // Another test may have been faster.
      if (!fs.existsSync(done)) throw error;
    }
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
  }
  return done;
}

/** With the machine's package lists if they know the packages, else with lists of our own. */
function download(folder: string): void {
  const get = (...options: string[]) =>
    spawnSync("apt-get", [...options, "--option=APT::Sandbox::User=root", "download", ...PACKAGES], {
      cwd: folder,
      encoding: "utf8",
      timeout: 120_000,
    });
  if (get().status === 0) return;
  const own = ["state/lists/partial", "cache/archives/partial"].map((name) => path.join(folder, "apt", name));
  for (const name of own) fs.mkdirSync(name, { recursive: true });
  const options = [
    `Dir::State::Lists=${path.join(folder, "apt/state/lists")}`,
    `Dir::Cache=${path.join(folder, "apt/cache")}`,
  ];
  const flags = options.map((option) => `--option=${option}`);
  spawnSync("apt-get", [...flags, "--option=APT::Sandbox::User=root", "update"], { timeout: 120_000 });
  const { status, stderr } = get(...flags);
  if (status !== 0) throw new Error(`cannot get Debian's ${PACKAGES.join(", ")}:\n${stderr}`);
}

/** Settings of the machine that Nagios runs on: in a test it writes elsewhere. */
const MACHINE = /^(?!cfg_|resource_)(nagios_user|nagios_group|use_syslog|\w+_(path|file))=/;

/** What Nagios makes of a configuration: its precached objects, or why it refuses. */
export interface Judgement {
  readonly precached: Buffer | undefined;
  readonly output: string;
}

/**
 * Lets Nagios read a tree.
 *
 * @param main path of its nagios.cfg
 * @param root folder that stands for / in absolute paths
 */
export function judge(main: string, root?: string): Judgement {
  const work = fs.mkdtempSync(path.join(os.tmpdir(), "nagios-"));
  try {
    const settings = fs
      .readFileSync(main, "latin1")
      .split("\n")
      .filter((line) => !MACHINE.test(line))
      .map((line) => placed(line, path.dirname(main), root));
    const ours = {
      nagios_user: String(process.getuid?.() ?? 0),
      nagios_group: String(process.getgid?.() ?? 0),
      log_file: path.join(work, "log"),
      temp_path: work,
      temp_file: path.join(work, "temp"),
      check_result_path: work,
      command_file: path.join(work, "command"),
      lock_file: path.join(work, "lock"),
      object_cache_file: path.join(work, "cache"),
      precached_object_file: path.join(work, "precache"),
    };
    const lines = Object.entries(ours).map(([name, value]) => `${name}=${value}`);
    const file = path.join(work, "nagios.cfg");
    fs.writeFileSync(file, [...settings, ...lines, ""].join("\n"), "latin1");
    const binary = path.join(nagiosFiles(), "usr/sbin/nagios4");
    const { stdout } = spawnSync(binary, ["-vp", file], { cwd: work, encoding: "latin1", timeout: 60_000 });
    const precached = path.join(work, "precache");
    return { precached: fs.existsSync(precached) ? fs.readFileSync(precached) : undefined, output: stdout };
  } finally {
    fs.rmSync(work, { recursive: true });
  }
}

/** A line of the main file with the place where its file is here, since the main file itself is read from elsewhere. */
function placed(line: string, folder: string, root: string | undefined): string {
  const [, name, file] = /^((?:cfg|resource)_\w+=)(.+?)\r?$/.exec(line) ?? [];
  if (name === undefined || file === undefined) return line;
  return `${name}${file.startsWith("/") ? path.join(root ?? "/", file) : path.join(path.resolve(folder), file)}`;
}
