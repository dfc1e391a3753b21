"""What an order and its events look like to a reader: plain JSON, the same for the API, the command line and the diffs.

Money is ``{"amount": "12.50", "currency": "EUR"}``, a time RFC 3339 in UTC. A personal field that the reader may not
see reads ``(withheld)``, one that was erased ``(erased)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, get_args, get_type_hints

from domain.identifiers import Actor
from domain.money import Money, total
from domain.order.delivery import Offer
from domain.order.events import Event, OrderPlaced
from domain.order.intents import open_intents
from domain.order.order import Order, Rest
from domain.order.payment import Transfer
from domain.personal import Erased
from workflows.clock import timestamp
from workflows.event_store.commits import Opaque, RecordedEvent

JSON: TypeAlias = Any
View: TypeAlias = dict[str, JSON]

WITHHELD = "(withheld)"


def order_view(order: Order, *, personal: bool) -> View:
    """The state of an order that was placed."""
    placed = order.placed
    if placed is None:
        return {"id": order.order_id, "version": order.version, "status": order.status}
    return {
        "id": order.order_id,
        "version": order.version,
        "status": order.status,
        "parked": order.rest is Rest.PARKED,
        "run": order.run,
        "customer": placed.customer,
        "restaurant": placed.restaurant,
        "placed_at": timestamp(placed.placed_at),
        "contact": plain(placed.contact) if personal else WITHHELD,
        "lines": _lines(order, placed),
        "totals": _totals(order, placed),
        "payment": _payment(order, placed),
        "preparation": _preparation(order),
        "delivery": _delivery(order),
        "cancellation": None if order.cancellation is None else _data(order.cancellation, personal),
        "pending": [{"version": o.version, "intent": type(o.intent).__name__} for o in open_intents(order)],
    }


def event_view(recorded: RecordedEvent, *, personal: bool) -> View:
    """One event as it stands in the log."""
    event = recorded.event
    opaque = isinstance(event, Opaque)
    return {
        "version": recorded.version,
        "type": event.type if isinstance(event, Opaque) else type(event).__name__,
        "recorded_at": recorded.ts,
        "actor": plain(recorded.actor),
        "correlation": recorded.correlation,
        "causation": recorded.causation,
        "data": plain(event.data) if isinstance(event, Opaque) else _data(event, personal),
        **({"unknown": True} if opaque else {}),
    }


def plain(value: Any) -> JSON:
    """A domain value as JSON."""
    if isinstance(value, Money):
        amount, _, currency = str(value).partition(" ")
        return {"amount": amount, "currency": currency}
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Erased):
        return str(value)
    if isinstance(value, Actor):
        return {"role": value.role.value, "id": value.id}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _data(event: Any, personal: bool) -> View:
    withheld = frozenset() if personal else _PERSONAL[type(event)]
    return {
        field.name: WITHHELD if field.name in withheld else plain(getattr(event, field.name))
        for field in dataclasses.fields(event)
    }


_PERSONAL: dict[type, frozenset[str]] = {
    cls: frozenset(name for name, hint in get_type_hints(cls).items() if Erased in get_args(hint))
    for cls in get_args(Event)
}
"""The personal fields of every event."""


def _lines(order: Order, placed: OrderPlaced) -> list[View]:
    return [
        {"line": number, **plain(line), "ordered": asked.quantity, "total": plain(line.total)}
        for number, (line, asked) in enumerate(zip(order.lines, placed.lines, strict=True), start=1)
    ]


def _totals(order: Order, placed: OrderPlaced) -> View:
    return {
        "items": plain(total((line.total for line in order.lines), order.currency)),
        "delivery_fee": plain(placed.delivery_fee),
        "service_fee": plain(placed.service_fee),
        "tip": plain(placed.tip),
        "credited": plain(Money(order.credited, order.currency)),
        "total": plain(order.total),
    }


def _payment(order: Order, placed: OrderPlaced) -> View:
    payment, held = order.payment, order.payment.authorization
    return {
        "method": placed.payment_method,
        "authorization": None if held is None else {"state": held.state, "amount": plain(held.amount)},
        "captured": plain(payment.taken(Transfer.DONE)),
        "refunded": plain(payment.returned(Transfer.DONE)),
    }


def _preparation(order: Order) -> View | None:
    ticket = order.ticket
    if ticket is None:
        return None
    return {"ticket": ticket.intent, "state": ticket.state, "ready_at": plain(ticket.ready_at)}


def _delivery(order: Order) -> View:
    delivery = order.delivery
    return {
        "offer": None if delivery.current is None else _offer(delivery.current),
        "offers": [_offer(offer) for offer in delivery.offers],
        "picked_up": delivery.picked_up,
        "delivered": delivery.delivered,
        "overdue": delivery.overdue,
    }


def _offer(offer: Offer) -> View:
    return {"offer": offer.intent, "attempt": offer.attempt, "state": offer.state, "courier": offer.courier}
