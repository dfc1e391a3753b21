"""The view ``access``: one row for each order whose personal data was shown to a caller, or which was found by it.

A read that names no order, as a search that found none, has one row without an order.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData, Table

from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.event_store.streams import ACCESS, id_in
from workflows.orders.access_events import PersonalDataRead
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
        read = recorded.event
        if not isinstance(read, PersonalDataRead):
            continue
        rows += [
            {
                "access": id_in(history.stream),
                "line": line,
                "version": recorded.version,
                "read_at": timestamp(read.at),
                "actor_role": recorded.actor.role.value,
                "actor_id": recorded.actor.id,
                "correlation": recorded.correlation,
                "route": read.route,
                "order_id": None if order is None else order.order_id,
                "customer": None if order is None else order.customer,
                "fields": ",".join(read.fields),
                "reason": read.reason,
            }
            for line, order in enumerate(read.orders or (None,), start=1)
        ]
    return rows


ACCESS_VIEW = View(name="access", version=1, table=ACCESSES, rows=_rows, appends=True, category=ACCESS)
