"""The event log in SQLite: the table of docs/architecture.md, and a position that numbers all commits in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apsw

from workflows.clock import Clock
from workflows.event_store.change_feed import FeedEntry, Listeners
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History, NewCommit
from workflows.event_store.event_log import ChainedEventLog, Place, StreamUnavailable
from workflows.hub.hub import wait
from workflows.sqlite.database import Database, DatabaseUnavailable
from workflows.sqlite.recent import Recent

# One writer commits in the order of positions, so a reader that sees a position sees all positions before it.
_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    pk TEXT NOT NULL, sk INTEGER NOT NULL, k TEXT NOT NULL, ts TEXT NOT NULL, h BLOB NOT NULL, ev TEXT NOT NULL,
    UNIQUE (pk, sk)
) STRICT
"""
_COLUMNS = "pk, sk, k, ts, h, ev"
_SCAN_COMMITS = 100  # in memory and in one snapshot; a long snapshot would keep SQLite from reusing the WAL


class SqliteEventLog(ChainedEventLog):
    """With a read-only ``Database`` it reads the log of a running engine."""

    def __init__(self, database: Database, codec: Codec, clock: Clock, *, recent: Recent | None = None) -> None:
        """``recent`` keeps the histories used last, for calls on the hub of the database."""
        super().__init__(codec, clock)
        self._database = database
        self._recent = recent
        self._listeners = Listeners()
        if not database.read_only:
            database.write(lambda connection: connection.execute(_TABLE).close())

    def load(self, stream: str) -> History:
        recent = self._recent_on_hub()
        history = recent.find(stream) if recent is not None else None
        if history is None:
            history = super().load(stream)
            if recent is not None:
                recent.keep(history)
        return history

    def append(self, history: History, new: NewCommit) -> History:
        after = super().append(history, new)
        recent = self._recent_on_hub()
        if recent is not None:
            recent.keep(after)
        return after

    def _recent_on_hub(self) -> Recent | None:
        """The kept histories, if they may be used: on the hub's thread, and emptied if another process wrote."""
        if self._recent is None or not self._database.is_on_hub:
            return None
        if self._database.others_wrote():
            self._recent.clear()
        return self._recent

    def read(self, stream: str) -> Iterable[Commit]:
        return self._commits(stream, f"SELECT {_COLUMNS} FROM events WHERE pk = ? ORDER BY sk", (stream,))

    def scan(self, after: Place | None = None) -> Iterator[Commit]:
        sql = f"SELECT {_COLUMNS} FROM events WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT {_SCAN_COMMITS}"
        pk, sk = after or ("", 0)
        while commits := self._commits("the log", sql, (pk, sk)):
            yield from commits
            pk, sk = commits[-1].pk, commits[-1].sk

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        sql = f"SELECT position, {_COLUMNS} FROM events WHERE position > ? ORDER BY position LIMIT ?"
        return [FeedEntry(row[0], Commit(*row[1:])) for row in self._rows("the log", sql, (after or 0, limit))]

    def on_change(self, notify: Callable[[], None]) -> None:
        self._listeners.add(notify)

    def _insert(self, commit: Commit) -> Commit | None:
        try:
            inserted = self._database.submit(lambda connection: _insert(connection, commit))
            if (recent := self._recent) is not None:
                inserted.add_done_callback(lambda _: recent.appended(commit))
            stored = wait(inserted)
        except DatabaseUnavailable as error:
            raise StreamUnavailable(commit.pk, str(error)) from error
        if stored is None:
            self._listeners.notify()
        return stored

    def _commits(self, stream: str, sql: str, values: tuple[str | int, ...]) -> list[Commit]:
        return [Commit(*row) for row in self._rows(stream, sql, values)]

    def _rows(self, stream: str, sql: str, values: tuple[str | int, ...]) -> list[tuple[Any, ...]]:
        """Read rows. A STRICT table enforces the column types."""
        try:
            return self._database.read(lambda connection: connection.execute(sql, values).fetchall())
        except (DatabaseUnavailable, apsw.BusyError) as error:
            raise StreamUnavailable(stream, str(error)) from error


def _insert(connection: apsw.Connection, commit: Commit) -> Commit | None:
    values = (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)
    connection.execute(f"INSERT OR IGNORE INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)
    if connection.changes():
        return None
    stored = f"SELECT {_COLUMNS} FROM events WHERE pk = ? AND sk = ?"
    row: tuple[Any, ...] = connection.execute(stored, (commit.pk, commit.sk)).fetchall()[0]
    return Commit(*row)
