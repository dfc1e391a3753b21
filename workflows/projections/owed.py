"""The view ``owed``: what orders that were cancelled, parked or refunded hold and have not given back.

A row for each intent that took or returns something, ``open`` while it is owed. Orders on their good way have none:
what they hold is still needed, and a view of them would have a row for each authorization ever made.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData, Table

from domain.order.consequences import wanted
from domain.order.events import (
    CancellationRequested,
    CourierRequested,
    OrderParked,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentLookupRequested,
    PaymentRefundRequested,
    PreparationRequested,
)
from domain.order.intents import Holding, Owed, owed
from domain.order.order import Order
from workflows.breakers.dependencies import dependency_of
from workflows.event_store.commits import History
from workflows.orders.command_handling import folded_order
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_count, text, time

OWED = Table(
    "owed",
    MetaData(),
    text("order_id", primary_key=True),
    count("intent", primary_key=True),  # the version of the intent that took it, or that gives it back
    count("version"),
    count("open"),
    text("holding"),
    text("dependency"),
    text("currency"),
    optional_count("amount"),  # NULL for a ticket and an offer
    count("in_doubt"),
    count("refused"),
    count("needed"),  # the order still needs it, e.g. to be paid
    text("order_status"),
    text("run_state"),
    time("since"),
)
_column = OWED.c

_open = Index("owed_open", _column.open, _column.since, _column.order_id, _column.intent)
assert _open.table is OWED

_IN_TROUBLE = (CancellationRequested, OrderParked, PaymentRefundRequested, PaymentLookupRequested)

_HOLDINGS = {
    PaymentAuthorizationRequested: Holding.AUTHORIZATION,
    PaymentCaptureRequested: Holding.CAPTURE,
    PaymentRefundRequested: Holding.CAPTURE,
    PaymentLookupRequested: Holding.CAPTURE,
    PreparationRequested: Holding.TICKET,
    CourierRequested: Holding.OFFER,
}


def _rows(history: History, _since: int) -> list[Row]:
    if not any(isinstance(recorded.event, _IN_TROUBLE) for recorded in history.recorded):
        return []
    order = folded_order(history)
    items = {item.intent: item for item in owed(order)}
    return [
        _row(history, order, version, holding, items.get(version))
        for version, intent in order.intents.items()
        if (holding := _HOLDINGS.get(type(intent))) is not None
    ]


OWED_VIEW = View(name="owed", version=1, table=OWED, rows=_rows)


def _row(history: History, order: Order, intent: int, holding: Holding, item: Owed | None) -> Row:
    amount = None if item is None or item.amount is None else item.amount.minor
    return {
        "order_id": order.order_id,
        "intent": intent,
        "version": order.version,
        "open": int(item is not None),
        "holding": holding.value,
        "dependency": dependency_of(order.intents[intent]).value,
        "currency": order.currency,
        "amount": amount,
        "in_doubt": int(item is not None and item.in_doubt),
        "refused": int(item is not None and item.refused),
        "needed": int(item is not None and wanted(order, item)),
        "order_status": order.status.value,
        "run_state": order.run_state.value,
        "since": history.recorded[intent - 1].ts,
    }
