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
from domain.order.evolving import evolve
from domain.order.order import Order, initial
from domain.personal import Contact
from workflows.clock import timestamp
from workflows.event_store.codec import Codec
from workflows.event_store.commits import GENESIS, Commit, NewCommit, chain_hash

AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CUSTOMER = CustomerId("cus_1")
AUTHORIZATION, CAPTURE = "auth_51HqZ8", "cap_77QkL2"
CONTACT = Contact(name="Camille Roux", phone="+33 1 99 00 10 11", address="12 rue des Lilas, 75019 Paris")

BY_CUSTOMER = Actor(Role.CUSTOMER, CUSTOMER)
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


_TS = timestamp(AT)


@dataclass(frozen=True, slots=True)
class Commitment:
    """The content of one commit, its author and time, and the customer whose key encrypts its personal fields."""

    key: str
    events: tuple[Event, ...]
    actor: Actor = BY_CUSTOMER
    subject: CustomerId = CUSTOMER
    ts: str = _TS


def happy(order_id: OrderId) -> list[Commitment]:
    """List the commits of a delivered order: 13 events in 8 commits."""
    placed, *rest = _happy()
    first = replace(placed.events[0], order_id=order_id)  # type: ignore[arg-type]  # it is OrderPlaced
    return [Commitment(placed.key, (first, *placed.events[1:])), *rest]


@cache
def _happy() -> list[Commitment]:
    return decided(OrderId("ord_x"), _HAPPY)


def of_events(order_id: OrderId, events: int) -> list[Commitment]:
    """List commits with exactly this many events: couriers decline, then the restaurant reports missing items."""
    story = decided(order_id, _DECLINED_TWICE)
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
        unsealed = Commit(
            f"order#{order_id}", version + 1, new.key, commitment.ts, b"", codec.encode(f"order#{order_id}", new)
        )
        head = chain_hash(head, unsealed)
        yield Commit(unsealed.pk, unsealed.sk, unsealed.k, unsealed.ts, head, unsealed.ev)
        version += len(commitment.events)


def new_commit(order_id: OrderId, commitment: Commitment) -> NewCommit:
    """Build a commit as the command handling does."""
    return NewCommit(
        key=commitment.key,
        events=commitment.events,
        actor=commitment.actor,
        correlation=order_id,
        causation="benchmark",
        body_hash="0123456789abcdef0123456789abcdef",
        subject=commitment.subject,
    )


def decided(order_id: OrderId, lines: tuple[Line_, ...]) -> list[Commitment]:
    """List the commits that these commands lead to, each decided on the order as the ones before left it."""
    order, story = initial(order_id), []
    for number, line in enumerate(lines):
        command = line(order)
        events = decide(command, order)
        story.append(Commitment(f"benchmark/{type(command).__name__}/{number}", events))
        for event in events:
            order = evolve(order, event)
    return story


def fact(make: Callable[[Order], Fact]) -> Line_:
    """Build the report of what ``make`` returns."""
    return lambda order: RecordFact(fact=make(order))


def authorized(order: Order) -> Fact:
    assert order.payment.authorization is not None
    hold = order.payment.authorization
    return PaymentAuthorized(answers=hold.intent, authorization_id=AUTHORIZATION, amount=hold.amount, at=AT)


def captured(order: Order) -> Fact:
    capture = order.payment.captures[-1]
    return PaymentCaptured(answers=capture.intent, capture_id=CAPTURE, amount=capture.amount, at=AT)


def ticket(order: Order) -> int:
    assert order.ticket is not None
    return order.ticket.intent


def offer(order: Order) -> int:
    return order.delivery.offers[-1].intent


PLACED: Line_ = lambda order: place(order.order_id)  # noqa: E731 - a line of a story, beside the others
ACCEPTED = fact(lambda order: PreparationAccepted(answers=ticket(order), ready_at=AT, at=AT))
ASSIGNED = fact(lambda order: CourierAssigned(answers=offer(order), courier=CourierId("cou_1"), at=AT))
DECLINED = fact(lambda order: CourierDeclined(answers=offer(order), reason="too far", at=AT))
READY = fact(lambda order: PreparationReady(answers=ticket(order), at=AT))
PICKED_UP = fact(lambda order: OrderPickedUp(answers=offer(order), at=AT))
DELIVERED = fact(lambda order: OrderDelivered(answers=offer(order), at=AT))

_TO_THE_COURIER = (PLACED, fact(authorized), ACCEPTED)
_TO_THE_END = (ASSIGNED, READY, PICKED_UP, DELIVERED, fact(captured))
_HAPPY = _TO_THE_COURIER + _TO_THE_END
_DECLINED_TWICE = (*_TO_THE_COURIER, DECLINED, DECLINED, *_TO_THE_END)
