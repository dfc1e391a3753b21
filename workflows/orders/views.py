"""What an order and its events look like to a reader: plain JSON, the same for the API, the command line and the diffs.

Money is ``{"amount": "12.50", "currency": "EUR"}``, a time RFC 3339 in UTC. A personal field that the reader may not
see reads ``(withheld)``, one that was erased ``(erased)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast, get_args, get_type_hints

from domain.identifiers import Actor
from domain.money import Money, total
from domain.order.delivery import Offer
from domain.order.events import Event, OrderPlaced
from domain.order.intents import open_intents
from domain.order.order import Order, RunState
from domain.order.payment import Hold, Transfer
from domain.personal import Erased
from workflows.clock import timestamp
from workflows.event_store.commits import Opaque, RecordedEvent
from workflows.orders.waiting import AwaitedNow

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import (
        CancellationJson,
        DeliveryJson,
        EventJson,
        LineJson,
        MoneyJson,
        OfferJson,
        OrderJson,
        PaymentJson,
        PreparationJson,
        TotalsJson,
        WaitJson,
    )

JSON: TypeAlias = Any
View: TypeAlias = dict[str, JSON]

WITHHELD: Final = "(withheld)"


def order_view(order: Order, *, personal: bool, waits: Sequence[AwaitedNow] | None = None) -> OrderJson:
    """Return the state of an order that was placed; before that, its id, version and status alone.

    Args:
        waits: What its run waits for (``waits_now``). None leaves that out, for instance in a past state.
    """
    placed = order.placed
    if placed is None:
        return cast("OrderJson", {"id": order.order_id, "version": order.version, "status": order.status})
    view: OrderJson = {
        "id": order.order_id,
        "version": order.version,
        "status": order.status.value,
        "parked": order.run_state is RunState.PARKED,
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
        "cancellation": _cancellation(order, personal),
        "pending": [
            {"version": intent.version, "intent": type(intent.intent).__name__} for intent in open_intents(order)
        ],
        "approvals": sorted(order.approvals),
    }
    if waits is not None:
        view["waiting"] = [_wait(awaited) for awaited in waits]
    return view


def _wait(awaited: AwaitedNow) -> WaitJson:
    return {
        "what": awaited.what.value,
        "intent_version": awaited.intent_version,
        "since": timestamp(awaited.since),
        "until": plain(awaited.until),
    }


def event_view(recorded: RecordedEvent, *, personal: bool) -> EventJson:
    """One event as it stands in the log."""
    event = recorded.event
    view: EventJson = {
        "version": recorded.version,
        "type": event.type if isinstance(event, Opaque) else type(event).__name__,
        "recorded_at": recorded.ts,
        "actor": plain(recorded.actor),
        "correlation": recorded.correlation,
        "causation": recorded.causation,
        "data": plain(event.data) if isinstance(event, Opaque) else _data(event, personal),
    }
    if isinstance(event, Opaque):
        view["unknown"] = True
    return view


def money_json(money: Money) -> MoneyJson:
    """``{"amount": "12.50", "currency": "EUR"}``."""
    amount, _, currency = str(money).partition(" ")
    return {"amount": amount, "currency": currency}


def plain(value: Any) -> JSON:
    """A domain value as JSON."""
    if isinstance(value, Money):
        return money_json(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Enum):
        return value.value
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


def _lines(order: Order, placed: OrderPlaced) -> list[LineJson]:
    return [
        {
            "line": number,
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "ordered": ordered.quantity,
            "unit_price": money_json(line.unit_price),
            "options": plain(line.options),
            "total": money_json(line.total),
        }
        for number, (line, ordered) in enumerate(zip(order.lines, placed.lines, strict=True), start=1)
    ]


def _cancellation(order: Order, personal: bool) -> CancellationJson | None:
    cancellation = order.cancellation
    return None if cancellation is None else cast("CancellationJson", _data(cancellation, personal))


def _totals(order: Order, placed: OrderPlaced) -> TotalsJson:
    return {
        "items": money_json(total((line.total for line in order.lines), order.currency)),
        "delivery_fee": money_json(placed.delivery_fee),
        "service_fee": money_json(placed.service_fee),
        "tip": money_json(placed.tip),
        "credited": money_json(Money(order.credited, order.currency)),
        "total": money_json(order.total),
    }


def _payment(order: Order, placed: OrderPlaced) -> PaymentJson:
    payment, held = order.payment, order.payment.authorization
    captured, authorized = payment.taken(Transfer.DONE), _authorized(order)
    return {
        "method": placed.payment_method,
        "authorization": None if held is None else {"state": held.state.value, "amount": money_json(held.amount)},
        "authorized": money_json(authorized),
        "captured": money_json(captured),
        "released": money_json(_released(order, authorized, captured)),
        "refunded": money_json(payment.returned(Transfer.DONE)),
    }


def _authorized(order: Order) -> Money:
    """Return the amount that the provider authorized: zero while the request is in doubt, and after a decline."""
    hold = order.payment.authorization
    return hold.amount if hold is not None and hold.state in _AUTHORIZED else Money.zero(order.currency)


_AUTHORIZED = frozenset({Hold.HELD, Hold.CAPTURED, Hold.VOIDED, Hold.WRITTEN_OFF})


def _released(order: Order, authorized: Money, captured: Money) -> Money:
    """Return the authorized part that a void, or a capture of less, released. A written-off hold expires instead."""
    hold = order.payment.authorization
    released = hold is not None and hold.state in (Hold.CAPTURED, Hold.VOIDED)
    return max(authorized - captured, Money.zero(order.currency)) if released else Money.zero(order.currency)


def _preparation(order: Order) -> PreparationJson | None:
    ticket = order.ticket
    if ticket is None:
        return None
    return {"ticket": ticket.intent, "state": ticket.state.value, "ready_at": plain(ticket.ready_at)}


def _delivery(order: Order) -> DeliveryJson:
    delivery = order.delivery
    return {
        "offer": None if delivery.current is None else _offer(delivery.current),
        "offers": [_offer(offer) for offer in delivery.offers],
        "picked_up": delivery.picked_up,
        "delivered": delivery.delivered,
        "overdue": delivery.overdue,
    }


def _offer(offer: Offer) -> OfferJson:
    return {"offer": offer.intent, "attempt": offer.attempt, "state": offer.state.value, "courier": offer.courier}
