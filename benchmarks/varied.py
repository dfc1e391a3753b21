"""Orders that differ from one another as those of a platform do, for filled databases.

An order has one of some stories (delivered, credited, declined, rejected, cancelled, parked) with one of 400 baskets in
three currencies, and a restaurant, customer, courier, references and times of its own. Few restaurants have many
orders; more are placed at noon and in the evening than at night. Each story is decided once for each basket; an order
has its own values in place of those of the example, so that a million orders take minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate
from typing import Any

from benchmarks import histories
from benchmarks.histories import AT, CONTACT, CUSTOMER, Commitment, Line_, decided, fact, ticket
from domain.identifiers import Actor, CustomerId, OrderId, Role, Sku, order_id_for
from domain.money import Money
from domain.order.commands import CancelOrder, GrantCredit, ParkOrder, PlaceOrder
from domain.order.events import (
    CourierReleased,
    CourierReleaseRequested,
    Event,
    Fact,
    Fault,
    Line,
    PaymentAuthorizationRequested,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
    PaymentVoidRequested,
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationRejected,
)
from domain.order.intents import open_intents
from domain.order.order import Order
from domain.personal import Contact
from workflows.clock import timestamp
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit

BASKETS = 400
SECONDS_APART = 3  # a million orders are 35 days
_SUE = Actor(Role.SUPPORT, "sue")
_EXPEDITER = Actor(Role.SYSTEM, "expediter")
_THE_CUSTOMER = histories.BY_CUSTOMER
_THE_RESTAURANT = Actor(Role.RESTAURANT, "rst_1")
_THE_COURIER = Actor(Role.COURIER, "cou_1")


def varied_commits(codec: Codec, number: int, orders: int) -> Iterator[Commit]:
    """Make the commits of order ``number`` of ``orders``: the same with each call, but for random encryption."""
    chance = random.Random(number)
    [story] = chance.choices(range(len(_STORIES)), cum_weights=_WEIGHTS)
    order_id, at = order_id_for("filled", str(number)), _placed_at(chance, orders - number)
    own: dict[Any, Any] = {
        **_people(chance, orders),
        _EXAMPLE: order_id,
        **{
            example: f"{example.split('_')[0]}_{chance.getrandbits(64):016x}"
            for example in (histories.AUTHORIZATION, histories.CAPTURE, _REFUND)
        },
    }
    commitments = []
    for step, commitment in zip(_STORIES[story], _commitments(story, chance.randrange(BASKETS)), strict=True):
        at += timedelta(seconds=chance.random() * step.within_s)
        own[AT] = at
        commitments.append(
            replace(
                commitment,
                events=tuple(_with(event, own) for event in commitment.events),
                actor=own.get(step.by, step.by),
                subject=own[CUSTOMER],
                ts=timestamp(at),
            )
        )
    return histories.sealed(codec, order_id, commitments)


def _with(event: Event, own: Mapping[Any, Any]) -> Event:
    """Return the event with an order's own values in place of those of the example."""
    kind: Any = type(event)
    values = {name: getattr(event, name) for name in _named(kind)}
    changed = {name: own[value] for name, value in values.items() if value in own}
    return replace(event, **changed) if changed else event


@cache
def _named(kind: Any) -> tuple[str, ...]:
    """Return the fields of an event that may hold a value of the example; all of them can be keys of a dict."""
    return tuple(field.name for field in fields(kind) if field.name in _OWN)


_OWN = frozenset(
    {"order_id", "customer", "restaurant", "contact", "by", "courier", "authorization_id", "capture_id", "refund_id"}
    | {"at", "placed_at", "ready_at"}
)


