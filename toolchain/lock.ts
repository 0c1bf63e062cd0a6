import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Say } from "./hostCommand";

const longestInstallation = 2 * 60 * 60 * 1000;

/**
 * Runs `work` while no other process does. It only saves double work: everything that is installed appears by a rename,
 * so that the rare case of two processes that both take over a dead one's lock does no harm.
 */
export async function withLock<T>(path: string, say: Say, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  for (let attempt = 0; !take(path); attempt += 1) {
    if (attempt % 20 === 0) {
      say(`Waiting for process ${holder(path) ?? "?"}, which is installing Pulumi (${path})`);
    }
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
    if (isDead(path)) {
      rmSync(path, { force: true });
    }
    return false;
  }
}

function holder(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function isDead(path: string): boolean {
  try {
    if (Date.now() - statSync(path).mtimeMs > longestInstallation) {
      return true;
    }
    const pid = Number(readFileSync(path, "utf8"));
    if (pid === 0) {
      // Not written yet.
      return false;
    }
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
