"""Stores the rows of ``benchmarks.search_rows`` in a database, as a rebuild does."""

from __future__ import annotations

import multiprocessing
import time
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, select

from benchmarks.search_rows import Rows
from workflows.clock import SystemClock
from workflows.projections.amounts import AMOUNTS
from workflows.projections.events import EVENTS
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore, build_table
from workflows.projections.tickets import TICKETS
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase
from workflows.sql.schema import analyze, create_indexes, create_without_indexes, drop, exists, swap

BATCH = 5_000
"""Orders that are stored in one transaction."""


def is_filled(database: SqlDatabase, rows: Rows) -> bool:
    """Return whether the last of the orders is stored."""
    last = select(ORDERS.c.order_id).where(ORDERS.c.order_id == rows.id(rows.orders - 1))
    with database.reading() as connection:
        return exists(connection, "orders") and connection.execute(last).one_or_none() is not None


def fill(database: SqlDatabase, rows: Rows, cores: int) -> None:
    """Store the rows, then make the indexes, as a rebuild does. Other processes generate the rows."""
    began_s = time.monotonic()
    store = ViewStore(database, all_views(rows.index), SystemClock())
    store.prepare()
    tables = {name: build_table(view, 1) for name, view in store.views.items()}
    with store.writing() as connection:
        for table in tables.values():
            drop(connection, table.name)  # of a run that was stopped
            create_without_indexes(connection, table)
    firsts = range(0, rows.orders, BATCH)
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for number, batch in enumerate(pool.imap(partial(_batch, rows), firsts), start=1):
            with store.writing() as connection:
                for name, table in tables.items():
                    _insert(connection, table, batch.get(name, []))
            if number % 20 == 0:
                print(f"  {number * BATCH} orders after {time.monotonic() - began_s:.0f} s", flush=True)
    print(f"  stored after {time.monotonic() - began_s:.0f} s", flush=True)
    for name, table in tables.items():
        for index in table.indexes:
            with store.writing() as connection:
                create_indexes(connection, table, only=index)
        with store.writing() as connection:
            swap(connection, table.name, name)
            store.set_built(connection, store.views[name], generation=1)
            analyze(connection, name)
    print(f"  indexed after {time.monotonic() - began_s:.0f} s", flush=True)


Batch: TypeAlias = dict[str, list[tuple[str | int | None, ...]]]


def _batch(rows: Rows, first: int) -> Batch:
    """Generate the rows of some orders, by table, with their values in the order of its columns."""
    batch: Batch = {name: [] for name in _VALUES}
    for number in range(first, min(first + BATCH, rows.orders)):
        order = rows.order(number)
        batch["orders"].append(_VALUES["orders"](order))
        batch["events"] += map(_VALUES["events"], rows.events(number, order))
        batch["tickets"].append(_VALUES["tickets"](rows.ticket(order)))
        batch["offers"].append(_VALUES["offers"](rows.offer(order)))
        batch["amounts"] += map(_VALUES["amounts"], rows.amounts(number, order))
    return batch


_VALUES = {
    table.name: itemgetter(*(column.name for column in table.columns))
    for table in (ORDERS, EVENTS, TICKETS, OFFERS, AMOUNTS)
}


def _insert(connection: Connection, table: Table, rows: list[tuple[str | int | None, ...]]) -> None:
    names = ", ".join(column.name for column in table.columns)
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in table.columns)
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
        return
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
