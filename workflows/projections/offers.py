"""The view ``offers``: one row for each offer of a delivery to couriers. A courier's board reads it.

``made_to`` and ``declined_by`` are ``|cou_a|cou_b|``, so that one courier is found in them with LIKE; both are empty
texts if there is none. An offer with an empty ``made_to`` is open to every courier.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Index, MetaData, Table

from domain.order.delivery import Offer, OfferState
from domain.order.events import CourierAssigned, OrderPlaced
from domain.order.order import Order
from workflows.clock import timestamp
from workflows.event_store.commits import History
from workflows.orders.command_handling import folded_order
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, optional_time, text, time

OFFERS = Table(
    "offers",
    MetaData(),
    text("order_id", primary_key=True),
    count("offer", primary_key=True),  # the version of the intent that made it
    count("version"),
    count("attempt"),
    text("state"),
    count("open"),  # 1 while a courier can accept it
    text("restaurant"),
    optional_text("courier"),  # who accepted it
    text("made_to"),
    text("declined_by"),
    text("order_status"),
    time("placed_at"),  # of the order, by which a courier's orders are listed
    time("offered_at"),
    optional_time("assigned_at"),
    optional_time("ready_by"),  # when the restaurant expects to be ready
)
_column = OFFERS.c

_is_open: dict[str, Any] = {"sqlite_where": _column.open == 1, "postgresql_where": _column.open == 1}

for _index in (
    Index("open", _column.open, _column.offered_at, **_is_open),
    Index("open_placed", _column.open, _column.placed_at, _column.order_id, **_is_open),
    Index("courier", _column.courier, _column.offered_at),
    Index("courier_placed", _column.courier, _column.placed_at, _column.order_id),
):
    assert _index.table is OFFERS


def _rows(history: History, _since: int) -> list[Row]:
    order = folded_order(history)
    if order.placed is None:
        return []
    return [_row(history, order, order.placed, offer) for offer in order.delivery.offers]


OFFERS_VIEW = View(name="offers", version=2, table=OFFERS, rows=_rows)


def listed(couriers: Collection[str]) -> str:
    """Return couriers in the form of the column; for one courier it is the text to search a column for."""
    return f"|{'|'.join(sorted(couriers))}|" if couriers else ""


def _row(history: History, order: Order, placed: OrderPlaced, offer: Offer) -> Row:
    return {
        "order_id": order.order_id,
        "offer": offer.intent,
        "version": order.version,
        "attempt": offer.attempt,
        "state": offer.state.value,
        "open": int(offer.state is OfferState.REQUESTED and order.cancellation is None),
        "restaurant": placed.restaurant,
        "courier": offer.courier,
        "made_to": listed(offer.made_to),
        "declined_by": listed(offer.declined_by),
        "order_status": order.status.value,
        "placed_at": history.recorded[0].ts,
        "offered_at": history.recorded[offer.intent - 1].ts,
        "assigned_at": _assigned_at(history, offer),
        "ready_by": None if order.ticket is None or order.ticket.ready_at is None else timestamp(order.ticket.ready_at),
    }


def _assigned_at(history: History, offer: Offer) -> str | None:
    answers = (
        recorded.ts
        for recorded in reversed(history.recorded)
        if isinstance(recorded.event, CourierAssigned) and recorded.event.answers == offer.intent
    )
    return next(answers, None)
