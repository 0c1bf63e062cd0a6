#!/usr/bin/env bash
# A Docker Engine of its own for tests, on a node of its own as far as it can see: network namespace with a bridge and NAT to
# the outside, PID, mount, host name and IPC namespaces, cgroup, data root. Root only.
#
# ENGINE_OPTIONS: further options of dockerd, separated by blanks.
# ENGINE_HOSTNAME: host name of the machine that the engine believes to be on. Default: icinga-swarm-test-<index>.
#
#   engine.sh run <index> <data root> [<seed>]   runs engine <index> (0..250) until stdin ends; then nothing of it is left but
#                                                the data root it was given without a seed. With a seed, the data root is made
#                                                as a copy of it and removed in the end; the seed `none` is an empty one.
#   engine.sh cut|heal <index> link|data         takes the machine's link away, or only what overlay networks send through it:
#                                                what goes in is lost without a word. Healing a link that is whole is fine.
#   engine.sh sweep                              removes what killed runs left
#   engine.sh remove <index>                     the same for one
#
# The caller holds the other end of stdin: when it dies, however it dies, the pipe closes and the engine goes. What it writes
# there are lines: `off` is a power cut, `on` starts the machine again on its data root; each is answered by its own word.
#
# The machines of several engines reach each other through the host, which is the router between their networks.
set -euo pipefail

# Everything that belongs to an engine is found by this name and its index.
readonly NAME=icinga-swarm-test
readonly RUN_DIR=/run/$NAME

name() { printf '%s-%s' "$NAME" "$1"; }
# Interface names have at most 15 characters.
bridge() { printf 'iswt%s' "$1"; }
subnet() { printf '100.64.%s.0/24' "$1"; }
gateway() { printf '100.64.%s.1' "$1"; }
address() { printf '100.64.%s.11' "$1"; }
# Networks of all engines, of those that do not run, too.
readonly ALL_SUBNETS=100.64.0.0/16

# --- network -----------------------------------------------------------------------------------------------------------

# rules <index>: the arguments of each iptables rule that the engine needs on the host, one rule a line.
rules() {
  local comment
  comment="-m comment --comment $(name "$1")"
  # Docker on the host forwards nothing it does not know.
  echo "filter FORWARD -i $(bridge "$1") $comment -j ACCEPT"
  echo "filter FORWARD -o $(bridge "$1") $comment -j ACCEPT"
  # What is for a machine that is not there must not look for it outside.
  echo "filter FORWARD -i $(bridge "$1") ! -o iswt+ -d $ALL_SUBNETS $comment -j REJECT"
  # Machines see each other's own addresses: overlay networks stand on them.
  echo "nat POSTROUTING -s $(subnet "$1") ! -d $ALL_SUBNETS ! -o $(bridge "$1") $comment -j MASQUERADE"
}

# cuts <index> link|data: the same for a cut link. Outside of the machine, which is to hear of it no more than of a broken
# cable far away; and in tables where nothing is let through before.
cuts() {
  local what
  what="-m comment --comment $(name "$1")-$2 -j DROP"
  if [[ "$2" == data ]]; then what="-p udp --dport 4789 $what"; fi
  echo "raw PREROUTING -i $(bridge "$1") $what"
  echo "mangle POSTROUTING -o $(bridge "$1") $what"
}

insert_rules() {
  local table chain rule
  while read -r table chain rule; do
    # shellcheck disable=SC2086  # the rule is a list of words
    iptables --wait --table "$table" --insert "$chain" $rule
  done
}

delete_rules() {
  local table chain rule
  while read -r table chain rule; do
    # shellcheck disable=SC2086
    while iptables --wait --table "$table" --delete "$chain" $rule 2>/dev/null; do :; done
  done
}

cut() { cuts "$1" "$2" | insert_rules; }
heal() { cuts "$1" "$2" | delete_rules; }

# The network that the machine is on.
add_network() {
  local index=$1 bridge
  bridge=$(bridge "$index")
  ip link add "$bridge" type bridge
  ip address add "$(gateway "$index")/24" dev "$bridge"
  ip link set "$bridge" up
  if [[ "$(</proc/sys/net/ipv4/ip_forward)" != 1 ]]; then echo 1 >/proc/sys/net/ipv4/ip_forward; fi
  rules "$index" | insert_rules
}

