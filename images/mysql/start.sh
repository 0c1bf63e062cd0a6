#!/usr/bin/env bash
# Starts the official MySQL image (the service's entrypoint). That image alone initialises a volume once, takes any directory
# for a finished initialisation, never asserts a password again, and leaves root's in the server's environment. So here:
# - the image's own first start runs with a password nobody keeps, and is repeated from nothing if it was cut short;
# - every start asserts databases, users, passwords and rights from the secrets, before the server answers anybody.
set -euo pipefail

readonly DATA_DIR=/var/lib/mysql
readonly SECRETS_DIR=/run/secrets
# Of this run of the container only: what the health check remembers.
readonly RUN_DIR=/run/icinga-swarm
# A pipe into the container's log for the health check: PID 1 will be mysqld's, whose /proc/1/fd/1 not even root may open.
readonly LOG_PIPE=$RUN_DIR/log
# The one place that is memory in every container: passwords must not reach the container's own layer on the host's disk.
readonly PRIVATE_DIR=/dev/shm/icinga-swarm
# What init.sh runs, as the user mysql.
readonly APPLICATIONS_SQL=$PRIVATE_DIR/applications.sql
# There from before the first start until all of it is done. (mysqld takes a directory with only dot files for empty.)
readonly INITIALISING=$DATA_DIR/.icinga-swarm-initialising

# Each has a database of its own name and no right outside it.
readonly APPLICATIONS=(icinga thruk grafana)
# What programs that make and upgrade their own tables need; no EVENT, no GRANT OPTION, nothing global.
readonly RIGHTS="SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, LOCK TABLES, CREATE TEMPORARY TABLES, \
CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, TRIGGER"

readonly SERVER_OPTIONS=(
  # Nobody replicates from here, and 30 days of binary logs of Icinga's updates would fill the disk.
  --disable-log-bin
  # The X protocol listens on a port of its own that nobody uses.
  --mysqlx=OFF
)

say() { printf '%s\n' "$*"; }

# failed <cause, and what to do>: for what waiting will not mend.
failed() {
  say "failed: $*"
  exit 1
}

# secret <name>: its value, without the line end that editors leave.
secret() { printf '%s' "$(<"$SECRETS_DIR/$1")"; }

