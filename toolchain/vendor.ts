import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { installPackages, type Say } from "./hostCommand";
import { onPath, run } from "./run";

const site = "https://get.pulumi.com";

// Time without an answer after which the site counts as out of reach, and without progress as lost on the way.
const patience = ["--connect-timeout", "5", "--speed-limit", "1000", "--speed-time", "20"];

/** Does the vendor's download site answer, whatever it says? Returns why not, or undefined if it does. */
export async function vendorProblem(say: Say): Promise<string | undefined> {
  try {
    if (onPath("curl").length === 0) {
      await installPackages(["curl", "ca-certificates"], "Pulumi is downloaded with it", say);
    }
    await run("curl", ["--silent", "--show-error", "--head", "--max-time", "10", ...patience, site]);
    return undefined;
  } catch (error) {
    const lines = error instanceof Error ? error.message.split("\n") : [String(error)];
    return lines.at(-1) ?? "no answer";
  }
}

/** Downloads and unpacks the vendor's archive with the engine and the language hosts; returns the folder of both. */
export async function downloadEngine(version: string, temporary: string, say: Say): Promise<string> {
  const arch = process.arch === "x64" ? "x64" : "arm64";
  const archive = join(temporary, "pulumi.tar.gz");
  const url = `${site}/releases/sdk/pulumi-v${version}-${process.platform}-${arch}.tar.gz`;
  const progress = (seconds: number): void => {
    say(`  Pulumi ${version}: ${String(seconds)} s`);
  };
  await run("curl", ["--silent", "--show-error", "--fail", "--location", ...patience, "--output", archive, url], {
    progress,
  });
  const folder = join(temporary, "unpacked");
  mkdirSync(folder);
  await run("tar", ["-xzf", archive, "-C", folder], { progress });
  return join(folder, "pulumi");
}
