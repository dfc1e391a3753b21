"""Placing an order: what is accepted, what is requested at once, what is refused and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identifiers import CustomerId
from domain.money import Money
from domain.order.deciding import LINES_MAX, TOTAL_MAX_MINOR, decide
from domain.order.events import Option, OrderPlaced, PaymentAuthorizationRequested
from domain.order.order import Status
from domain.order.refusals import InvalidOrder, OrderAlreadyPlaced, OrderNotFound
from domain.personal import Contact, Erased
from tests.domain.order.stories import (
    NOON,
    PIZZA,
    PLACED,
    SALAD,
    UNKNOWN,
    StoryLine,
    cancel,
    credit,
    eur,
    folded,
    given,
    park,
    place,
    restart,
)

FREE = eur("0")
BURRATA = Option(name="burrata", price=eur("2.00"))
BELOW_ZERO = Option(name="x", price=eur("-1.00"))


def test_placing_requests_an_authorization_of_the_whole_price_in_the_same_commit():
    """Intent before effect: the commit that makes a call necessary has its intent."""
    (
        given()
        .when(place())
        .then(OrderPlaced, PaymentAuthorizationRequested(amount=eur("40.00"), payment_method="card"))
        .being(Status.PLACED)
        .with_open(PaymentAuthorizationRequested)
        .holding("authorization in doubt")
        .with_books()
    )


def test_placing_the_same_order_twice_is_one_order():
    """A retry finds its own order."""
    given(*PLACED).when(place()).nothing()
    given(*PLACED).when(place(at=NOON + timedelta(minutes=1))).nothing()


def test_placing_the_same_order_again_after_its_customer_was_erased_is_still_one_order():
    """No decision may depend on personal data."""
    placed = given(*PLACED).events[0]
    assert isinstance(placed, OrderPlaced)
    folded(replace(placed, contact=Erased(), payment_method=Erased())).when(place()).nothing()


def test_another_order_under_the_same_id_is_refused():
    given(*PLACED).when(place(SALAD)).refused(OrderAlreadyPlaced)
    given(*PLACED).when(place(customer=CustomerId("dora"))).refused(OrderAlreadyPlaced)
    given(*PLACED).when(place(contact=Contact(name="Cleo", phone="1", address="else"))).refused(OrderAlreadyPlaced)


@pytest.mark.parametrize(
    ("order", "field"),
    [
        (replace(place(), lines=()), "lines"),
        (place(*[SALAD] * (LINES_MAX + 1)), "lines"),
        (place(replace(SALAD, quantity=0)), "lines[0].quantity"),
        (place(SALAD, replace(SALAD, quantity=-1)), "lines[1].quantity"),
        (place(replace(SALAD, unit_price=eur("-0.01"))), "lines[0].unit_price"),
        (place(replace(SALAD, unit_price=Money(600, "USD"))), "lines[0].unit_price"),
        (place(PIZZA, replace(PIZZA, options=(BURRATA, BELOW_ZERO))), "lines[1].options[1].price"),
        (place(replace(PIZZA, options=(Option(name="x", price=Money(1, "USD")),))), "lines[0].options[0].price"),
        (place(tip=eur("-1.00")), "tip"),
        (place(service_fee=Money(1, "USD")), "service_fee"),
        (place(delivery_fee=Money(1, "USD")), "service_fee"),
        (place(replace(SALAD, unit_price=FREE), delivery_fee=FREE, service_fee=FREE, tip=FREE), "lines"),
        (place(tip=Money(TOTAL_MAX_MINOR, "EUR")), "lines"),
        (place(replace(SALAD, quantity=TOTAL_MAX_MINOR // 600 + 1)), "lines"),
        (place(replace(PIZZA, options=(Option(name="gold", price=Money(TOTAL_MAX_MINOR, "EUR")),))), "lines"),
    ],
)  # fmt: skip
def test_an_invalid_order_is_refused_with_the_name_of_the_field(order, field):
    story = given().when(order).refused(InvalidOrder)
    assert isinstance(story.refusal, InvalidOrder)
    assert story.refusal.field == field


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_the_highest_total_is_stated_in_minor_units_of_the_currency(currency):
    """One minor unit more is refused, so no provider or database ever gets an amount it cannot hold."""
    free = {"delivery_fee": Money(0, currency), "service_fee": Money(0, currency)}
    line = replace(SALAD, unit_price=Money(TOTAL_MAX_MINOR, currency))
    highest = Money(TOTAL_MAX_MINOR, currency)
    given().when(place(line, **free, tip=Money(0, currency))).then(
        OrderPlaced, PaymentAuthorizationRequested(amount=highest, payment_method="card")
    )
    given().when(place(line, **free, tip=Money(1, currency))).refused(InvalidOrder)


def test_an_order_may_have_as_many_lines_as_allowed_and_free_items_among_them():
    given().when(place(*[SALAD] * LINES_MAX)).then(OrderPlaced, PaymentAuthorizationRequested)
    given().when(place(SALAD, replace(PIZZA, unit_price=eur("0"), options=()))).then(
        OrderPlaced, PaymentAuthorizationRequested(amount=eur("12.00"), payment_method="card")
    )


@pytest.mark.parametrize("line", [cancel(), credit("1.00"), park(), restart()])
def test_every_command_on_an_order_that_was_never_placed_is_refused(line: StoryLine):
    given().when(line).refused(OrderNotFound)


def test_an_order_without_payment_events_has_a_price_and_holds_nothing():
    """Views show orders at every version, also at the first."""
    placed = folded(decide(place(), UNKNOWN)[0])
    assert str(placed.order.total) == "40.00 EUR"
    assert str(UNKNOWN.total) == "0.00 "
    assert UNKNOWN.status is Status.UNPLACED
    placed.holding().with_open()
