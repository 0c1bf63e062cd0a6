#!/bin/sh
# Grafana's health in two phases. Until the volume's mark holds this spec's hash: Grafana answers, its database and Graphite,
# too. Afterwards only what a restart would mend: Grafana answers. Docker 20.10 knows one interval for both, so the check
# paces itself. POSIX: the official image has BusyBox's sh and programs.
set -eu

WORK_DIR=/tmp/icinga-swarm
STARTED=$WORK_DIR/started
ALIVE_MARK=$WORK_DIR/alive
LAST_LINE=$WORK_DIR/last-line
READY_MARK=$GF_PATHS_DATA/.ready
LOG=/proc/1/fd/1
POLL_FOR_SECONDS=20
PAUSE_SECONDS=15
REPEAT_SECONDS=30

say() { printf '%s\n' "$*"; }

now() { date +%s; }

# What a health check prints is only seen by `docker inspect`; the container's log is what people and the gate read.
tell() {
  say "$1"
  say "$1" 2>/dev/null >"$LOG" || true
}

# Says a line when it changes and every 30 s. Checks are short-lived, so the last line is kept in a file.
tell_news() {
  last_time=0 last_line=""
  if [ -r "$LAST_LINE" ]; then
    read -r last_time last_line <"$LAST_LINE" || true
  fi
  if [ "$1" != "$last_line" ] || [ $(($(now) - last_time)) -ge "$REPEAT_SECONDS" ]; then
    say "$(now) $1" >"$LAST_LINE"
    tell "$1"
  fi
}

is_marked() { [ -r "$READY_MARK" ] && [ "$(cat "$READY_MARK")" = "${SPEC_HASH:-}" ]; }

mark() {
  printf '%s' "${SPEC_HASH:-}" >"$READY_MARK.$$"
  mv -f "$READY_MARK.$$" "$READY_MARK"
  : >"$ALIVE_MARK"
}

# Grafana listens in one network only.
own_address() { ip route | awk -v subnet="$WEB_SUBNET" '$1 == subnet { for (i = 2; i < NF; i++) if ($i == "src") print $(i + 1) }'; }

get() { wget -q -T 5 -O - "$1" 2>&1; }

# Sets NEWS to a line for the log when it is not ready.
is_ready() {
  if ! answer=$(get "http://$(own_address):3000/grafana/api/health"); then
    case $answer in
      *503*) NEWS="waiting: Grafana does not reach its database" ;;
      *) NEWS="waiting: Grafana does not answer yet" ;;
    esac
    return 1
  fi
  case $answer in
    *'"database": "ok"'* | *'"database":"ok"'*) ;;
    *)
      NEWS="waiting: Grafana's database is not all right"
      return 1
      ;;
  esac
  if ! get "$GRAPHITE_URL/metrics/find?query=*" >/dev/null; then
    NEWS="waiting: Graphite does not answer at $GRAPHITE_URL"
    return 1
  fi
}

check_ready() {
  # Before that the start script itself says what it waits for.
  deadline=$(($(now) + POLL_FOR_SECONDS))
  until [ -e "$STARTED" ] && is_ready; do
    if [ -e "$STARTED" ]; then tell_news "$NEWS"; fi
    if [ "$(now)" -ge "$deadline" ]; then return 1; fi
    sleep 1
  done
  mark
  tell ready
}

# Not its database: a restart would not mend that.
check_alive() {
  if [ -e "$ALIVE_MARK" ]; then sleep "$PAUSE_SECONDS"; fi
  deadline=$(($(now) + POLL_FOR_SECONDS))
  until get "http://$(own_address):3000/grafana/healthz" >/dev/null; do
    # The start script waits for somebody else; a restart would only begin the same wait again.
    if [ ! -e "$STARTED" ]; then return 0; fi
    if [ "$(now)" -ge "$deadline" ]; then
      say "Grafana does not answer"
      return 1
    fi
    sleep 1
  done
  : >"$ALIVE_MARK"
}

if is_marked; then check_alive; else check_ready; fi
