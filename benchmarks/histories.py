"""Orders for the benchmarks: the commits of whole orders, as ``decide`` makes them of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from domain.identifiers import Actor, CourierId, CustomerId, OrderId, RestaurantId, Role, Sku
from domain.money import Money
from domain.order.commands import Command, PlaceOrder, RecordFact
from domain.order.deciding import decide
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    Event,
    Fact,
    ItemUnavailable,
    Line,
    OrderDelivered,
    OrderPickedUp,
    PaymentAuthorized,
    PaymentCaptured,
    PreparationAccepted,
    PreparationReady,
)
from domain.order.order import Order, evolve, initial
from domain.personal import Contact
from workflows.clock import timestamp
from workflows.event_store.codec import Codec
from workflows.event_store.commits import GENESIS, Commit, NewCommit, chain_hash

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CUSTOMER = CustomerId("cus_1")
CONTACT = Contact(name="Camille Roux", phone="+33 1 99 00 10 11", address="12 rue des Lilas, 75019 Paris")

Line_ = Callable[[Order], Command]


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def place(order_id: OrderId, *, payment_method: str = "pm_ok", at: datetime = AT) -> PlaceOrder:
    """Build the command of an order: two pizzas at 10.00, water at 3.00, and 5.00 of fees and tip."""
    return PlaceOrder(
        order_id=order_id,
        customer=CUSTOMER,
        restaurant=RestaurantId("rst_1"),
        lines=(
            Line(sku=Sku("pizza-margherita"), name="Pizza Margherita", quantity=2, unit_price=eur(1000)),
            Line(sku=Sku("acqua-1l"), name="Acqua, 1 l", quantity=1, unit_price=eur(300)),
        ),
        delivery_fee=eur(300),
        service_fee=eur(100),
        tip=eur(100),
        payment_method=payment_method,
        contact=CONTACT,
        at=at,
    )


@dataclass(frozen=True, slots=True)
class Commitment:
    """The content of one commit."""

    key: str
    events: tuple[Event, ...]


def happy(order_id: OrderId) -> list[Commitment]:
    """List the commits of a delivered order: 13 events in 8 commits."""
    placed, *rest = _happy()
    first = replace(placed.events[0], order_id=order_id)  # type: ignore[arg-type]  # it is OrderPlaced
    return [Commitment(placed.key, (first, *placed.events[1:])), *rest]


@cache
def _happy() -> list[Commitment]:
    return _told(OrderId("ord_x"), _HAPPY)


def of_events(order_id: OrderId, events: int) -> list[Commitment]:
    """List commits with exactly this many events: couriers decline, then the restaurant reports missing items."""
    story = _told(order_id, _DECLINED_TWICE)
    number = sum(len(commitment.events) for commitment in story)
    if number > events:
        raise ValueError(f"the shortest such story has {number} events")
    for count in range(events - number):
        counted = ItemUnavailable(answers=4, line=2, available=100 + count, at=AT)
        story.append(Commitment(f"restaurant/RecordFact/stock-{count}", (counted,)))
    return story


def sealed(codec: Codec, order_id: OrderId, story: list[Commitment]) -> Iterator[Commit]:
    """Encode commits as the log stores them: chained, with personal fields encrypted under the customer's key."""
    head, version = GENESIS, 0
    for commitment in story:
        new = new_commit(order_id, commitment)
        unsealed = Commit(f"order#{order_id}", version + 1, new.key, _TS, b"", codec.encode(f"order#{order_id}", new))
        head = chain_hash(head, unsealed)
        yield Commit(unsealed.pk, unsealed.sk, unsealed.k, unsealed.ts, head, unsealed.ev)
        version += len(commitment.events)


def new_commit(order_id: OrderId, commitment: Commitment) -> NewCommit:
    """Build a commit as the command handling does."""
    return NewCommit(
        key=commitment.key,
        events=commitment.events,
        actor=Actor(Role.CUSTOMER, CUSTOMER),
        correlation=order_id,
        causation="benchmark",
        body_hash="0123456789abcdef0123456789abcdef",
        subject=CUSTOMER,
    )


_TS = timestamp(AT)


def _told(order_id: OrderId, lines: tuple[Line_, ...]) -> list[Commitment]:
    order, story = initial(order_id), []
    for number, line in enumerate(lines):
        command = line(order)
        events = decide(command, order)
        story.append(Commitment(f"benchmark/{type(command).__name__}/{number}", events))
        for event in events:
            order = evolve(order, event)
    return story


def _fact(make: Callable[[Order], Fact]) -> Line_:
    return lambda order: RecordFact(fact=make(order))


def _authorized(order: Order) -> Fact:
    assert order.payment.authorization is not None
    hold = order.payment.authorization
    return PaymentAuthorized(answers=hold.intent, authorization_id="auth_51HqZ8", amount=hold.amount, at=AT)


def _captured(order: Order) -> Fact:
    capture = order.payment.captures[-1]
    return PaymentCaptured(answers=capture.intent, capture_id="cap_77QkL2", amount=capture.amount, at=AT)


def _ticket(order: Order) -> int:
    assert order.ticket is not None
    return order.ticket.intent


def _offer(order: Order) -> int:
    return order.delivery.offers[-1].intent


_PLACED: Line_ = lambda order: place(order.order_id)  # noqa: E731 - a line of a story, beside the others
_ACCEPTED = _fact(lambda order: PreparationAccepted(answers=_ticket(order), ready_at=AT, at=AT))
_ASSIGNED = _fact(lambda order: CourierAssigned(answers=_offer(order), courier=CourierId("cou_1"), at=AT))
_DECLINED = _fact(lambda order: CourierDeclined(answers=_offer(order), reason="too far", at=AT))
_READY = _fact(lambda order: PreparationReady(answers=_ticket(order), at=AT))
_PICKED_UP = _fact(lambda order: OrderPickedUp(answers=_offer(order), at=AT))
_DELIVERED = _fact(lambda order: OrderDelivered(answers=_offer(order), at=AT))

_TO_THE_COURIER = (_PLACED, _fact(_authorized), _ACCEPTED)
_TO_THE_END = (_ASSIGNED, _READY, _PICKED_UP, _DELIVERED, _fact(_captured))
_HAPPY = _TO_THE_COURIER + _TO_THE_END
_DECLINED_TWICE = (*_TO_THE_COURIER, _DECLINED, _DECLINED, *_TO_THE_END)
