"""The view ``approvals``: one row for each request for more money than one person may decide on.

Few orders have one. ``open`` is 1 while it waits for a second person. Its reason is not here: a reason is sealed with
the customer's key, and the views hold no personal data.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData, Table

from domain.order.events import ApprovalGiven, ApprovalRejected, ApprovalRequested
from domain.order.order import Order
from workflows.event_store.commits import History, RecordedEvent
from workflows.orders.command_handling import folded_order
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, optional_time, text, time

APPROVALS = Table(
    "approvals",
    MetaData(),
    text("order_id", primary_key=True),
    count("approval", primary_key=True),  # the version of the request
    count("version"),
    text("action"),
    count("amount"),
    text("currency"),
    text("by_role"),
    text("by_id"),
    count("open"),
    text("order_status"),
    time("requested_at"),
    optional_time("given_at"),
    optional_text("given_by"),
    count("rejected"),  # 1 if the decision of ``given_by`` was against it
)
_column = APPROVALS.c

for _index in (Index("open", _column.open, _column.requested_at, _column.order_id, _column.approval),):
    assert _index.table is APPROVALS


def _rows(history: History, _since: int) -> list[Row]:
    requests = [recorded for recorded in history.recorded if isinstance(recorded.event, ApprovalRequested)]
    if not requests:
        return []
    order = folded_order(history)
    given = {
        recorded.event.approval: recorded
        for recorded in history.recorded
        if isinstance(recorded.event, ApprovalGiven | ApprovalRejected)
    }
    return [_row(order, request, given.get(request.version)) for request in requests]


APPROVALS_VIEW = View(name="approvals", version=2, table=APPROVALS, rows=_rows)


def _row(order: Order, requested: RecordedEvent, given: RecordedEvent | None) -> Row:
    request = requested.event
    assert isinstance(request, ApprovalRequested)
    return {
        "order_id": order.order_id,
        "approval": requested.version,
        "version": order.version,
        "action": request.wish.value,
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "by_role": request.by.role.value,
        "by_id": request.by.id,
        "open": int(requested.version in order.approvals),
        "order_status": order.status.value,
        "requested_at": requested.ts,
        "given_at": None if given is None else given.ts,
        "given_by": None if given is None else given.actor.id,
        "rejected": int(given is not None and isinstance(given.event, ApprovalRejected)),
    }