remove_network() {
  local index=$1
  unplug "$index"
  ip link delete "$(bridge "$index")" 2>/dev/null || true
  { rules "$index" && cuts "$index" link && cuts "$index" data; } | delete_rules
}

# The machine's own end of it, which does not outlive a power cut.
plug() {
  local index=$1 netns bridge
  netns=$(name "$index")
  bridge=$(bridge "$index")
  ip netns add "$netns"
  ip link add "$bridge-1" type veth peer name eth0 netns "$netns"
  ip link set "$bridge-1" master "$bridge" up
  ip -n "$netns" link set lo up
  ip -n "$netns" address add "$(address "$index")/24" dev eth0
  ip -n "$netns" link set eth0 up
  ip -n "$netns" route add default via "$(gateway "$index")"
}

unplug() {
  ip netns delete "$(name "$1")" 2>/dev/null || true
  ip link delete "$(bridge "$1")-1" 2>/dev/null || true
}

# --- data --------------------------------------------------------------------------------------------------------------

# Layers of images are only ever read or unlinked, so links to them will do; everything else is written in place by somebody.
copy_seed() {
  local seed=$1 data=$2 entry
  mkdir -p "$data" "$RUN_DIR/0"
  if [[ "$seed" == none ]]; then return; fi
  # Engine 0 is the one that fills seeds, and holds its lock for as long.
  exec 8>"$RUN_DIR/0/lock"
  flock --shared 8
  for entry in "$seed"/* "$seed"/.[!.]*; do
    case "${entry##*/}" in
      '*' | '.[!.]*' | engine-id | tmp | runtimes) ;;
      overlay2) cp --archive --link "$entry" "$data/" ;;
      *) cp --archive "$entry" "$data/" ;;
    esac
  done
  exec 8>&-
}

# --- engine ------------------------------------------------------------------------------------------------------------

# What runs inside the namespaces, as their first process. A shell, because dockerd does not reap what containers leave.
inside() {
  local index=$1 data=$2 run options
  run=$RUN_DIR/$index
  read -r -a options <<<"${ENGINE_OPTIONS:-}"
  hostname "${ENGINE_HOSTNAME:-$(name "$index")}"
  # The engine's key, and with it its identity, lives there; and a containerd of the host must not be found.
  mount -t tmpfs tmpfs /etc/docker
  # Kept outside, where the tests write: the names this machine knows, and the authorities it trusts registries by.
  mount --bind "$run/hosts" /etc/hosts
  mkdir /etc/docker/certs.d
  mount --bind "$run/certs.d" /etc/docker/certs.d
  if [[ -d /run/containerd ]]; then mount -t tmpfs tmpfs /run/containerd; fi
  dockerd --host "unix://$run/docker.sock" --data-root "$data" --exec-root "$run/exec" --pidfile "$run/docker.pid" \
    --cgroup-parent "/$(name "$index")" --exec-opt native.cgroupdriver=cgroupfs \
    --default-address-pool base=10.201.0.0/16,size=24 "${options[@]}" &
  # shellcheck disable=SC2064  # the process of now
  trap "kill -TERM $!" TERM
  wait "$!" || wait "$!"
}

# start <index> <data root>: sets ENGINE to the process whose end is the engine's power cut.
start() {
  local index=$1 data=$2 run
  run=$RUN_DIR/$index
  mkdir -p "$run/certs.d" /etc/docker
  if [[ ! -e "$run/hosts" ]]; then cp /etc/hosts "$run/hosts"; fi
  # An engine that had no time to remove them would find itself running.
  rm -rf --one-file-system "$run/exec" "$run/docker.pid" "$run/docker.sock"
  plug "$index"
  # `ip netns exec` would remount /sys, in which dockerd then finds no cgroups.
  setpriv --pdeathsig KILL \
    nsenter --net="/run/netns/$(name "$index")" \
    unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc --propagation private \
    bash "${BASH_SOURCE[0]}" inside "$index" "$data" </dev/null >>"$run/dockerd.log" 2>&1 9>&- &
  ENGINE=$!
  echo "$ENGINE" >"$run/engine.pid"
}

