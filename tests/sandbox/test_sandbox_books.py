"""The sandbox's ledger can be compared with the log: every line has the key of its call, and the sums add up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import OrderId, RestaurantId, Sku, order_id_for
from domain.money import Money
from domain.order.events import Line
from workflows.gateways.payment import Authorized, Captured, Declined, PaymentsUnavailable, Refunded
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import open_sandbox
from workflows.sandbox.payment import PaymentPosition, SandboxPayments
from workflows.sandbox.settings import SandboxSettings

ORDER = order_id_for("books", "1")


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def hold(payments: SandboxPayments, amount: str, key: str, method: str = "pm_ok") -> str:
    receipt = payments.authorize(reference=ORDER, payment_method=method, amount=eur(amount), key=key, timeout_s=10)
    assert isinstance(receipt, Authorized)
    return receipt.authorization_id


def kinds(payments: SandboxPayments) -> list[tuple[str, str, str]]:
    return [(line.kind, line.key, str(line.amount)) for line in payments.entries(ORDER)]


def test_a_partial_capture_and_refund_are_lines_that_name_their_calls(opened):
    """Each line of the ledger is explained by exactly one event, which its key names."""
    payments = opened().payments
    taken = payments.capture(
        authorization_id=hold(payments, "40.00", f"{ORDER}/2"), amount=eur("31.50"), key=f"{ORDER}/9", timeout_s=10
    )
    payments.refund(capture_id=taken.capture_id, amount=eur("1.25"), key=f"{ORDER}/11", timeout_s=10)
    assert kinds(payments) == [
        ("authorized", f"{ORDER}/2", "40.00 EUR"),
        ("captured", f"{ORDER}/9", "31.50 EUR"),
        ("released", f"{ORDER}/9", "8.50 EUR"),
        ("refunded", f"{ORDER}/11", "1.25 EUR"),
    ]
    assert payments.position(ORDER) == PaymentPosition(
        authorized=eur("40.00"), held=eur("0.00"), captured=eur("31.50"), released=eur("8.50"), refunded=eur("1.25")
    )


def test_a_refusal_writes_no_line(opened):
    """Nothing moved."""
    payments = opened().payments
    auth = hold(payments, "40.00", f"{ORDER}/2")
    payments.capture(authorization_id=auth, amount=eur("99.00"), key=f"{ORDER}/3", timeout_s=10)
    assert [kind for kind, _, _ in kinds(payments)] == ["authorized"]


def test_an_expired_hold_is_released_and_its_line_has_the_key_of_the_next_call(opened, clock):
    """The next call for the hold writes the line; the sums count the expiry before that."""
    payments = opened().payments
    auth = hold(payments, "40.00", f"{ORDER}/2")
    clock.advance(timedelta(days=8))
    before = payments.position(ORDER)
    payments.capture(authorization_id=auth, amount=eur("40.00"), key=f"{ORDER}/3", timeout_s=10)
    assert kinds(payments)[1:] == [("expired", f"{ORDER}/3", "40.00 EUR")]
    assert payments.position(ORDER) == before
    assert (before.held, before.released) == (eur("0.00"), eur("40.00"))


def test_money_whose_void_is_refused_stays_held(opened):
    """A refused void is money in doubt, and the books must show it."""
    payments = opened().payments
    auth = hold(payments, "40.00", f"{ORDER}/2", "pm_void_refused")
    assert payments.void(authorization_id=auth, key=f"{ORDER}/3", timeout_s=10).reason == "void_declined"
    assert payments.position(ORDER).held == eur("40.00")


def test_a_capture_that_the_bank_declines_stays_held_until_it_is_voided(opened):
    """A final no to the capture is not a release."""
    payments = opened().payments
    auth = hold(payments, "40.00", f"{ORDER}/2", "pm_capture_refused")
    refused = payments.capture(authorization_id=auth, amount=eur("40.00"), key=f"{ORDER}/3", timeout_s=10)
    assert refused.reason == "capture_declined"
    assert payments.position(ORDER).held == eur("40.00")
    payments.void(authorization_id=auth, key=f"{ORDER}/4", timeout_s=10)
    assert payments.position(ORDER).held == eur("0.00")


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("10000.01", "amount_too_high"), ("0.00", "amount_invalid"), ("-1.00", "amount_invalid")],
)
def test_amounts_out_of_range_are_declined(opened, amount, reason):
    """Above the limit, zero, or negative."""
    payments = opened().payments
    declined = payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=eur(amount), key=f"{ORDER}/1", timeout_s=10
    )
    assert declined.reason == reason
    assert [kind for kind, _, _ in kinds(payments)] == ["declined"]
    assert payments.position(ORDER) is None


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        (Money(1_500_000, "JPY"), Authorized),
        (Money(1_500_001, "JPY"), Declined),
        (Money(1_000_001, "USD"), Declined),
        (Money(10**9, "KWD"), Authorized),
        (Money(10**9 + 1, "KWD"), Declined),
    ],
)
def test_the_limit_of_an_authorization_depends_on_its_currency(opened, amount, outcome):
    """A limit in minor units alone would be 10,000 euros, a million yen or a thousand dinars."""
    authorization = opened().payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=amount, key=f"{ORDER}/1", timeout_s=10
    )
    assert type(authorization) is outcome


def test_a_forgotten_key_does_not_refuse_another_call(opened, clock):
    """The sandbox forgets keys, as providers do; the first effect of the key is found and returned."""
    payments = opened().payments
    auth = hold(payments, "40.00", f"{ORDER}/2")
    first = payments.capture(authorization_id=auth, amount=eur("1.00"), key=f"{ORDER}/3", timeout_s=10)
    clock.advance(SandboxSettings().payment.remembers)
    again = payments.capture(authorization_id=auth, amount=eur("2.00"), key=f"{ORDER}/3", timeout_s=10)
    assert again == first
    assert payments.position(ORDER).captured == eur("1.00")


def test_an_unknown_order_has_no_position(opened):
    """Not zero: there is not even a currency."""
    assert opened().payments.position(ORDER) is None


def test_the_books_can_be_read_beside_a_running_engine(opened, clock, tmp_path: Path):
    """Reading takes no lock."""
    payments = opened().payments
    hold(payments, "40.00", f"{ORDER}/2")
    surroundings = Surroundings(clock=clock, random=Random(1))
    beside = open_sandbox(tmp_path / "sandbox.sqlite", SandboxSettings(), surroundings, read_only=True)
    assert beside.payments.entries() == payments.entries()
    assert beside.payments.position(ORDER) == payments.position(ORDER)
    beside.close()


def test_tickets_and_offers_are_lines_too(opened):
    """A tombstone has no reference, because the kitchen never got the order's id."""
    sandbox = opened()
    line = Line(sku=Sku("soup"), name="Soup", quantity=1, unit_price=eur("6.00"))
    sandbox.kitchen.cancel_ticket(ticket_key=f"{ORDER}/3", key=f"{ORDER}/5", timeout_s=10)
    sandbox.kitchen.send_ticket(
        reference=ORDER, restaurant=RestaurantId("rest-1"), lines=[line], key=f"{ORDER}/3", timeout_s=10
    )
    sandbox.couriers.offer(
        reference=ORDER, restaurant=RestaurantId("rest-1"), attempt=1, key=f"{ORDER}/4", timeout_s=10
    )
    sandbox.couriers.withdraw(offer_key=f"{ORDER}/4", key=f"{ORDER}/6", timeout_s=10)

    def lines(counterparty: Any, reference: str | None) -> list[tuple[str, str, str]]:
        return [(line.kind, line.key, line.reference) for line in counterparty.entries(reference)]

    assert lines(sandbox.kitchen, None) == [("taken_back", f"{ORDER}/5", ""), ("turned_away", f"{ORDER}/3", ORDER)]
    assert lines(sandbox.couriers, ORDER) == [("arrived", f"{ORDER}/4", ORDER), ("taken_back", f"{ORDER}/6", ORDER)]


