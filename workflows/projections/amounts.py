"""The view ``amounts``: each amount that an order has shown to its customer, once. A search for an amount reads it.

A person who calls says what stands on a bank statement: what was held, taken or given back, which may differ from the
order's present total. So an order has a row for each distinct amount among its totals over time, its holds, captures
and refunds and credits, each by itself and added up. ``version`` is that of the first event with the amount.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Index, MetaData, Table

from domain.order.events import (
    CreditGranted,
    Event,
    ItemUnavailable,
    OrderPlaced,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFound,
    PaymentRefunded,
    ReportConfirmed,
)
from domain.order.evolving import evolve_all
from domain.order.order import Order, initial
from domain.order.payment import Transfer
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in
from workflows.projections.view import Row, View
from workflows.sql.columns import count, text

AMOUNTS = Table(
    "amounts",
    MetaData(),
    text("order_id", primary_key=True),
    count("version", primary_key=True),  # of the event
    count("minor", primary_key=True),
    text("currency", primary_key=True),  # so that the index of the key has it too
)
_column = AMOUNTS.c

_index = Index("minor", _column.currency, _column.minor, _column.order_id)
assert _index.table is AMOUNTS

_MOVEMENTS: Final = (PaymentAuthorized, PaymentCaptured, PaymentFound, PaymentRefunded, CreditGranted)
_CHANGE_TOTAL: Final = (OrderPlaced, ItemUnavailable, ReportConfirmed)
_CHANGE_AMOUNTS: Final = frozenset({*_CHANGE_TOTAL, *_MOVEMENTS})


def _rows(history: History, since: int) -> list[Row]:
    """Return the amounts that came after version ``since``; nothing is folded if no event can have brought one."""
    events = history.events
    if not any(type(event) in _CHANGE_AMOUNTS for event in events[since:]):
        return []
    order_id = order_id_in(history.stream)
    assert order_id is not None
    order, pending = initial(order_id), list[Event]()
    seen: set[int] = set()
    rows: list[Row] = []
    for event in events:
        pending.append(event)
        if type(event) not in _CHANGE_AMOUNTS:
            continue
        order = evolve_all(order, pending)
        pending.clear()
        new = set(_amounts(order, event)) - seen
        seen |= new
        if order.version > since:
            rows.extend(_row(order, minor) for minor in sorted(new))
    return rows


AMOUNTS_VIEW = View(name="amounts", version=1, table=AMOUNTS, rows=_rows, appends=True)


def _amounts(order: Order, event: Event) -> Iterator[int]:
    """Yield the amounts of the order right after an event, in minor units."""
    if order.placed is None:
        return
    yield order.total.minor
    if isinstance(event, _MOVEMENTS):
        yield event.amount.minor
        sums = (order.payment.captured.minor, order.payment.returned(Transfer.DONE).minor, order.credited)
        yield from (minor for minor in sums if minor)


def _row(order: Order, minor: int) -> Row:
    return {"order_id": order.order_id, "version": order.version, "minor": minor, "currency": order.currency}
