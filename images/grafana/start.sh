#!/bin/sh
# Starts Grafana where it may be reached, once its database is there. Grafana itself gives up when MySQL does not answer as
# it starts; a container that ended for that would be restarted by its neighbour's failure.
# POSIX: the official image has BusyBox's sh and programs.
set -eu

WORK_DIR=/tmp/icinga-swarm
STARTED=$WORK_DIR/started
REPEAT_SECONDS=30

say() { printf '%s\n' "$*"; }

# The address of this container in a network, as the kernel's own route to it names it.
address_in() {
  ip route | awk -v subnet="$1" '$1 == subnet { for (i = 2; i < NF; i++) if ($i == "src") { print $(i + 1); exit } }'
}

# A service's name resolves as long as a task of it is healthy.
wait_for() {
  seconds=0
  until getent hosts "$1" >/dev/null; do
    if [ $((seconds % REPEAT_SECONDS)) -eq 0 ]; then say "waiting: $1 is not there yet"; fi
    seconds=$((seconds + 1))
    sleep 1
  done
}

listen_in() {
  GF_SERVER_HTTP_ADDR=$(address_in "$1")
  if [ -z "$GF_SERVER_HTTP_ADDR" ]; then
    say "failed: this container has no address in the network $1"
    exit 1
  fi
  export GF_SERVER_HTTP_ADDR
}

main() {
  # Of the container, not of its volume: what is in it says how far this container is.
  mkdir -p "$WORK_DIR"
  rm -f "$STARTED"
  listen_in "$WEB_SUBNET"
  wait_for "${GF_DATABASE_HOST%:*}"
  : >"$STARTED"
  exec /run.sh
}

main