# --- a law over any calls in any order ------------------------------------------------------------------------------

METHODS = ["pm_ok", "pm_declined", "pm_expires", "pm_capture_refused", "pm_void_refused", "pm_refund_refused"]
CENTS = st.integers(-1, 60)
WHICH = st.integers(0, 3)  # of the authorizations or captures so far; too high a number is an unknown id
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("authorize"), st.sampled_from(METHODS), CENTS),
        st.tuples(st.just("capture"), WHICH, CENTS),
        st.tuples(st.just("void"), WHICH, st.just(0)),
        st.tuples(st.just("refund"), WHICH, CENTS),
        st.tuples(st.just("wait"), st.sampled_from([1, 50, 100]), st.just(0)),  # hours; what is held lapses after 168
    ),
    max_size=14,
)

_orders = itertools.count()


class Story:
    """One order's calls, each repeated until it is answered, and their receipts."""

    def __init__(self, payments: SandboxPayments, order: OrderId) -> None:
        self.payments = payments
        self.order = order
        self.answered: list[tuple[Callable[[], Any], Any]] = []
        self.holds: list[str] = []
        self.captures: list[str] = []

    def ask(self, operation: str, which: Any, cents: int) -> None:
        call = self._call(operation, which, Money(cents, "EUR"))
        receipt = until_answered(call)
        self.answered.append((call, receipt))
        if isinstance(receipt, Authorized):
            self.holds.append(receipt.authorization_id)
        if isinstance(receipt, Captured):
            self.captures.append(receipt.capture_id)

    def sum(self, kind: type) -> Money:
        return Money(sum(receipt.amount.minor for _, receipt in self.answered if isinstance(receipt, kind)), "EUR")

    def _call(self, operation: str, which: Any, amount: Money) -> Callable[[], Any]:
        named = {"key": f"{self.order}/{len(self.answered) + 1}", "timeout_s": 10}
        match operation:
            case "authorize":
                parameters = {"reference": self.order, "payment_method": which, "amount": amount, **named}
            case "refund":
                parameters = {"capture_id": _nth(self.captures, which), "amount": amount, **named}
            case "capture":
                parameters = {"authorization_id": _nth(self.holds, which), "amount": amount, **named}
            case _:
                parameters = {"authorization_id": _nth(self.holds, which), **named}
        return lambda: getattr(self.payments, operation)(**parameters)


