import type { TrialContainer } from "./icingaTrial";

/** Runs an init script's steps once, all but becoming supervisord. */
const INIT_ONCE = `#!/bin/bash
source /usr/local/bin/init
start_supervisord() { exit 0; }
main
`;

/**
 * Kills the init script before its first, second, third, ... command, each time on what the runs before left, until it
 * runs to its end. Everything it started dies with it, as in a container.
 */
const KILL_EVERYWHERE = `#!/bin/bash
# Bash itself tells of every killed child.
exec 2>/dev/null
kills=0
for ((stop = 1; ; stop += 1 + stop / 15)); do
  STOP=$stop setsid --wait bash -c '
    source /usr/local/bin/init
    start_supervisord() { exit 0; }
    set -o functrace
    count=0
    trap "((++count < STOP)) || kill -KILL -- -\\$\\$" DEBUG
    main' >/dev/null 2>/tmp/error
  code=$?
  ((code != 0)) || break
  ((++kills))
  ((code == 137)) || { echo "ended with $code when killed before command $stop: $(</tmp/error)"; exit 1; }
done
echo "$kills"
`;

/**
 * Afterwards `/usr/local/bin/init-once` is there too.
 *
 * @returns how many times it was killed
 */
export async function killEverywhere(container: TrialContainer): Promise<number> {
  await container.copy({ "/usr/local/bin/kill-everywhere": KILL_EVERYWHERE, "/usr/local/bin/init-once": INIT_ONCE });
  return Number(await container.output("/usr/local/bin/kill-everywhere"));
}