# The two ways in which MySQL reads a quoted string: in SQL, and in an option file.
sql_string() {
  local value=$1
  value=${value//\\/\\\\}
  value=${value//\'/\\\'}
  printf "'%s'" "${value//$'\n'/\\n}"
}
option_string() {
  local value=$1
  value=${value//\\/\\\\}
  value=${value//\"/\\\"}
  printf '"%s"' "${value//$'\n'/\\n}"
}

# option_file <user> <password>: for --defaults-extra-file=<(...), so that no password is on a command line.
option_file() { printf '[client]\nuser=%s\npassword=%s\n' "$1" "$(option_string "$2")"; }

# One statement a line, as --init-file wants it; all may be run any number of times.
applications_sql() {
  local name password
  for name in "${APPLICATIONS[@]}"; do
    password=$(sql_string "$(secret "mysql-$name-password")")
    say "CREATE DATABASE IF NOT EXISTS \`$name\`;"
    say "CREATE USER IF NOT EXISTS '$name'@'%' IDENTIFIED BY $password;"
    say "ALTER USER '$name'@'%' IDENTIFIED BY $password ACCOUNT UNLOCK;"
    say "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '$name'@'%';"
    say "GRANT $RIGHTS ON \`$name\`.* TO '$name'@'%';"
  done
}
root_sql() {
  local password
  password=$(sql_string "$(secret mysql-root-password)")
  say "CREATE USER IF NOT EXISTS 'root'@'localhost' IDENTIFIED BY $password;"
  say "ALTER USER 'root'@'localhost' IDENTIFIED BY $password ACCOUNT UNLOCK;"
  say "GRANT ALL PRIVILEGES ON *.* TO 'root'@'localhost' WITH GRANT OPTION;"
  say "DROP USER IF EXISTS 'root'@'%';"
}

require_secrets() {
  local name missing=()
  for name in root "${APPLICATIONS[@]}"; do
    [[ -s "$SECRETS_DIR/mysql-$name-password" ]] || missing+=("mysql-$name-password")
  done
  ((${#missing[@]} == 0)) || failed "no secret in $SECRETS_DIR for ${missing[*]}: the service must mount them"
}

prepare_directories() {
  rm -rf "$RUN_DIR" "$PRIVATE_DIR"
  install -d -m 0755 "$RUN_DIR"
  install -d -m 0700 -o mysql -g mysql "$PRIVATE_DIR"
}

# Lives as long as the container. Opened for writing too, so that it never sees an end.
open_log_pipe() {
  mkfifo -m 0600 "$LOG_PIPE"
  cat <>"$LOG_PIPE" &
}

# The mark says that all there is comes from a first start of ours that never ended: nothing in it is anybody's data.
discard_unfinished() {
  if [[ -e "$INITIALISING" ]]; then
    say "an earlier first start was cut short: starting over"
    find "$DATA_DIR" -mindepth 1 ! -path "$INITIALISING" -delete
  fi
}

is_empty() {
  local entries
  entries=$(find "$DATA_DIR" -mindepth 1 -maxdepth 1 ! -name '.*' ! -name lost+found)
  [[ -z "$entries" ]]
}

# is_server <pid>: the entrypoint has become the server. Until then, a server that answers is its temporary one.
is_server() {
  local command
  read -r command <"/proc/$1/comm" && [[ "$command" == mysqld ]]
} 2>/dev/null

answers() { mysqladmin --protocol=socket --connect-timeout=5 --silent ping >/dev/null 2>&1; }

# The image's own first start, with our init script. Its server ends here: the password is in its environment.
first_start() {
  local entrypoint status=0
  rm -f "$DATA_DIR/.ready"
  : >"$INITIALISING"
  sync "$INITIALISING" "$DATA_DIR"
  head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' >"$PRIVATE_DIR/first-root-password"

  env -u MYSQL_ROOT_PASSWORD MYSQL_ROOT_PASSWORD_FILE="$PRIVATE_DIR/first-root-password" MYSQL_ROOT_HOST=localhost \
    docker-entrypoint.sh mysqld "${SERVER_OPTIONS[@]}" --skip-networking &
  entrypoint=$!
  # PID 1 without a trap ignores SIGTERM. Whatever is unfinished then is done anew at the next start.
  trap 'kill -TERM "$entrypoint" 2>/dev/null; wait "$entrypoint"; exit 143' TERM INT
  until [[ ! -e "$INITIALISING" ]] && is_server "$entrypoint" && answers; do
    kill -0 "$entrypoint" 2>/dev/null || break
    sleep 0.2
  done
  kill -TERM "$entrypoint" 2>/dev/null || true
  wait "$entrypoint" || status=$?
  trap - TERM INT
  rm -f "$PRIVATE_DIR/first-root-password"
  [[ ! -e "$INITIALISING" ]] || failed "MySQL's first start ended early (exit code $status): see the lines above"
}

# By root, who alone may read the secrets.
write_statements() {
  install -m 0400 -o mysql -g mysql <(applications_sql) "$APPLICATIONS_SQL"
  install -m 0400 -o mysql -g mysql <(root_sql && applications_sql) "$PRIVATE_DIR/assert.sql"
}

main() {
  require_secrets
  prepare_directories
  open_log_pipe
  write_statements
  discard_unfinished
  if is_empty; then
    first_start
  elif [[ ! -d "$DATA_DIR/mysql" ]]; then
    failed "the volume at $DATA_DIR holds files but no MySQL data: empty it, or give the service its right volume"
  fi
  rm -f "$APPLICATIONS_SQL"
  exec env -u MYSQL_ROOT_PASSWORD -u MYSQL_ROOT_PASSWORD_FILE \
    docker-entrypoint.sh mysqld "${SERVER_OPTIONS[@]}" --init-file="$PRIVATE_DIR/assert.sql"
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then main "$@"; fi
