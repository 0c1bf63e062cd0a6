#!/usr/bin/env bash
# MySQL's health in two phases. Until the volume's mark holds this spec's hash: every application can log in over the network
# with its password and use its database. Afterwards only what a restart would mend: the server answers.
# Docker 20.10 knows one interval for both, so the check paces itself.
set -euo pipefail

# shellcheck source=images/mysql/start.sh
source /usr/local/bin/start-mysql

readonly READY_MARK=$DATA_DIR/.ready
readonly ALIVE_MARK=$RUN_DIR/alive
readonly LAST_LINE=$RUN_DIR/last-line
readonly POLL_FOR_SECONDS=20
readonly PAUSE_SECONDS=15
readonly REPEAT_SECONDS=30

# What a health check prints is only seen by `docker inspect`; the container's log is what people and the gate read.
tell() {
  say "$1"
  # Opened for reading too: without a reader it must not wait for one.
  if [[ -p "$LOG_PIPE" ]]; then say "$1" 1<>"$LOG_PIPE"; fi
}

# Says a line when it changes and every 30 s. Checks are short-lived, so the last line is kept in a file.
tell_news() {
  local line=$1 last_time=0 last_line=""
  if [[ -r "$LAST_LINE" ]]; then
    read -r last_time last_line <"$LAST_LINE" || true
  fi
  if [[ "$line" != "$last_line" ]] || ((EPOCHSECONDS - last_time >= REPEAT_SECONDS)); then
    say "$EPOCHSECONDS $line" >"$LAST_LINE"
    tell "$line"
  fi
}

is_marked() { [[ -r "$READY_MARK" && "$(<"$READY_MARK")" == "${SPEC_HASH:-}" ]]; }

mark() {
  printf '%s' "${SPEC_HASH:-}" >"$READY_MARK.$$"
  mv -f "$READY_MARK.$$" "$READY_MARK"
  : >"$ALIVE_MARK"
}

# log_in <application>: prints MySQL's complaint if it cannot use its database.
log_in() {
  {
    mysql --defaults-extra-file=<(option_file "$1" "$(secret "mysql-$1-password")") \
      --protocol=tcp --host=127.0.0.1 --connect-timeout=5 --database="$1" --execute='SELECT 1' >/dev/null
  } 2>&1
}

# Sets NEWS to a line for the log when it is not ready.
is_ready() {
  local name complaint
  for name in "${APPLICATIONS[@]}"; do
    complaint=$(log_in "$name") && continue
    complaint=${complaint//$'\n'/ }
    if [[ -e "$INITIALISING" ]]; then
      NEWS="waiting: MySQL is set up for the first time"
    elif [[ "$complaint" == *"Access denied"* ]]; then
      # Passwords are asserted before the server listens, so this is none that comes right by waiting.
      NEWS="failed: MySQL refuses $name with the password in its secret: $complaint"
    else
      NEWS="waiting: MySQL does not serve $name yet: $complaint"
    fi
    return 1
  done
}

check_ready() {
  local deadline=$((SECONDS + POLL_FOR_SECONDS))
  until is_ready; do
    tell_news "$NEWS"
    if [[ "$NEWS" == failed:* ]] || ((SECONDS >= deadline)); then return 1; fi
    sleep 0.5
  done
  mark
  tell ready
}

check_alive() {
  if [[ -e "$ALIVE_MARK" ]]; then sleep "$PAUSE_SECONDS"; fi
  local deadline=$((SECONDS + POLL_FOR_SECONDS))
  until answers; do
    if ((SECONDS >= deadline)); then
      say "MySQL does not answer"
      return 1
    fi
    sleep 0.5
  done
  : >"$ALIVE_MARK"
}

main() {
  if is_marked; then check_alive; else check_ready; fi
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then main "$@"; fi
