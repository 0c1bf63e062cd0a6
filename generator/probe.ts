import { assignPair } from "./assign";
import { topology } from "./location";
import { compare, type Host, type IcingaCheck, type Inventory, type Site } from "./model";

/** Options of check_nrpe, by Icinga's name of what they say. */
const OPTIONS: Readonly<Record<string, string>> = {
  nrpe_port: "-p",
  nrpe_version_2: "-2",
  nrpe_version_3: "-3",
  nrpe_no_ssl: "-n",
  nrpe_ca: "-A",
  nrpe_cert: "-C",
  nrpe_key: "-K",
};

/** How many clients a slave asks at a time. */
const AT_A_TIME = 16;

/**
 * A shell script that asks the NRPE clients of a location for their version, from the slaves that check them. It is for
 * a node of the location: only there can the slaves' containers be entered, and only from there does it show what the
 * clients' `allowed_hosts` and the firewalls between let through.
 *
 * @returns undefined if no host of the location has an NRPE check
 */
export function probeScript(inventory: Inventory, site: Site): string | undefined {
  const pairs = topology(site);
  const hosts = inventory.hosts.filter(({ location }) => location === site.name);
  const sections = pairs.flatMap(({ service, zone }) => {
    const lines = hosts.filter(({ name }) => assignPair(name, pairs).zone === zone).flatMap(clientLines);
    return lines.length === 0 ? [] : [`ask ${service} <<'CLIENTS'\n${lines.join("\n")}\nCLIENTS\n`];
  });
  return sections.length === 0 ? undefined : `${head(site.name)}${sections.join("")}${FOOT}`;
}

/** `<name> <address> <options>` for each way in which a host's client is asked; none of the words needs quotes. */
function clientLines({ name, address, checks, alive }: Host): string[] {
  const all = [...checks, ...(alive === undefined || alive === "none" ? [] : [alive])].map(({ icinga }) => icinga);
  const asked = all.filter(({ command }) => command === "nrpe").map(optionsOf);
  return [...new Set(asked)]
    .sort(compare)
    .map((options) => [name, address, options].filter((word) => word !== "").join(" "));
}

function optionsOf({ vars }: IcingaCheck): string {
  const given = Object.entries(OPTIONS).filter(([variable]) => vars[variable] !== undefined);
  return given
    .map(([variable, option]) => (vars[variable] === true ? option : `${option} ${String(vars[variable])}`))
    .join(" ");
}

function head(location: string): string {
  return `#!/bin/sh
# Asks the NRPE clients of ${location} for their version, from the slaves on this node. Changes nothing.
# Ends with 0 if all answer, 1 if some do not, 2 if no slave of ${location} runs here.
set -u

answers=$(mktemp) || exit 2
trap 'rm -f "$answers"' EXIT

# What a slave runs: a client in each line.
program=$(cat <<'PROGRAM'
xargs -P ${AT_A_TIME} -L 1 sh -c '
  name=$1 address=$2
  shift 2
  if answer=$(/usr/lib/nagios/plugins/check_nrpe -H "$address" -t 10 "$@" 2>&1); then state=ok; else state=FAILED; fi
  printf "%s %s %s: %s\\n" "$state" "$name" "$address" "$(printf "%s" "$answer" | grep -m 1 . || echo no answer)"
' ask
PROGRAM
)

# ask <service>: the clients on standard input, from each of the service's containers here.
ask() {
  clients=$(cat)
  for container in $(docker ps --quiet --filter "label=com.docker.swarm.service.name=$1"); do
    printf '%s\\n' "$clients" | docker exec --interactive "$container" sh -c "$program" >>"$answers"
  done
}

# The address with which this node, and so its containers, come to a client.
source_address() {
  to=$(getent ahosts "$1" | { read -r first _ && echo "$first"; })
  ip route get "\${to:-$1}" 2>/dev/null | sed -n 's/.* src \\([^ ]*\\).*/\\1/p'
}

`;
}

const FOOT = `
if ! [ -s "$answers" ]; then
  echo "no slave that has clients to ask runs on this node" >&2
  exit 2
fi
sort -u "$answers"
if ! grep -q '^FAILED ' "$answers"; then exit 0; fi
echo
echo "Those that failed do not answer this node. Their allowed_hosts must have the address it comes with:"
grep '^FAILED ' "$answers" | sort -u | while read -r _ name address _; do
  echo "  $name: $(source_address "\${address%:}")"
done
exit 1
`;
