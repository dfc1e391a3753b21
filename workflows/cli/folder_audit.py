"""Verify an engine's folder: its log, its keys, and what the engine derived from the log, against one another.

Executions, rows of open orders and the sandbox's ledgers are derived from the log, or were recorded beside it. A commit
that was removed or inserted together with a computed chain contradicts them. It can run beside the engine: what is
derived may lag behind the log, and is compared with the log at the version that it was derived from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import apsw
import msgspec

from domain.identifiers import OrderId
from workflows.audit.findings import Finding, PublishedHeads, Report
from workflows.audit.verify import verify
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.engine import FEED
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.running import Definitions, JournalUnreadable, steps
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec, Undecodable
from workflows.event_store.commits import ChainBroken, History, UnknownEvent
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_id_in, order_stream
from workflows.orders.command_handling import fold
from workflows.orders.time_travel import order_at, past
from workflows.projections.open_orders import OpenOrder, project
from workflows.settings import Reader
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing
from workflows.time_budgets import read_budgets

_RUN = re.compile(r"(ord_[A-Za-z0-9_.-]*)-([0-9]+)")
ORDER_MACHINE = "OrderMachine"
"""The logical id in template.yaml."""

_PAGE = 1000


def audit_folder(
    database: Database,
    folder: Path,
    published: PublishedHeads | None,
    progress: Callable[[int], None],
) -> Report:
    """Verify the log with its keys, and add a finding for each contradiction.

    Args:
        database: The engine's database, for reading.
        folder: The engine's folder.
        published: The heads to compare the log with.
        progress: Called with the number of streams verified so far.
    """
    keys = SqliteKeyRing(database)
    log = SqliteEventLog(database, Codec(keys, EVENT_TYPES), SystemClock())
    report = verify(log, published=published, keys=keys, progress=progress)
    broken = {finding.stream for finding in report.findings}
    checks = {
        "the rows of open orders": _rows_against_the_log(database, log),
        "the executions": _executions_against_the_log(database, log),
        "the feed's checkpoint": _orders_without_execution(database, log),
        "the journals": _unreadable_journals(database),
        "the sandbox": _books(folder, log, broken),
    }
    found = [finding for name, check in checks.items() for finding in _whatever_is_stored(name, check)]
    more = [finding for finding in found if finding.stream not in broken]
    return replace(report, findings=report.findings + tuple(more))


def _whatever_is_stored(name: str, check: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings of a check, and one more if it meets values that no version of this program stored."""
    try:
        yield from check
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, apsw.Error) as error:
        yield Finding(name, 0, f"damaged, so they cannot be compared with the log: {type(error).__name__}: {error}")


# --- rows of open orders ----------------------------------------------------------------------------------------------


def _rows_against_the_log(database: Database, log: EventLog) -> Iterator[Finding]:
    """Compare each row with the one that the order's events up to the row's version give."""
    budgets = read_budgets(Reader({}))
    sql = (
        "SELECT CAST(sk AS BLOB), CAST(body AS BLOB) FROM documents WHERE pk >= 'open-orders#' AND pk < 'open-orders$'"
    )
    for key, body in _select(database, sql):
        order_id = OrderId(_text(key))
        stream = order_stream(order_id)
        try:
            row = msgspec.json.decode(body, type=OpenOrder)
        except (msgspec.DecodeError, ValueError) as error:
            yield Finding(stream, 0, f"the row of the open order is damaged: {error}")
            continue
        history = _readable(log, order_id)
        if history is None:
            continue
        if not 1 <= row.version <= history.version:
            what = f"the row of the open order is at version {row.version}, but the log ends with {history.version}"
            yield Finding(stream, history.version + 1, what)
            continue
        order = order_at(history, order_id, row.version)
        projected = project(order, past(history, row.version).recorded, budgets)
        if projected is None or _compared(projected) != _compared(row):
            yield Finding(stream, row.version, "the row of the open order differs from the log at this version")


def _compared(row: OpenOrder) -> OpenOrder:
    """Leave out the time budgets, which are settings of the engine that wrote the row."""
    return replace(row, awaits=tuple(replace(awaited, budget_s=0.0) for awaited in row.awaits))


