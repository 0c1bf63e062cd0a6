/**
 * What lets every ssh to an engine, the provider's and the commands', notice within half a minute that its line is dead:
 * one that ended without a word would hold up a build or a gate for ever.
 */
export const SSH_KEEP_ALIVE = { ServerAliveInterval: "10", ServerAliveCountMax: "3" };

/** Options as arguments of ssh. */
export function sshFlags(options: Readonly<Record<string, string>>): string[] {
  return Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}
