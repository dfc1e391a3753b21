"""The contract of ``KitchenGateway``, for every adapter."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain.identifiers import RestaurantId, Sku
from domain.money import Money
from domain.order.events import Line, Option
from workflows.gateways.errors import KeyMisused
from workflows.gateways.kitchen import Cancelled, KitchenGateway, KitchenUnavailable
from workflows.gateways.receipts import TooLate

LINES = (
    Line(
        sku=Sku("pizza"),
        name="Pizza",
        quantity=2,
        unit_price=Money(1150, "EUR"),
        options=(Option(name="burrata", price=Money(200, "EUR")),),
    ),
)


def send(kitchen, key: str, *, lines: tuple[Line, ...] = LINES, note: str = "") -> None:
    gateway: KitchenGateway = kitchen.gateway
    gateway.send_ticket(
        reference=kitchen.calls.order, restaurant=RestaurantId("rest-1"), lines=lines, key=key, timeout_s=10, note=note
    )


def cancel(kitchen, ticket: str, key: str | None = None) -> Cancelled | TooLate:
    receipt: Cancelled | TooLate = kitchen.gateway.cancel_ticket(
        ticket_key=ticket, key=key or kitchen.calls.key(), timeout_s=10
    )
    return receipt


def test_a_ticket_can_be_cancelled_until_the_meal_is_cooked(kitchen):
    """Before that it is removed from the kitchen's board."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    kitchen.advance(kitchen.too_late_after - timedelta(seconds=1))
    assert isinstance(cancel(kitchen, ticket), Cancelled)


def test_a_cooked_meal_cannot_be_cancelled_and_stays_so(kitchen):
    """``TooLate`` is a final answer with a reason."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    kitchen.advance(kitchen.too_late_after)
    first = cancel(kitchen, ticket)
    assert isinstance(first, TooLate)
    assert first.reason == "already_cooked"
    kitchen.advance(timedelta(hours=-1))  # clocks may go backwards
    assert cancel(kitchen, ticket) == first


def test_cancelling_again_returns_the_time_of_the_first_cancellation(kitchen):
    """Even with another key, hours later."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    first = cancel(kitchen, ticket)
    kitchen.advance(timedelta(hours=2))
    assert cancel(kitchen, ticket) == first


def test_a_ticket_cancelled_before_it_arrives_is_never_cooked(kitchen):
    """A ticket that may not have arrived can be cancelled; if it arrives later it is rejected."""
    ticket = kitchen.calls.key()
    first = cancel(kitchen, ticket)
    assert isinstance(first, Cancelled)
    kitchen.advance(timedelta(minutes=5))
    send(kitchen, ticket)
    assert kitchen.never_cooked(ticket)
    kitchen.advance(kitchen.too_late_after * 2)
    assert cancel(kitchen, ticket) == first


def test_a_ticket_sent_again_is_one_ticket_and_does_not_restart(kitchen):
    """The cooking time counts from the first arrival."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    kitchen.advance(kitchen.too_late_after - timedelta(seconds=1))
    send(kitchen, ticket)
    kitchen.advance(timedelta(seconds=1))
    assert isinstance(cancel(kitchen, ticket), TooLate)


def test_a_ticket_sent_again_after_it_was_cancelled_stays_cancelled(kitchen):
    """A slow retry must not put it back on the board."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    first = cancel(kitchen, ticket)
    send(kitchen, ticket)
    kitchen.advance(kitchen.too_late_after * 2)
    assert cancel(kitchen, ticket) == first


def test_a_key_with_another_ticket_is_an_error(kitchen):
    """A key belongs to one ticket with all its options."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket)
    with pytest.raises(KeyMisused, match=ticket):
        send(kitchen, ticket, lines=LINES * 2)
    with pytest.raises(KeyMisused, match="cancel_ticket"):
        cancel(kitchen, kitchen.calls.key(), key=ticket)


def test_a_ticket_sent_again_without_its_note_is_the_same_ticket(kitchen):
    """The customer may have been erased between two attempts, and the note with the customer."""
    ticket = kitchen.calls.key()
    send(kitchen, ticket, note="no basil, please")
    send(kitchen, ticket)
    assert isinstance(cancel(kitchen, ticket), Cancelled)


def test_a_repeated_cancellation_gets_the_first_receipt(kitchen):
    """It is the same receipt in every field, even if the ticket changed since."""
    ticket, key = kitchen.calls.key(), kitchen.calls.key()
    first = cancel(kitchen, ticket, key)
    send(kitchen, ticket)
    kitchen.advance(timedelta(days=60))
    assert cancel(kitchen, ticket, key) == first


def test_sending_and_cancelling_at_once_ends_with_a_ticket_that_is_not_cooked(kitchen):
    """In either order the cancellation wins."""
    tickets = [kitchen.calls.key() for _ in range(16)]
    keys = {ticket: kitchen.calls.key() for ticket in tickets}
    start = threading.Barrier(32)

    def patiently(ask) -> object:
        start.wait()
        while True:
            try:
                return ask()
            except KitchenUnavailable:
                continue

    with ThreadPoolExecutor(32) as threads:
        sent = [threads.submit(patiently, lambda ticket=ticket: send(kitchen, ticket)) for ticket in tickets]
        cancelled = [
            threads.submit(patiently, lambda ticket=ticket: cancel(kitchen, ticket, keys[ticket])) for ticket in tickets
        ]
        assert all(isinstance(answer.result(), Cancelled) for answer in cancelled)
        assert all(answer.result() is None for answer in sent)
    kitchen.advance(kitchen.too_late_after * 2)
    assert all(isinstance(cancel(kitchen, ticket), Cancelled) for ticket in tickets)
