"""Compares the end of the simulated providers' ledgers with the event log, before an engine is started on both.

Every call to a provider has its intent in the log first. So a line of a ledger whose intent is not in the log means
that the log was deleted, replaced, or restored from an older copy than the ledgers.
"""

from __future__ import annotations

from pathlib import Path

import apsw
import msgspec

from domain.identifiers import OrderId
from workflows.event_store.commits import ChainBroken, StoredRow
from workflows.event_store.segments import Segments, whole_commit
from workflows.event_store.streams import order_stream
from workflows.sqlite.archive import ARCHIVE, SegmentFolder
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import newest_row

NEWEST_LINES = 1000
"""Of each ledger. What is missing in a log is its end, or all of it."""


def orders_without_history(log: Path, ledgers: Path) -> list[OrderId]:
    """Return the orders that a ledger knows further than the log does.

    Args:
        log: The database of the event log. It may be missing.
        ledgers: The database of the sandbox.
    """
    with Database(ledgers, read_only=True) as database:  # first: a call is made after its intent was recorded
        called = database.read(_newest_intents)
    if not log.exists() or log.stat().st_size == 0:
        return sorted(called)
    with Database(log, read_only=True) as database:
        segments = SegmentFolder(log.parent / ARCHIVE)
        known = database.read(lambda connection: _versions(connection, segments, list(called)))
    return sorted(order_id for order_id, version in called.items() if version > known.get(order_id, 0))


def _newest_intents(connection: apsw.Connection) -> dict[OrderId, int]:
    """Return the highest version that the keys of an order's lines name."""
    newest: dict[OrderId, int] = {}
    for ledger in ("payment_lines", "kitchen_lines", "courier_lines"):
        if not _has_table(connection, ledger):
            continue
        for (key,) in connection.execute(f"SELECT key FROM {ledger} ORDER BY seq DESC LIMIT {NEWEST_LINES}"):
            order_id, _, version = str(key).partition("/")
            if version.isdecimal():
                newest[OrderId(order_id)] = max(int(version), newest.get(OrderId(order_id), 0))
    return newest


def _versions(connection: apsw.Connection, segments: Segments, orders: list[OrderId]) -> dict[OrderId, int]:
    """Return the version of each order in the log, whose commits may be in the archive."""
    if not _has_table(connection, "events"):
        return {}
    versions: dict[OrderId, int] = {}
    for order_id in orders:
        row = newest_row(connection, order_stream(order_id))
        if row is not None:
            versions[order_id] = _version(row, segments)
    return versions


def _version(row: StoredRow, segments: Segments) -> int:
    """Return the version of an order after its last commit."""
    try:
        whole = whole_commit(row, segments)
        return whole.sk + whole.size - 1
    except (ChainBroken, msgspec.DecodeError):
        return _UNREADABLE


_UNREADABLE = 1_000_000
"""Of an order whose last commit was altered, or whose segment is missing. It is not lost here: the audit names it, and
an engine must start, so that the other orders continue. No order comes near a million events."""


def _has_table(connection: apsw.Connection, name: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchall())
