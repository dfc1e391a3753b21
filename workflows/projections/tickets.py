"""The view ``tickets``: one row for each order that was sent to its restaurant. A restaurant's board reads it.

An order has one ticket. ``open`` is 1 while the restaurant has something to do: answer, cook, or hand the meal over.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Index, MetaData, Table

from domain.order.events import OrderPlaced, PreparationAccepted, PreparationReady
from domain.order.order import Order
from domain.order.preparation import Ticket, TicketState
from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.orders.command_handling import folded_order
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, optional_time, text, time

TICKETS = Table(
    "tickets",
    MetaData(),
    text("order_id", primary_key=True),
    count("version"),
    text("restaurant"),
    count("ticket"),  # the version of the intent that sent it
    text("state"),
    count("open"),
    text("order_status"),
    time("placed_at"),
    time("sent_at"),
    optional_time("accepted_at"),
    optional_time("ready_by"),  # when the restaurant expects to be ready
    optional_time("ready_at"),  # when it reported the meal ready
    optional_text("courier"),
    text("lines"),  # JSON: sku, name, quantity, ordered, options
)
_column = TICKETS.c

for _index in (
    Index("board", _column.restaurant, _column.open, _column.sent_at, _column.order_id),
    Index("open", _column.open, _column.sent_at, sqlite_where=_column.open == 1, postgresql_where=_column.open == 1),
):
    assert _index.table is TICKETS

_OPEN = frozenset({TicketState.REQUESTED, TicketState.ACCEPTED, TicketState.READY, TicketState.OVERDUE})


def _rows(history: History, _since: int) -> list[Row]:
    order = folded_order(history)
    if order.placed is None or order.ticket is None:
        return []
    return [_row(history, order, order.placed, order.ticket)]


TICKETS_VIEW = View(name="tickets", version=2, table=TICKETS, rows=_rows)


def _row(history: History, order: Order, placed: OrderPlaced, ticket: Ticket) -> Row:
    offer = order.delivery.current
    return {
        "order_id": order.order_id,
        "version": order.version,
        "restaurant": placed.restaurant,
        "ticket": ticket.intent,
        "state": ticket.state.value,
        "open": int(ticket.state in _OPEN),
        "order_status": order.status.value,
        "placed_at": history.recorded[0].ts,
        "sent_at": history.recorded[ticket.intent - 1].ts,
        "accepted_at": _last(history, PreparationAccepted),
        "ready_by": None if ticket.ready_at is None else timestamp(ticket.ready_at),
        "ready_at": _last(history, PreparationReady),
        "courier": None if offer is None else offer.courier,
        "lines": _encode(_lines(order, placed)).decode(),
    }


_encode = msgspec.json.Encoder().encode


def _last(history: History, kind: type[object]) -> str | None:
    return next((recorded.ts for recorded in reversed(history.recorded) if isinstance(recorded.event, kind)), None)


def _lines(order: Order, placed: OrderPlaced) -> list[dict[str, Any]]:
    return [
        {
            "line": number,
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "ordered": ordered.quantity,
            "options": [option.name for option in line.options],
        }
        for number, (line, ordered) in enumerate(zip(order.lines, placed.lines, strict=True), start=1)
    ]
