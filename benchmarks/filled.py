"""Fill a database with orders that have ended or are parked, without running them.

``python -m benchmarks.filled FOLDER ORDERS`` makes a folder whose log has that many orders that differ as those of a
platform do (see ``benchmarks.varied``), the same orders each time. With ``--alike`` all are delivered, with 13 events,
and differ in their ids alone: for sizes and rates an order.

Every order's commits are encoded and chained by the real codec, with ids of their own. ``fill_engine`` also makes
executions and journals: renamed copies of those of one order that really ran. Tables, indexes and sizes are therefore
those of real orders.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from benchmarks import histories
from benchmarks.varied import customer_id, customers_of, varied_commits
from domain.identifiers import OrderId
from workflows.clock import SystemClock
from workflows.embedded.engine import FEED
from workflows.embedded.files import DATABASE
from workflows.embedded.lambda_.feed import CHECKPOINTS_TABLE
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

_AT_ONCE = 500  # orders in a transaction


def fill_log(database: Database, codec: Codec, orders: int) -> None:
    """Fill only the log: 13 events in 8 commits an order. The table must exist."""
    numbers = iter(range(orders))
    while chunk := list(islice(numbers, _AT_ONCE)):
        rows = [_row(commit) for number in chunk for commit in commits_of(codec, order_id_of(number))]
        database.write(partial(_insert_commits, rows=rows))


def fill_engine(database: Database, codec: Codec, orders: int, like: OrderId) -> None:
    """Fill the log, and for every order executions and journals copied from the ended order ``like``."""
    executions, journal = database.read(lambda connection: _executions_of(connection, like))
    last_id = database.read(_last_id)
    numbers = iter(range(orders))
    while chunk := list(islice(numbers, _AT_ONCE)):
        commits = [_row(commit) for number in chunk for commit in commits_of(codec, order_id_of(number))]
        first_ids = {number: last_id + 1 + number * len(executions) for number in chunk}

        def work(connection: apsw.Connection, commits: Any = commits, first_ids: Any = first_ids) -> None:
            _insert_commits(connection, commits)
            for number, first_id in first_ids.items():
                _insert_executions(connection, executions, journal, (like, order_id_of(number)), first_id)

        database.write(work)
    mark_processed(database)


def mark_processed(database: Database) -> None:
    """Move the feed past all commits, as if it had processed them: otherwise an engine begins with that."""
    database.write(lambda connection: connection.execute(CHECKPOINTS_TABLE).close())
    newest = "REPLACE INTO feed_checkpoints SELECT ?, max(position), '[]' FROM events"
    database.write(lambda connection: connection.execute(newest, (FEED,)).close())


def order_id_of(number: int) -> OrderId:
    """Make an order id of the usual length."""
    return OrderId(f"ord_{number:026d}")


def commits_of(codec: Codec, order_id: OrderId) -> Iterator[Commit]:
    return histories.sealed(codec, order_id, histories.happy(order_id))


_Rows = list[tuple[Any, ...]]


def _row(commit: Commit) -> tuple[Any, ...]:
    return (commit.pk, commit.sk, commit.k, commit.ts, commit.h, commit.ev)


def _insert_commits(connection: apsw.Connection, rows: _Rows) -> None:
    connection.executemany("INSERT INTO events (pk, sk, k, ts, h, ev) VALUES (?, ?, ?, ?, ?, ?)", rows).close()


def _executions_of(connection: apsw.Connection, order_id: OrderId) -> tuple[_Rows, dict[int, _Rows]]:
    rows: Any = connection.execute("SELECT * FROM executions WHERE instr(name, ?) ORDER BY id", (order_id,)).fetchall()
    signals = "SELECT seq, kind, signal FROM journal WHERE execution = ? ORDER BY seq"
    return rows, {row[0]: connection.execute(signals, (row[0],)).fetchall() for row in rows}


def _last_id(connection: apsw.Connection) -> int:
    last_id: Any = connection.execute("SELECT max(id) FROM executions").fetchall()[0][0]
    return int(last_id)


def _insert_executions(
    connection: apsw.Connection, rows: _Rows, journal: dict[int, _Rows], ids: tuple[str, str], first_id: int
) -> None:
    old, new = ids
    for execution_id, row in enumerate(rows, start=first_id):
        renamed = [value.replace(old, new) if isinstance(value, str) else value for value in row[1:]]
        marks = ", ".join("?" * len(row))
        connection.execute(f"INSERT INTO executions VALUES ({marks})", (execution_id, *renamed))
        signals = [(execution_id, seq, kind, text.replace(old, new)) for seq, kind, text in journal[row[0]]]
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?)", signals).close()


def fill_varied(path: Path, orders: int, cores: int, numbers: range) -> None:
    """Fill the log with those of some orders that have these numbers. Other processes make the commits."""
    with Database(path) as database:
        ring = SqliteKeyRing(database)
        for number in range(customers_of(orders)):
            ring.current(customer_id(number))  # the other processes only read keys
        chunks = (numbers[first : first + _AT_ONCE] for first in range(0, len(numbers), _AT_ONCE))
        with multiprocessing.get_context("spawn").Pool(cores, _open_codec, (path,)) as pool:
            for rows in pool.imap(partial(_varied_rows, orders), chunks):
                database.write(partial(_insert_commits, rows=rows))


_codec: Codec
"""The codec of a process that makes commits."""


def _open_codec(path: Path) -> None:
    global _codec  # noqa: PLW0603 -- a pool gives its processes no other place
    _codec = Codec(SqliteKeyRing(Database(path, read_only=True)), EVENT_TYPES)


def _varied_rows(orders: int, numbers: range) -> _Rows:
    return [_row(commit) for number in numbers for commit in varied_commits(_codec, number, orders)]


def main(folder: Path, orders: int, *, alike: bool = False, until: int | None = None) -> None:
    """Make a folder with a log of so many orders that differ, or of the first ``until`` of them."""
    folder.mkdir(parents=True)
    with Database(folder / DATABASE) as database:
        codec = Codec(SqliteKeyRing(database), EVENT_TYPES)
        SqliteEventLog(database, codec, SystemClock())  # it creates the table
        if alike:
            fill_log(database, codec, orders)
    if not alike:
        add(folder, orders, until=until)


def add(folder: Path, orders: int, *, first: int = 0, until: int | None = None) -> None:
    """Add those of so many orders that differ which have the numbers from ``first`` to before ``until``."""
    fill_varied(folder / DATABASE, orders, len(os.sched_getaffinity(0)), range(orders)[first:until])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("orders", type=int)
    parser.add_argument("--alike", action="store_true", help="all are delivered, with 13 events in 8 commits")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _arguments()
    main(chosen.folder, chosen.orders, alike=chosen.alike)
