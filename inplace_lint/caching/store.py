"""A bounded file of texts by key, which any number of processes may use at a time.

SQLite keeps it whole through crashes and concurrent writers. Whatever is wrong with it (no place, no permission, not a database,
another version's tables) costs the cache and nothing else: runs go on without.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path

MOST_BYTES = 128_000_000
"""How large the file may grow; past it the older half of the entries goes."""
WAIT = 10.0
"""Seconds to wait for another process that is writing."""
DAY = 86_400
"""Seconds; an entry's last use is noted once in so many."""

_NAME = "reports.db"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, used INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID"
)
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# This folder is a cache of inplace-lint's; `inplace-lint clean` removes it.\n"
)


class Store:
    """The entries in a folder. ``trouble`` says what is wrong with it, where something is."""

    def __init__(self, folder: str | Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = Path(folder)
        self._most = most_bytes
        self.trouble: str | None = None

    def read(self, keys: Iterable[str]) -> dict[str, bytes]:
        """The entries of those keys, as far as they are there."""
        found: dict[str, bytes] = {}

        def look(database: sqlite3.Connection) -> None:
            stale: list[str] = []
            now = int(time.time())
            for key in keys:
                row = database.execute("SELECT used, data FROM entries WHERE key = ?", (key,)).fetchone()
                if row is not None and isinstance(row[1], bytes):
                    found[key] = row[1]
                    if now - row[0] > DAY:
                        stale.append(key)
            if stale:
                with suppress(sqlite3.OperationalError), database:  # a folder that can only be read is still of use
                    database.executemany("UPDATE entries SET used = ? WHERE key = ?", [(now, key) for key in stale])

        if (self._folder / _NAME).exists():
            self._use(look)
        return found

    def write(self, entries: Mapping[str, bytes]) -> None:
        """Adds entries, all of them or none, and drops the oldest ones where they have become too many."""
        if not entries:
            return
        try:
            self._make_folder()
        except OSError as error:
            self.trouble = f"{self._folder}: {error.strerror or error}"
            return
        now = int(time.time())
        rows = [(key, now, data) for key, data in entries.items()]

        def add(database: sqlite3.Connection) -> None:
            with database:
                database.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
                self._bound(database)

        self._use(add)

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("CACHEDIR.TAG", _TAG), (".gitignore", "# made by inplace-lint\n*\n")):
            if not (self._folder / name).exists():
                (self._folder / name).write_text(text, encoding="utf-8")

    def _bound(self, database: sqlite3.Connection) -> None:
        (size,) = database.execute("SELECT COALESCE(SUM(LENGTH(data)), 0) FROM entries").fetchone()
        if size <= self._most:
            return
        for key, length in database.execute("SELECT key, LENGTH(data) FROM entries ORDER BY used, key").fetchall():
            if size <= self._most // 2:
                break
            database.execute("DELETE FROM entries WHERE key = ?", (key,))
            size -= length

    def _use(self, work: Callable[[sqlite3.Connection], None]) -> None:
        path = self._folder / _NAME
        try:
            with closing(sqlite3.connect(path, timeout=WAIT)) as database:
                database.execute(_TABLE)
                work(database)
        except sqlite3.OperationalError as error:
            self.trouble = f"{path}: {error}"
        except sqlite3.DatabaseError as error:
            # It is no database, or a broken one; whatever it was, it is made anew from nothing.
            self.trouble = f"{path}: {error}; it is made anew"
            with suppress(OSError):
                os.unlink(path)