# shut_down <engine>: lets dockerd write its databases, for a data root that others will start from.
shut_down() {
  local child
  child=$(cat "/proc/$1/task/$1/children" 2>/dev/null) || return 0
  kill -TERM "${child%% *}" 2>/dev/null || return 0
  local _
  for _ in {1..300}; do
    [[ -d "/proc/$1" ]] || return 0
    sleep 0.1
  done
}

power_cut() {
  local pid=$1 _
  # Not a job any more: its end is no news.
  disown "$pid" 2>/dev/null || true
  kill -KILL "$pid" 2>/dev/null || true
  for _ in {1..100}; do
    [[ -d "/proc/$pid" ]] || return 0
    [[ "$(sed 's/.*) \(.\).*/\1/' "/proc/$pid/stat" 2>/dev/null)" != Z ]] || return 0
    sleep 0.05
  done
}

# switch_off <index>: what is left is what a machine without power has.
switch_off() {
  # The kernel would say goodbye for processes that end, and their peers know at once.
  ip link set "$(bridge "$1")-1" down 2>/dev/null || true
  power_cut "$ENGINE"
  unplug "$1"
  remove_cgroups "$1"
}

remove_cgroups() {
  local index=$1 _
  for _ in {1..50}; do
    find /sys/fs/cgroup -depth -type d \( -path "*/$(name "$index")" -o -path "*/$(name "$index")/*" \) -exec rmdir {} + \
      2>/dev/null || true
    [[ -n "$(find /sys/fs/cgroup -type d -name "$(name "$index")" 2>/dev/null)" ]] || return 0
    sleep 0.1
  done
}

command_line() { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null

# Removes all there is of an engine, running or not. A data root is its own when this made it as a copy.
remove() {
  local index=$1 run pid
  run=$RUN_DIR/$index
  if pid=$(cat "$run/engine.pid" 2>/dev/null) &&
    command_line "$pid" | grep --quiet --fixed-strings "engine.sh inside $index "; then
    power_cut "$pid"
  fi
  remove_network "$index"
  remove_cgroups "$index"
  if [[ -s "$run/own-data-root" ]]; then rm -rf --one-file-system "$(<"$run/own-data-root")"; fi
  find "$run" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf --one-file-system {} + 2>/dev/null || true
}

# take <index>: fails when somebody runs this engine. The lock ends with the process that holds it, however it ends.
take() {
  mkdir -p "$RUN_DIR/$1"
  exec 9>"$RUN_DIR/$1/lock"
  flock --nonblock 9
}

sweep() {
  local directory index
  for directory in "$RUN_DIR"/*/; do
    [[ -d "$directory" ]] || continue
    index=$(basename "$directory")
    if take "$index"; then
      if [[ -e "$RUN_DIR/$index/engine.pid" || -e "$RUN_DIR/$index/own-data-root" ]]; then
        echo "removing what an earlier run left of $(name "$index")"
        remove "$index"
      fi
    fi
    exec 9>&-
  done
}

run() {
  local index=$1 data=$2 seed=${3:-}
  take "$index" || exit 75
  # shellcheck disable=SC2064
  trap "remove $index" EXIT
  trap 'exit 143' TERM INT HUP
  remove "$index"
  if [[ -n "$seed" ]]; then
    echo "$data" >"$RUN_DIR/$index/own-data-root"
    copy_seed "$seed" "$data"
  fi
  add_network "$index"
  start "$index" "$data"
  echo started
  obey "$index" "$data"
  if [[ -z "$seed" ]]; then shut_down "$ENGINE"; fi
}

# obey <index> <data root>: until the other side ends, or the engine does without being told.
obey() {
  local index=$1 data=$2 is_on=1 order status
  while ((!is_on)) || kill -0 "$ENGINE" 2>/dev/null; do
    status=0
    read -r -t 0.5 order || status=$?
    # More than 128 is only the time that is over; anything else is the end of the other side.
    if ((status > 128)); then continue; fi
    if ((status > 0)); then return; fi
    case "$order" in
      off) is_on=0 && switch_off "$index" ;;
      on) is_on=1 && start "$index" "$data" ;;
    esac
    echo "$order"
  done
}

main() {
  local command=$1
  shift
  case "$command" in
    run | inside | cut | heal | sweep | remove) "$command" "$@" ;;
    *) echo "unknown command $command" >&2 && exit 64 ;;
  esac
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then main "$@"; fi
