"""The shared half of the health checks: two phases and their pace.

Phase one, until `<data volume>/.ready` holds exactly $SPEC_HASH: the whole job, neighbours included. Phase two: only
what restarting this container would mend, so that no container is restarted by a neighbour's failure.

Docker 20.10 knows one interval for both, so the check paces itself: the service asks every 2 s, phase one polls inside
and ends within a second of readiness, phase two sleeps before it looks again.
"""

import json
import os
import sys
import time

RUN_DIR = "/run/icinga-swarm"
STARTED = f"{RUN_DIR}/started"
ALIVE = f"{RUN_DIR}/alive"
LAST_LINE = f"{RUN_DIR}/last-line"
LOG = "/proc/1/fd/1"

POLL_SECONDS = 0.7
POLL_FOR_SECONDS = 20
PAUSE_SECONDS = 15
REPEAT_SECONDS = 30


class Waiting(Exception):
    """Not yet; the text says what is waited for and why. In phase two: not alive, and why."""


class Failed(Exception):
    """Waiting will not mend it; the text says the cause and what to do."""


def check(data_volume, ready, alive):
    """Runs one check and returns the exit code that Docker wants.

    ready and alive return nothing when all is well and raise Waiting or Failed otherwise.
    """
    if _is_marked(data_volume):
        return _check_alive(alive)
    return _check_ready(data_volume, ready)


def write_atomically(path, text):
    """All of the text or nothing, also when killed."""
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _is_marked(data_volume):
    try:
        with open(f"{data_volume}/.ready", encoding="utf-8") as file:
            return file.read() == os.environ.get("SPEC_HASH", "")
    except OSError:
        return False


def _check_ready(data_volume, ready):
    deadline = time.monotonic() + POLL_FOR_SECONDS
    while True:
        # Before that the init script itself says what it waits for.
        if os.path.exists(STARTED):
            try:
                ready()
            except Waiting as reason:
                _say_if_news(f"waiting: {reason}")
            except Failed as cause:
                _say_if_news(f"failed: {cause}")
                return 1
            else:
                write_atomically(f"{data_volume}/.ready", os.environ.get("SPEC_HASH", ""))
                _touch(ALIVE)
                _say("ready")
                return 0
        if time.monotonic() > deadline:
            return 1
        time.sleep(POLL_SECONDS)


def _check_alive(alive):
    if os.path.exists(ALIVE):
        time.sleep(PAUSE_SECONDS)
    deadline = time.monotonic() + POLL_FOR_SECONDS
    while True:
        try:
            alive()
        except (Waiting, Failed) as reason:
            if time.monotonic() > deadline:
                if not os.path.exists(STARTED):
                    # The init script waits for somebody else; a restart would only begin the same wait again.
                    return 0
                print(reason)
                return 1
            time.sleep(POLL_SECONDS)
        else:
            _touch(ALIVE)
            return 0


def _say_if_news(line):
    """Says a line when it changes, and every 30 s; checks are short-lived, so the last line is kept in a file."""
    line = " ".join(line.split())
    try:
        with open(LAST_LINE, encoding="utf-8") as file:
            last = json.load(file)
        if last["line"] == line and time.monotonic() - last["at"] < REPEAT_SECONDS:
            return
    except (OSError, ValueError, KeyError):
        pass
    write_atomically(LAST_LINE, json.dumps({"line": line, "at": time.monotonic()}))
    _say(line)


def _say(line):
    """Into the container's own log; what a health check prints is only shown by `docker inspect`."""
    print(line)
    try:
        with open(LOG, "w", encoding="utf-8") as log:
            log.write(line + "\n")
    except OSError as error:
        print(f"cannot write to the container's log: {error}", file=sys.stderr)


def _touch(path):
    with open(path, "w", encoding="utf-8"):
        pass
