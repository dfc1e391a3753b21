"""The event log in SQLite: the table of section "The log", and a position that numbers commits in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apsw

from workflows.clock import Clock
from workflows.event_store.change_feed import Change, Doorbell
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit
from workflows.event_store.event_log import ChainedEventLog, Place, StreamUnavailable
from workflows.sqlite.database import Database, DatabaseUnavailable

# One writer commits in the order of positions, so a reader that has seen a position has seen all before it.
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    pk TEXT NOT NULL, sk INTEGER NOT NULL, k TEXT NOT NULL, ts TEXT NOT NULL, h BLOB NOT NULL, ev TEXT NOT NULL,
    UNIQUE (pk, sk)
) STRICT
"""
_COLUMNS = "pk, sk, k, ts, h, ev"
_SCAN_COMMITS = 100  # in memory, and in one snapshot: a long one would keep the WAL from being cut


class SqliteEventLog(ChainedEventLog):
    """Give it a read-only ``Database`` to look at the log of a running engine."""

    def __init__(self, database: Database, codec: Codec, clock: Clock) -> None:
        super().__init__(codec, clock)
        self._database = database
        self._bell = Doorbell()
        if not database.read_only:
            database.write(lambda connection: connection.execute(_TABLE).close())

    def scan(self, after: Place | None = None) -> Iterator[Commit]:
        sql = f"SELECT {_COLUMNS} FROM events WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT {_SCAN_COMMITS}"
        pk, sk = after or ("", 0)
        while commits := self._commits("the log", sql, (pk, sk)):
            yield from commits
            pk, sk = commits[-1].pk, commits[-1].sk

    def changes(self, after: int | None, limit: int) -> list[Change]:
        sql = f"SELECT position, {_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?"
        return [Change(row[0], Commit(*row[1:])) for row in self._rows("the log", sql, (after or 0, limit))]

    def on_change(self, ring: Callable[[], None]) -> None:
        self._bell.add(ring)

    def _read(self, stream: str, *, through: int | None) -> Iterable[Commit]:
        upto = "" if through is None else f" AND sk <= {through:d}"
        return self._commits(stream, f"SELECT {_COLUMNS} FROM events WHERE pk = ?{upto} ORDER BY sk", (stream,))

    def _insert(self, commit: Commit) -> Commit | None:
        try:
            stored = self._database.write(lambda connection: _insert(connection, commit))
        except DatabaseUnavailable as error:
            raise StreamUnavailable(commit.pk, str(error)) from error
        if stored is None:
            self._bell.ring()
        return stored

    def _commits(self, stream: str, sql: str, values: tuple[str | int, ...]) -> list[Commit]:
        return [Commit(*row) for row in self._rows(stream, sql, values)]

    def _rows(self, stream: str, sql: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        """A STRICT table has the types it says."""
        try:
            return self._database.read(lambda connection: connection.execute(sql, values).fetchall())
        except (DatabaseUnavailable, apsw.BusyError) as error:
            raise StreamUnavailable(stream, str(error)) from error


def _insert(connection: apsw.Connection, commit: Commit) -> Commit | None:
    values = (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)
    connection.execute(f"INSERT OR IGNORE INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)
    if connection.changes():
        return None
    found = f"SELECT {_COLUMNS} FROM events WHERE pk = ? AND sk = ?"
    row: tuple[Any, ...] = connection.execute(found, (commit.pk, commit.sk)).fetchall()[0]
    return Commit(*row)
