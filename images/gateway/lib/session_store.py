#!/usr/bin/python3 -P
"""The store of the sessions that Apache's mod_session_dbd reads and writes: a table in SQLite.

`session_store.py make` makes it, or fails if what is there is of no use. Run as www-data, as Apache's children do.
"""

import contextlib
import sqlite3
import sys
import time

PATH = "/var/lib/gateway/sessions/sessions.db"


def make():
    with _connect() as store:
        # Readers go on while somebody logs in.
        store.execute("PRAGMA journal_mode = WAL")
        (answer,) = store.execute("PRAGMA quick_check(1)").fetchone()
        if answer != "ok":
            raise sqlite3.DatabaseError(answer)
        store.execute("CREATE TABLE IF NOT EXISTS session (key TEXT PRIMARY KEY, value TEXT, expiry INTEGER) WITHOUT ROWID")
        store.execute("CREATE INDEX IF NOT EXISTS session_by_expiry ON session (expiry)")
    purge()


def purge():
    """Removes sessions that have ended; Apache only stops reading them. Their times are microseconds."""
    with _connect() as store:
        store.execute("DELETE FROM session WHERE expiry < ?", (int(time.time() * 1e6),))


def prove():
    """Raises sqlite3.Error unless a session can be written."""
    with _connect() as store:
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO session VALUES ('proof', '', 0)")
        store.execute("ROLLBACK")


@contextlib.contextmanager
def _connect():
    store = sqlite3.connect(PATH, timeout=5, isolation_level=None)
    try:
        yield store
    finally:
        store.close()


if __name__ == "__main__":
    {"make": make, "prove": prove}[sys.argv[1]]()
