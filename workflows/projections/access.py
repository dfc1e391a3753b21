"""The view ``access``: one row for each order whose personal data was shown to a caller, or which was found by it.

A read that names no order, as a search that found none or a query of an auditor, has one row without an order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, MetaData, Table

from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.event_store.streams import ACCESS, id_in
from workflows.orders.access_events import AccessEvent, AuditDataRead
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, text, time

ACCESSES = Table(
    "access",
    MetaData(),
    text("access", primary_key=True),
    count("line", primary_key=True),
    count("version"),
    time("read_at"),
    text("actor_role"),
    text("actor_id"),
    text("correlation"),
    text("route"),
    optional_text("order_id"),
    optional_text("customer"),
    text("fields"),  # with commas between them
    text("reason"),
    text("request"),  # the SQL of a query or the filter of an export; empty for other reads
)
_column = ACCESSES.c
_newest = (_column.read_at, _column.access, _column.line)

for _index in (
    Index("read", *_newest),
    Index("actor", _column.actor_id, *_newest),
    Index("order", _column.order_id, *_newest),
    Index("customer", _column.customer, *_newest),
):
    assert _index.table is ACCESSES


def _rows(history: History, since: int) -> list[Row]:
    rows: list[Row] = []
    for recorded in history.recorded[since:]:
        read: Any = recorded.event
        if not isinstance(read, AccessEvent):
            continue
        shared: Row = {
            "access": id_in(history.stream),
            "version": recorded.version,
            "read_at": timestamp(read.at),
            "actor_role": recorded.actor.role.value,
            "actor_id": recorded.actor.id,
            "correlation": recorded.correlation,
            "route": read.route,
        }
        rows += [{**shared, "line": line, **each} for line, each in enumerate(_what(read), start=1)]
    return rows


def _what(read: AccessEvent) -> list[Row]:
    """Return what was read: a row for each order."""
    if isinstance(read, AuditDataRead):
        return [{"order_id": None, "customer": None, "fields": "", "reason": "", "request": read.request}]
    shared: Row = {"fields": ",".join(read.fields), "reason": read.reason, "request": ""}
    orders: list[Row] = [{"order_id": order.order_id, "customer": order.customer} for order in read.orders]
    return [{**shared, **order} for order in orders or [{"order_id": None, "customer": None}]]


ACCESS_VIEW = View(name="access", version=2, table=ACCESSES, rows=_rows, appends=True, category=ACCESS)