def _readable(log: EventLog, order_id: OrderId) -> History | None:
    """Load an order; None if its stream has findings already, or events of a newer version."""
    try:
        history = log.load(order_stream(order_id))
        fold(order_id, history.events)
    except (ChainBroken, Undecodable, UnknownEvent):
        return None
    return history


# --- executions -------------------------------------------------------------------------------------------------------


def _executions_against_the_log(database: Database, log: EventLog) -> Iterator[Finding]:
    """Find runs that were started for an order, or for a run of it, that the log does not hold."""
    for name in _root_executions(database):
        match = _RUN.fullmatch(name)
        if match is None:
            continue  # started by hand
        order_id, run = OrderId(match[1]), int(match[2])
        history = _readable(log, order_id)
        if history is None:
            continue
        if history.version == 0:
            what = f"missing: the execution {name} was started, but the log holds no such order"
            yield Finding(history.stream, 1, what)
        elif run > (recorded := fold(order_id, history.events).run):
            what = f"missing: the execution {name} was started, but the log ends in run {recorded}"
            yield Finding(history.stream, history.version + 1, what)


def _root_executions(database: Database) -> Iterator[str]:
    """Yield the names of the executions that no other execution started, in their order."""
    sql = "SELECT id, CAST(name AS BLOB) FROM executions WHERE parent IS NULL AND id > ? ORDER BY id LIMIT ?"
    last = 0
    while page := _select(database, sql, last, _PAGE):
        yield from (_text(name) for _, name in page)
        last = page[-1][0]


def _orders_without_execution(database: Database, log: EventLog) -> Iterator[Finding]:
    """Find orders whose first commit the feed has processed, although no execution was started for them."""
    sql = "SELECT read_to FROM feed_checkpoints WHERE function = ? AND unfinished = '[]'"
    checkpoint = _select(database, sql, FEED)
    for stream, _ in groupby(log.scan(), key=lambda commit: commit.pk) if checkpoint else ():
        order_id = order_id_in(stream)
        if order_id is None:
            continue
        arn = arns.execution_arn(ORDER_MACHINE, f"{order_id}-1")
        processed = "SELECT 1 FROM events WHERE pk = ? AND sk = 1 AND position <= ?"
        started = "SELECT 1 FROM executions WHERE arn = ?"
        if _select(database, processed, stream, checkpoint[0][0]) and not _select(database, started, arn):
            yield Finding(stream, 1, "inserted: the feed has processed it, but no execution was started for it")


def _unreadable_journals(database: Database) -> Iterator[Finding]:
    """Find executions that have not ended and cannot be continued from their journals."""
    journal = Journal(database)
    definitions = Definitions(journal)
    for arn in journal.running():
        try:
            row = journal.find(arn)
            folded = [step.settled for _, step in steps(journal, definitions, row)] if row is not None else []
            if not all(folded):
                what = f"signal {folded.index(False)} of its journal does not fit the ones before it"
                yield Finding(f"execution#{arn}", 0, what)
        except (JournalUnreadable, ValueError, TypeError, KeyError) as error:
            yield Finding(f"execution#{arn}", 0, f"cannot be continued from its journal: {error}")


def _select(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return database.read(lambda connection: connection.execute(sql, values).fetchall())


def _text(stored: bytes | None) -> str:
    return (stored or b"").decode(errors="backslashreplace")


# --- the sandbox ------------------------------------------------------------------------------------------------------


def _books(folder: Path, log: EventLog, broken: set[str]) -> Iterator[Finding]:
    """Compare each order's money, ticket and couriers with the ledgers of the sandbox, if the folder has them.

    The comparison decodes the whole log, so it needs a log without broken streams.
    """
    from workflows.cli.folder import open_ledgers
    from workflows.sandbox.books_check import check_books
    from workflows.sandbox.opening import SANDBOX

    if not (folder / SANDBOX).exists() or broken:
        return
    with open_ledgers(folder) as ledgers:
        providers = (ledgers.payments, ledgers.kitchen, ledgers.couriers)
        damaged = [Finding("the sandbox", 0, what) for provider in providers for what in provider.damaged()]
        yield from damaged
        if damaged:
            return
        for difference in check_books(log, ledgers).differences:
            yield Finding(order_stream(difference.order_id), 0, f"differs from the sandbox's ledger: {difference.what}")
