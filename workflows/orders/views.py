"""Orders and events as JSON, the same for the API, the command line and the diffs of time travel.

A field that the audience may not see (``visibility``) is ``(withheld)``; one that was erased is ``(erased)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from domain.money import Money, total
from domain.order.delivery import Offer
from domain.order.events import OrderPlaced
from domain.order.intents import open_intents
from domain.order.order import Order, RunState
from domain.order.payment import Hold, Transfer
from workflows.clock import timestamp
from workflows.event_store.commits import Opaque, RecordedEvent
from workflows.orders.json_values import JSON, money_json, plain
from workflows.orders.visibility import VISIBILITY, Audience, sees, visible
from workflows.orders.waiting import AwaitedNow
from workflows.orders.words import WITHHELD

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import (
        CancellationJson,
        DeliveryJson,
        EventJson,
        LineJson,
        OfferJson,
        OrderJson,
        PaymentJson,
        PreparationJson,
        TotalsJson,
        WaitJson,
    )


def order_view(order: Order, audience: Audience, waits: Sequence[AwaitedNow] | None = None) -> OrderJson:
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
        "contact": _placed(placed, "contact", audience),
        "menu_version": placed.menu_version,
        "kitchen_note": _placed(placed, "kitchen_note", audience),
        "lines": _lines(order, placed),
        "totals": _totals(order, placed),
        "payment": _payment(order, placed, audience),
        "preparation": _preparation(order),
        "delivery": _delivery(order),
        "cancellation": _cancellation(order, audience),
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


def event_views(recorded: Iterable[RecordedEvent], audience: Audience) -> list[EventJson]:
    """Return the events that the audience may know of."""
    return [view for each in recorded if (view := event_view(each, audience)) is not None]


def event_view(recorded: RecordedEvent, audience: Audience) -> EventJson | None:
    """Return an event as recorded in the log; None if the audience may not know of it."""
    event = recorded.event
    shown = visible(event, audience)
    if shown is None:
        return None
    view: EventJson = {
        "version": recorded.version,
        "type": event.type if isinstance(event, Opaque) else type(event).__name__,
        "recorded_at": recorded.ts,
        "actor": plain(recorded.actor),
        "correlation": recorded.correlation,
        "causation": recorded.causation,
        "data": shown if isinstance(event, Opaque) else _withholding(event, shown),
    }
    if isinstance(event, Opaque):
        view["unknown"] = True
    return view


def _withholding(event: Any, shown: dict[str, JSON]) -> dict[str, JSON]:
    """Return all fields of the event, with ``(withheld)`` for those that are not shown."""
    return dict.fromkeys(VISIBILITY[type(event)].fields, WITHHELD) | shown


def _placed(placed: OrderPlaced, field: str, audience: Audience) -> JSON:
    return plain(getattr(placed, field)) if sees(audience, OrderPlaced, field) else WITHHELD


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


def _cancellation(order: Order, audience: Audience) -> CancellationJson | None:
    cancellation = order.cancellation
    if cancellation is None:
        return None
    return cast("CancellationJson", _withholding(cancellation, visible(cancellation, audience) or {}))


def _totals(order: Order, placed: OrderPlaced) -> TotalsJson:
    return {
        "items": money_json(total((line.total for line in order.lines), order.currency)),
        "delivery_fee": money_json(placed.delivery_fee),
        "service_fee": money_json(placed.service_fee),
        "tip": money_json(placed.tip),
        "credited": money_json(Money(order.credited, order.currency)),
        "total": money_json(order.total),
    }


def _payment(order: Order, placed: OrderPlaced, audience: Audience) -> PaymentJson:
    payment, held = order.payment, order.payment.authorization
    captured, authorized = payment.taken(Transfer.DONE), _authorized(order)
    return {
        "method": _placed(placed, "payment_method", audience),
        "authorization": None if held is None else {"state": held.state.value, "amount": money_json(held.amount)},
        "authorized": money_json(authorized),
        "captured": money_json(payment.captured),
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