def customers_of(orders: int) -> int:
    """Return how many customers so many orders are of: at most as many as have their keys in a key ring's cache."""
    return max(10, min(orders // 10, 4_000))


def customer_id(number: int) -> CustomerId:
    return CustomerId(f"cus_{number}")


def _placed_at(chance: random.Random, before: int) -> datetime:
    """Return the time of the order that ``before`` others follow until noon of the last day."""
    at = AT - timedelta(seconds=before * SECONDS_APART)
    if chance.random() < 0.7:  # in two hours from noon or in four from six in the evening
        at = at.replace(hour=chance.choice((12, 13, 18, 19, 20, 21))) - timedelta(days=1)
    return at


# --- people -----------------------------------------------------------------------------------------------------------


def _people(chance: random.Random, orders: int) -> dict[Any, Any]:
    """Draw the parties of an order, from more of each the more orders there are; by those of the example."""
    customer = chance.randrange(customers_of(orders))
    restaurants = max(10, orders // 500)
    few = chance.random() < 0.2
    restaurant = f"rst_{chance.randrange(max(1, restaurants // 100) if few else restaurants)}"
    courier = f"cou_{chance.randrange(max(10, orders // 1000))}"
    return {
        CUSTOMER: customer_id(customer),
        _THE_CUSTOMER: Actor(Role.CUSTOMER, customer_id(customer)),
        CONTACT: _contact(customer),
        _THE_RESTAURANT.id: restaurant,
        _THE_RESTAURANT: Actor(Role.RESTAURANT, restaurant),
        _THE_COURIER.id: courier,
        _THE_COURIER: Actor(Role.COURIER, courier),
    }


@cache
def _contact(customer: int) -> Contact:
    chance = random.Random(customer)
    first, last = chance.choice(_FIRST_NAMES), chance.choice(_LAST_NAMES)
    return Contact(
        name=f"{first} {last}",
        phone=f"+33 6 {customer // 10_000 % 100:02} {customer // 100 % 100:02} {customer % 100:02} 10",
        address=f"{chance.randrange(1, 200)} {chance.choice(_STREETS)}, 750{chance.randrange(1, 21):02} Paris",
        email=f"customer{customer}@example.com" if chance.random() < 0.8 else "",
    )


_FIRST_NAMES = (
    *("Camille", "Zoë", "Louis", "Jean-Pierre", "Aïcha", "Mohamed", "Fatou", "Nguyen", "Søren", "Łukasz", "Maria"),
    *("José", "Inês", "Giulia", "Dmitri", "Олена", "李", "مريم", "Siobhán", "Ada", "Kofi", "Priya", "Yuki", "Björn"),
)
_LAST_NAMES = (
    *("Roux", "Martin", "O'Brien", "Núñez", "Müller", "Benali", "Diallo", "Van den Berg", "Kowalska", "Rossi", "Silva"),
    *("García", "Шевченко", "小龙", "الحداد", "Lovelace", "Mensah", "Patel", "Tanaka", "Åkesson", "D'Angelo", "Smith"),
)
_STREETS = (
    "rue des Lilas",
    "avenue de Flandre",
    "boulevard Voltaire",
    "rue de l'Ourcq",
    "passage du Désir",
    "quai Bas",
)


# --- stories ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """A commit of a story: its author, its command, and how many seconds after the one before at most."""

    by: Actor
    line: Line_
    within_s: int = 5


_EXAMPLE, _REFUND = OrderId("ord_x"), "re_4Tq8Wd"


@cache
def _commitments(story: int, basket: int) -> list[Commitment]:
    """Decide a story of the example with a basket."""
    _, *steps = _STORIES[story]
    placed: Line_ = lambda order: _basket(basket, order)  # noqa: E731 - a line of a story, as in histories
    return decided(_EXAMPLE, (placed, *(step.line for step in steps)))


def _basket(number: int, order: Order) -> PlaceOrder:
    chance = random.Random(number)
    [currency] = chance.choices(("EUR", "GBP", "JPY"), (80, 15, 5))

    def money(low: int, high: int, step: int) -> Money:
        """Draw an amount in cents; a cent is one and a half yen, which have no smaller unit."""
        cents = chance.randrange(low * 100, high * 100, step)
        return Money(cents * 3 // 2 if currency == "JPY" else cents, currency)

    lines = tuple(
        Line(sku=Sku(sku), name=name, quantity=chance.randrange(1, 4), unit_price=money(2, 18, 10))
        for sku, name in chance.sample(_DISHES, chance.randrange(1, 5))
    )
    return replace(
        histories.place(order.order_id),
        lines=lines,
        delivery_fee=money(0, 5, 50),
        service_fee=money(0, 2, 25),
        tip=money(0, 6, 1),
    )


_DISHES = (
    *(("pizza-margherita", "Pizza Margherita"), ("pizza-diavola", "Pizza Diavola"), ("acqua-1l", "Acqua, 1 l")),
    *(("pho-bo", "Phở bò"), ("ramen-miso", "Miso ramen"), ("bibimbap", "Bibimbap"), ("falafel", "Falafel, 6 pieces")),
    *(("burger", "Burger"), ("frites", "Frites"), ("tiramisu", "Tiramisù"), ("mochi", "Mochi"), ("lassi", "Lassi")),
)


def _reported(by: Actor, make: Callable[[Order], Fact], within_s: int = 5) -> _Step:
    return _Step(by, fact(make), within_s)


def _parked(error: str, detail: str = "no answer") -> _Step:
    return _Step(_EXPEDITER, lambda _: ParkOrder(run=1, error=error, detail=detail, compensating=False), 60)


def _open(order: Order, kind: type[Event]) -> int:
    """Return the version of the intent of this type that has no outcome yet."""
    return next(intent.version for intent in open_intents(order) if isinstance(intent.intent, kind))


def _credit(order: Order) -> GrantCredit:
    amount = Money(max(1, order.total.minor // 10), order.currency)
    return GrantCredit(credit_id="cold", amount=amount, fault=Fault.COURIER, by=_SUE, reason="the meal was cold")


def _refunded(order: Order) -> PaymentRefunded:
    refund = order.payment.refunds[-1]
    return PaymentRefunded(answers=refund.intent, refund_id=_REFUND, amount=refund.amount, at=AT)


def _card_declined(order: Order) -> PaymentDeclined:
    return PaymentDeclined(answers=_open(order, PaymentAuthorizationRequested), reason="insufficient funds", at=AT)


def _voided(order: Order) -> PaymentVoided:
    return PaymentVoided(answers=_open(order, PaymentVoidRequested), at=AT)


def _rejected(order: Order) -> PreparationRejected:
    return PreparationRejected(answers=ticket(order), reason="too busy", at=AT)


def _ticket_cancelled(order: Order) -> PreparationCancelled:
    return PreparationCancelled(answers=_open(order, PreparationCancellationRequested), at=AT)


def _courier_released(order: Order) -> CourierReleased:
    return CourierReleased(answers=_open(order, CourierReleaseRequested), at=AT)


def _gave_up(_: Order) -> CancelOrder:
    return CancelOrder(by=_THE_CUSTOMER, reason="I ordered twice")


_placed = _Step(_THE_CUSTOMER, histories.PLACED, 60)
_paid = (_placed, _reported(_EXPEDITER, histories.authorized))
_accepted = (*_paid, _Step(_THE_RESTAURANT, histories.ACCEPTED, 300))
_assigned = _Step(_THE_COURIER, histories.ASSIGNED, 240)
_on_its_way = (
    _assigned,
    _Step(_THE_RESTAURANT, histories.READY, 1_500),
    _Step(_THE_COURIER, histories.PICKED_UP, 600),
)
_brought = (*_on_its_way, _Step(_THE_COURIER, histories.DELIVERED, 1_800))
_charged = _reported(_EXPEDITER, histories.captured)
_delivered = (*_accepted, *_brought, _charged)
_is_released = _reported(_EXPEDITER, _courier_released)
_is_voided = _reported(_EXPEDITER, _voided)

_STORIES_OF_1000: Mapping[tuple[_Step, ...], int] = {
    _delivered: 870,
    (*_accepted, _Step(_THE_COURIER, histories.DECLINED, 120), *_brought, _charged): 40,
    (*_delivered, _Step(_SUE, _credit, 7_200), _reported(_EXPEDITER, _refunded)): 20,
    (_placed, _reported(_EXPEDITER, _card_declined)): 25,
    (*_paid, _reported(_THE_RESTAURANT, _rejected, 300), _is_voided): 20,
    (
        *_accepted,
        _Step(_THE_CUSTOMER, _gave_up, 200),
        _reported(_THE_RESTAURANT, _ticket_cancelled),
        _is_released,
        _is_voided,
    ): 20,
    (_placed, _parked("PaymentsUnavailable")): 1,
    (*_paid, _parked("KitchenUnavailable")): 1,
    (*_accepted, _parked("CouriersUnavailable")): 1,
    (*_accepted, *_on_its_way, _parked("DeliveryOverdue", "no report of the delivery")): 1,
    (*_accepted, *_brought, _parked("CircuitOpen", "payments are down")): 1,
}
"""The steps of each story, and how many orders of a thousand have it."""
_STORIES, _WEIGHTS = list(_STORIES_OF_1000), list(accumulate(_STORIES_OF_1000.values()))
