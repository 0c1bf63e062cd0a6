# shellcheck shell=bash
# The shared half of the init scripts. An init script is PID 1 until it executes supervisord: it sources this file, does
# its steps, and ends with start_supervisord. Everything here may be killed at any point and run again.

# What belongs to this run of the container only; never a volume.
readonly RUN_DIR=/run/icinga-swarm
readonly SECRETS_DIR=/run/secrets
readonly REPEAT_WAITING_SECONDS=30

# Lines that the readiness gate and operators read. Never give them a secret.
say() { printf '%s\n' "$*"; }

# failed <cause, and what to do>: for what waiting will not mend. Ends the container.
failed() {
  printf 'failed: %s\n' "$*"
  exit 1
}

# What is being waited for: said when it changes, and every 30 s so that a short tail of the log shows it.
_waiting_reason=""
_waiting_said_at=0
waiting() {
  if [[ "$*" != "$_waiting_reason" ]] || ((SECONDS - _waiting_said_at >= REPEAT_WAITING_SECONDS)); then
    _waiting_reason=$*
    _waiting_said_at=$SECONDS
    printf 'waiting: %s\n' "$*"
  fi
}

# wait_until <function>: calls it until it succeeds. It puts into REASON what it waits for.
wait_until() {
  REASON="$1"
  until "$1"; do
    waiting "$REASON"
    interruptibly sleep 0.5
  done
}

# interruptibly <command...>: bash runs a trap only between commands, but `wait` ends at once. For all that may take long.
interruptibly() {
  "$@" <&0 &
  wait "$!"
}

# Must be called first: makes the script end at SIGTERM, and forgets what an earlier run of this container left.
begin() {
  trap 'exit 143' TERM INT
  umask 022
  rm -rf "$RUN_DIR"
  install -d -m 755 "$RUN_DIR"
}

# need_environment <name>...: all that are missing, at once.
need_environment() {
  local name missing=()
  for name in "$@"; do
    [[ -n "${!name:-}" ]] || missing+=("$name")
  done
  ((${#missing[@]} == 0)) || failed "the environment lacks ${missing[*]}: the service must set them"
}

# need_secrets <name>...: all that are missing or empty, at once.
need_secrets() {
  local name missing=()
  for name in "$@"; do
    [[ -s "$SECRETS_DIR/$name" ]] || missing+=("$name")
  done
  ((${#missing[@]} == 0)) || failed "no secret in $SECRETS_DIR for ${missing[*]}: the service must mount them"
}

# secret <name>: its value, without the line end that editors leave.
secret() { printf '%s' "$(<"$SECRETS_DIR/$1")"; }

# write_file <path> <owner:group> <mode>: standard input becomes the file, all of it or nothing.
write_file() {
  local path=$1 owner=$2 mode=$3 temporary
  temporary=$(mktemp "$path.XXXXXX")
  cat >"$temporary"
  chown "$owner" "$temporary"
  chmod "$mode" "$temporary"
  mv -f "$temporary" "$path"
}

# Those of a pair are the same. With a passphrase a key is of no use here, so openssl must not wait for one.
public_key_of_certificate() { openssl x509 -in "$1" -noout -pubkey 2>/dev/null; }
public_key_of_key() { openssl pkey -in "$1" -pubout 2>/dev/null </dev/null; }

# is_ready <data volume>: this data has been ready once with exactly this spec, so the start need not wait for neighbours.
is_ready() {
  [[ -n "${SPEC_HASH:-}" && -f "$1/.ready" && "$(<"$1/.ready")" == "$SPEC_HASH" ]]
}

# as_user <user> <command...>: without a login, a shell or root's groups.
as_user() {
  local user=$1
  shift
  setpriv --reuid "$user" --regid "$user" --init-groups -- "$@"
}

# NRPE takes one comma-separated list; the operator may give commas or spaces.
render_nrpe() {
  local extra=${NRPE_ALLOWED_HOSTS:-}
  install -d -o nagios -g nagios -m 755 /run/nagios
  extra=$(tr -s ', ' ',,' <<<"$extra")
  extra=${extra#,}
  extra=${extra%,}
  write_file /etc/nagios/nrpe.d/allowed-hosts.cfg root:nagios 644 <<<"allowed_hosts=127.0.0.1${extra:+,$extra}"
}

# Must be called last: from here on the health check speaks, and supervisord is PID 1.
start_supervisord() {
  render_nrpe
  trap - TERM INT
  : >"$RUN_DIR/started"
  exec /usr/local/bin/supervise
}
