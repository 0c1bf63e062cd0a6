# shellcheck shell=bash
# What the init scripts of master and slaves have in common, on top of init.sh.

readonly DATA=/var/lib/icinga2
readonly CERTS=$DATA/certs

# Debian's service file makes these; in a container nobody does.
prepare_run_directories() {
  install -d -o nagios -g nagios -m 755 /run/icinga2
  install -d -o nagios -g www-data -m 2750 /run/icinga2/cmd
}

# has_certificate <endpoint>: signed by the stack's CA, valid now, and with its own key. Not "is the file there": a
# refused request and a killed start leave files too.
has_certificate() {
  openssl verify -CAfile "$CERTS/ca.crt" "$CERTS/$1.crt" &>/dev/null &&
    [[ "$(public_key_of_certificate "$CERTS/$1.crt")" == "$(public_key_of_key "$CERTS/$1.key")" ]]
}

# quoted <text>: as a string of Icinga's configuration language.
quoted() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$text"
}

# A container may start while the one of before still runs, for some seconds: of a service that is made anew, on a node that was
# away or lost its label, and where one takes more than a minute to end, Swarm does not wait. The Icinga that ends last then
# moves the other's replay log away, under a time at which nobody will look for it. So the volume is one container's as long as
# its PID 1 lives: supervisord keeps file 3 open, and its children do not get it.
own_data() {
  : >>"$DATA/.owned" || failed "the volume of $DATA cannot be written to; mend it on this node"
  exec 3>>"$DATA/.owned"
  wait_until owns_data
}

# shellcheck disable=SC2034 # wait_until says the reason.
owns_data() {
  local code=0 error
  REASON="the container that still uses the volume of $DATA to end; on this node, docker ps shows it"
  error=$(flock --nonblock 3 2>&1) || code=$?
  ((code <= 1)) || failed "the volume of $DATA cannot be locked ($error), so that two containers might use it: give the node a disk that can"
  return "$code"
}

# Icinga reads a file of its replay log up to the first message that is not whole, which is what a power cut may leave, and
# would go on to write behind it. So each start has a new one. Icinga names those that are full by a time after all in it.
close_replay_log() {
  local log=$DATA/api/log end
  [[ -s $log/current ]] || return 0
  end=$(($(stat --format %Y "$log/current") + 1))
  while [[ -e $log/$end ]]; do end=$((end + 1)); done
  mv "$log/current" "$log/$end"
}

readonly VALIDATION=$RUN_DIR/validation

# Icinga's own judgement. Of a large configuration it costs as much as the start itself, so only the first start of a spec
# asks for it.
is_valid_configuration() { interruptibly as_user nagios icinga2 daemon --validate >"$VALIDATION" 2>&1; }

# Ends the container with one line that names the place of what the last validation refused.
refuse_configuration() {
  cat "$VALIDATION"
  failed "Icinga refuses its configuration: $(configuration_error <"$VALIDATION")"
}

configuration_error() {
  awk '/ critical\// && !error { sub(/^\[[^]]*\] */, ""); error = $0 }
       /^Location:/ && !place { place = $0 }
       END { print error (place ? " " place : "") }'
}
