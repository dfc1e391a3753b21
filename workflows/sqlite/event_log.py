"""The event log in SQLite: the table of docs/architecture.md, and a position that numbers all commits in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import apsw

from workflows.clock import Clock
from workflows.event_store.change_feed import CommitListener, FeedEntry, Listeners
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken, Commit, History, NewCommit, StoredRow, UnreadableRow
from workflows.event_store.event_log import ChainedEventLog, Place, Share, StreamUnavailable, shares_by_name
from workflows.event_store.segments import Archived, OrderAge, whole_commit, with_contents
from workflows.hub.hub import wait
from workflows.sqlite.archive import ARCHIVE, SegmentFolder
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
_TYPES = {"pk": "text", "sk": "integer", "k": "text", "ts": "text", "h": "blob", "ev": "text"}

# A program that writes to the file may replace the table by one that is not STRICT, and may store text that is not
# UTF-8. So every column is read as the bytes that are stored, with its type.
_RAW = ", ".join(f"typeof({name}), CAST({name} AS BLOB)" for name in _TYPES)
_INSIDE = "typeof(pk) IS 'text' AND typeof(sk) IS 'integer'"

_Values: TypeAlias = tuple[str | bytes | int, ...]

_AGES = """
SELECT pk, max(ts), min(substr(ev, 1, 1) = '@') FROM events WHERE pk > ? AND pk < 'order$'
GROUP BY pk ORDER BY pk LIMIT ?
"""
_FIRST_ORDER = "order#"
_AGES_AT_ONCE = 500

_SAMPLE_A_SHARE = 32  # stream names read to divide the log: shares of nearly equal size
_PAGE = 100  # rows in memory and in one snapshot; a long snapshot would keep SQLite from reusing the WAL


class SqliteEventLog(ChainedEventLog):
    """With a read-only ``Database`` it reads the log of a running engine."""

    def __init__(self, database: Database, codec: Codec, clock: Clock, *, recent: Recent | None = None) -> None:
        """``recent`` keeps the histories used last, for calls on the hub of the database."""
        super().__init__(codec, clock)
        self._database = database
        self._recent = recent
        self._foreign_writes = 0
        self._listeners = Listeners()
        self.segments = SegmentFolder(database.path.parent / ARCHIVE)
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
        recent = self._recent_on_hub() if isinstance(history, History) else None
        emptied = recent.emptied if recent is not None and recent.find(history.stream) is history else None
        after = super().append(history, new)
        recent = self._recent_on_hub()
        if recent is not None and recent.emptied == emptied:  # otherwise it may hold what a destroyed key decrypted
            recent.keep(after)
        return after

    def _recent_on_hub(self) -> Recent | None:
        """The kept histories, if they may be used: on the hub's thread, and emptied if another process wrote."""
        if self._recent is None or (foreign := self._database.foreign_writes()) is None:
            return None
        if foreign != self._foreign_writes:
            self._recent.clear()
            self._foreign_writes = foreign
        return self._recent

    def read(self, stream: str) -> Iterable[StoredRow]:
        return [each.row for each in self._placed(stream, "WHERE pk = ? ORDER BY sk, position", (stream,))]

    def rows(self) -> Iterator[StoredRow]:
        yield from (each.row for each in self._placed("the log", f"WHERE NOT ({_INSIDE}) ORDER BY position", ()))
        yield from self._inside(None, None)

    def scan(
        self, after: Place | None = None, share: Share | None = None, *, contents: bool = True
    ) -> Iterator[Commit]:
        """``contents`` changes nothing here: the segments are on the same machine."""
        return (row for row in self._inside(after, share) if isinstance(row, Commit))

    def shares(self, count: int) -> list[Share]:
        newest: int = self._select("the log", "SELECT coalesce(max(position), 0) FROM events", ())[0][0]
        size = count * _SAMPLE_A_SHARE
        positions = {newest * number // size for number in range(1, size + 1)}
        marks = ", ".join(map(str, positions))
        sample = self._select("the log", f"SELECT pk FROM events WHERE position IN ({marks}) AND {_INSIDE}", ())
        return shares_by_name((pk for (pk,) in sample), count)

    def changes(self, after: int | None, limit: int) -> list[FeedEntry]:
        entries, read_to, room = list[FeedEntry](), after or 0, limit
        while room > 0:  # unreadable rows are left out, and a short page must mean the end of the log
            page = self._placed("the log", "WHERE position > ? ORDER BY position LIMIT ?", (read_to, room))
            entries += [FeedEntry(each.position, each.row) for each in page if isinstance(each.row, Commit)]
            if len(page) < room:
                break
            read_to, room = page[-1].position, limit - len(entries)
        return entries

    def newest(self) -> int:
        return int(self._select("the log", "SELECT coalesce(max(position), 0) FROM events", ())[0][0])

    def on_commit(self, listener: CommitListener) -> None:
        self._listeners.add(listener)

    def ages(self, after: str | None = None) -> Iterator[OrderAge]:
        last = after or _FIRST_ORDER
        while True:
            page = self._select("the log", _AGES, (last, _AGES_AT_ONCE))
            yield from (OrderAge(stream, recorded_at, bool(archived)) for stream, recorded_at, archived in page)
            if len(page) < _AGES_AT_ONCE:
                return
            last = page[-1][0]

    def point(self, archived: Sequence[Archived]) -> None:
        """Replace contents by the names of their lines, in one transaction."""
        sql = "UPDATE events SET ev = ? WHERE pk = ? AND sk = ? AND h = ?"
        rows = [(pointer, commit.pk, commit.sk, commit.h) for commit, pointer in archived]
        try:
            self._database.write(lambda connection: connection.executemany(sql, rows).close())
        except DatabaseUnavailable as error:
            raise StreamUnavailable("the log", str(error)) from error

    def _insert(self, commit: Commit) -> Commit | None:
        def durable(stored: int | Commit) -> None:
            if self._recent is not None:
                self._recent.appended(commit)
            if isinstance(stored, int):
                self._listeners.notify(FeedEntry(stored, commit))

        try:
            stored = wait(self._database.submit(lambda connection: _insert(connection, commit), on_durable=durable))
        except DatabaseUnavailable as error:
            raise StreamUnavailable(commit.pk, str(error)) from error
        return None if isinstance(stored, int) else whole_commit(stored, self.segments)

    def _inside(self, after: Place | None, share: Share | None) -> Iterator[StoredRow]:
        """Yield the rows that have the place of a commit, page by page; those of the same place by their position."""
        order = f"ORDER BY pk, sk, position LIMIT {_PAGE}"
        _, _, first, before = share or Share(0, 1)
        values: _Values = after or (first,)
        behind = "(pk, sk) > (?, ?)" if after is not None else "pk >= ?"
        below, limits = ("AND pk < ?", (before,)) if before is not None else ("", ())
        while page := self._placed("the log", f"WHERE {_INSIDE} AND {behind} {below} {order}", (*values, *limits)):
            yield from (each.row for each in page)
            behind = "(pk, sk, position) > (CAST(? AS TEXT), ?, ?)"
            values = (page[-1].pk, page[-1].row.sk, page[-1].position)

    def _placed(self, stream: str, where: str, values: _Values) -> list[_Placed]:
        try:
            rows = self._select(stream, f"SELECT position, {_COLUMNS} FROM events {where}", values)
            return [_Placed(row[0], row[1], _commit(row[1:])) for row in rows]
        except (UnicodeDecodeError, _NoCommit):
            rows = self._select(stream, f"SELECT position, {_RAW} FROM events {where}", values)
            whole = with_contents((_stored_row(*row) for row in rows), self.segments)
            return [_Placed(row[0], row[2] or b"", each) for row, each in zip(rows, whole, strict=True)]

    def _select(self, stream: str, sql: str, values: _Values) -> list[tuple[Any, ...]]:
        try:
            return self._database.read(lambda connection: connection.execute(sql, values).fetchall())
        except (DatabaseUnavailable, apsw.BusyError) as error:
            raise StreamUnavailable(stream, str(error)) from error


def newest_row(connection: apsw.Connection, stream: str) -> StoredRow | None:
    """Return the last row of a stream as it is stored: its content may be the name of a line in the archive."""
    return _row(connection, "pk = ? ORDER BY sk DESC, position DESC LIMIT 1", (stream,))


class _Placed(NamedTuple):
    """A row with its position, and its ``pk`` as stored: bytes if a row of its page is no commit."""

    position: int
    pk: str | bytes
    row: StoredRow


class _NoCommit(Exception):
    """A row has a column of another type, or its content is in the archive."""


def _commit(row: tuple[Any, ...]) -> Commit:
    pk, sk, k, ts, h, ev = row
    if type(sk) is int and type(h) is bytes and type(pk) is type(k) is type(ts) is type(ev) is str and ev[:1] != "@":
        return Commit(pk, sk, k, ts, h, ev)
    raise _NoCommit


def _stored_row(position: int, *pairs: Any) -> StoredRow:
    """Build a commit from the stored types and bytes, or name the columns that a commit does not have so."""
    columns = dict(zip(_TYPES, zip(pairs[::2], pairs[1::2], strict=True), strict=True))
    texts, problems = {}, []
    for name, (kind, content) in columns.items():
        texts[name] = (content or b"").decode(errors="backslashreplace")
        if kind != _TYPES[name]:
            problems.append(f"{name} is {'missing' if kind == 'null' else f'of type {kind}'}")
        elif kind == "text" and texts[name].encode() != content:
            problems.append(f"{name} is not text in UTF-8")
    in_stream = columns["pk"][0] == "text"
    sk = int(texts["sk"]) if columns["sk"][0] == "integer" else 0
    if problems:
        pk = texts["pk"] if in_stream else f"row {position}"
        return UnreadableRow(pk, sk, f"is not a commit: {', '.join(problems)}")
    return Commit(texts["pk"], sk, texts["k"], texts["ts"], columns["h"][1], texts["ev"])


def _row(connection: apsw.Connection, where: str, values: _Values) -> StoredRow | None:
    rows: list[tuple[Any, ...]] = connection.execute(
        f"SELECT position, {_RAW} FROM events WHERE {where}", values
    ).fetchall()
    return _stored_row(*rows[0]) if rows else None


def _insert(connection: apsw.Connection, commit: Commit) -> int | Commit:
    """Return the position of the inserted commit, or the commit that is stored in its place."""
    values = (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)
    connection.execute(f"INSERT OR IGNORE INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", values)
    if connection.changes():
        return connection.last_insert_rowid()
    row = _row(connection, "pk = ? AND sk = ?", (commit.pk, commit.sk))
    if not isinstance(row, Commit):
        raise ChainBroken(commit.pk, commit.sk, row.problem if row else "cannot be read")
    return row