def until_answered(call: Callable[[], Any]) -> Any:
    while True:
        try:
            return call()
        except PaymentsUnavailable:
            continue


def _nth(ids: list[str], which: int) -> str:
    return ids[which] if which < len(ids) else "unknown_id"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_after_any_calls_the_money_adds_up_and_repeats_change_nothing(lossy, steps):
    """Held, captured and released make what was authorised; captured covers refunded."""
    sandbox, clock = lossy
    story = Story(sandbox.payments, order_id_for("law", str(next(_orders))))
    for operation, which, cents in steps:
        if operation == "wait":
            clock.advance(timedelta(hours=which))
        else:
            story.ask(operation, which, cents)
        _check_position(story)
    _check_repeats(story)


def _check_position(story: Story) -> None:
    position = story.payments.position(story.order)
    if position is None:
        assert story.sum(Authorized) == Money(0, "EUR")
        return
    assert position.held + position.captured + position.released == position.authorized == story.sum(Authorized)
    assert position.captured == story.sum(Captured) <= position.authorized
    assert position.refunded == story.sum(Refunded) <= position.captured
    assert min(position.held.minor, position.captured.minor, position.released.minor, position.refunded.minor) >= 0


def _check_repeats(story: Story) -> None:
    entries = story.payments.entries(story.order)
    for call, receipt in reversed(story.answered):
        assert msgspec.json.encode(until_answered(call)) == msgspec.json.encode(receipt)
    assert story.payments.entries(story.order) == entries
