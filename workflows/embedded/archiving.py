"""Move the content of orders that ended long ago out of the database, into segments of the archive.

1. Orders whose last commit is old enough are loaded, which verifies their chains. One that is open or owes something
   stays.
2. A segment is written to the disk and read back.
3. One transaction replaces the contents in the table by the names of their lines.

A process that is killed before 3 leaves a segment that nothing names; the next run replaces it. Nothing is removed
before its copy was read back from the disk, so no order is ever lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import apsw

from domain.order.intents import owed
from domain.order.order import RunState
from workflows.audit.merkle import leaf_hash, node_hash
from workflows.clock import timestamp
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import ChainBroken, Commit, UnknownEvent
from workflows.orders.command_handling import folded_order
from workflows.sqlite.archive import ARCHIVE, Archived, ArchiveFolder, commit_line
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

COMMITS_MAX: Final = 5_000
"""Commits in a segment, some 4 MB."""

_OLD = """
SELECT pk FROM events WHERE pk > ? AND pk < 'order$'
GROUP BY pk HAVING max(ts) < ? AND max(substr(ev, 1, 1) <> '@') ORDER BY pk LIMIT ?
"""
_STREAMS_AT_ONCE = 500
_FIRST = "order#"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveRun:
    """What a run moved. ``kept`` orders are old enough, but are open, owe something or cannot be read."""

    orders: int = 0
    commits: int = 0
    segments: int = 0
    kept: int = 0


def archive_orders(
    log: SqliteEventLog,
    database: Database,
    before: datetime,
    *,
    dry_run: bool = False,
    on_segment: Callable[[ArchiveRun], None] = lambda _: None,
) -> ArchiveRun:
    """Archive the orders whose last commit was recorded before a time.

    Args:
        dry_run: Only count them.
        on_segment: Called after each segment with what was moved so far.

    Raises:
        DatabaseUnavailable, StreamUnavailable, OSError: What was moved before stays moved. Retryable: yes.
    """
    folder = ArchiveFolder(database.path.parent / ARCHIVE)
    done = ArchiveRun()
    waiting: list[Commit] = []
    orders = 0
    for stream in _old_streams(database, before):
        commits = _archivable(log, stream)
        if commits is None:
            done = replace(done, kept=done.kept + 1)
            continue
        waiting += commits
        orders += 1
        if len(waiting) >= COMMITS_MAX:
            done = _moved(database, folder, waiting, orders=orders, done=done, dry_run=dry_run)
            waiting, orders = [], 0
            on_segment(done)
    if waiting:
        done = _moved(database, folder, waiting, orders=orders, done=done, dry_run=dry_run)
        on_segment(done)
    return done


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 6962 over at least one leaf."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def _old_streams(database: Database, before: datetime) -> Iterator[str]:
    """Yield the streams of orders that have not changed since, and are not archived as a whole."""
    last = _FIRST
    while True:
        page = _select(database, _OLD, last, timestamp(before), _STREAMS_AT_ONCE)
        yield from (str(stream) for (stream,) in page)
        if len(page) < _STREAMS_AT_ONCE:
            return
        last = str(page[-1][0])


def _archivable(log: SqliteEventLog, stream: str) -> list[Commit] | None:
    """Return the commits of an order that has ended and owes nothing; None if it must stay where it is."""
    rows = list(log.read(stream))
    try:
        order = folded_order(log.replay(stream, rows))
    except (ChainBroken, Undecodable, UnknownEvent):  # for the audit, which names what is wrong
        return None
    if order.run_state is not RunState.ENDED or owed(order):
        return None
    return [row for row in rows if isinstance(row, Commit)]


def _moved(
    database: Database,
    folder: ArchiveFolder,
    commits: Sequence[Commit],
    *,
    orders: int,
    done: ArchiveRun,
    dry_run: bool,
) -> ArchiveRun:
    if not dry_run:
        root = merkle_root([commit_line(commit) for commit in commits]).hex()
        archived = folder.write(_next_segment(database), commits, root)
        database.write(lambda connection: _replace(connection, archived))
    return replace(done, orders=done.orders + orders, commits=done.commits + len(commits), segments=done.segments + 1)


def _next_segment(database: Database) -> int:
    """Return the number after the last segment that the table names."""
    sql = "SELECT coalesce(max(CAST(substr(ev, 2, 6) AS INTEGER)), 0) FROM events WHERE ev GLOB '@*'"
    return 1 + int(_select(database, sql)[0][0])


def _select(database: Database, sql: str, *values: str | int) -> list[tuple[Any, ...]]:
    return database.read(lambda connection: connection.execute(sql, values).fetchall())


def _replace(connection: apsw.Connection, archived: Sequence[Archived]) -> None:
    sql = "UPDATE events SET ev = ? WHERE pk = ? AND sk = ? AND h = ?"
    for commit, pointer in archived:
        connection.execute(sql, (pointer, commit.pk, commit.sk, commit.h))
