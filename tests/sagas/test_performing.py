"""Performing open intents: each once, independently of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from domain.money import Money
from domain.order.events import PaymentAuthorizationRequested
from domain.order.payment import Hold
from tests.domain.order import stories as s
from tests.recorded import START, Shop
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.keyring import NoKeys
from workflows.gateways import courier, kitchen, payment
from workflows.gateways.errors import Unavailable
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.orders.command_handling import load
from workflows.sagas.actions import PaymentNotAuthorized, SagaStep, take_step
from workflows.sagas.steps.payment import PaymentMethodErased
from workflows.sagas.steps.performing import perform_open

ANSWERS: dict[str, tuple[type[Unavailable], Any]] = {
    "void": (payment.PaymentsUnavailable, payment.Voided(at=START)),
    "cancel_ticket": (kitchen.KitchenUnavailable, kitchen.Cancelled(at=START)),
    "withdraw": (courier.CouriersUnavailable, courier.Released(at=START)),
}


class Outside:
    """Gateways that compensate every call, except the method ``down``, which does not answer."""

    def __init__(self, down: str) -> None:
        self.down = down
        self.asked: list[str] = []

    def __getattr__(self, method: str) -> Any:
        return lambda **call: self._answer(method, call["key"])

    def _answer(self, method: str, key: str) -> Any:
        self.asked.append(method)
        failure, receipt = ANSWERS[method]
        if method == self.down:
            raise failure(key, "no answer")
        return receipt


@pytest.mark.parametrize("down", ANSWERS)
def test_one_undo_that_fails_does_not_hold_up_the_others(down: str) -> None:
    """Every compensation is tried once, the successful ones are recorded, and the step raises the failure."""
    shop = Shop()
    shop.play(*s.READY, s.cancel())
    outside: Any = Outside(down)
    engine = replace(shop.engine, payments=outside, kitchen=outside, couriers=outside)
    with pytest.raises(ANSWERS[down][0]):
        perform_open(engine, shop.order(), "a test")
    assert sorted(outside.asked) == sorted(ANSWERS)
    assert len([commit for commit in shop.log.read(f"order#{s.ORDER_ID}") if commit.k.endswith(_NAMED)]) == 2


@pytest.mark.parametrize("facts", [(*s.PLACED, s.declined()), (*s.READY, s.cancel())], ids=["declined", "cancelling"])
def test_a_run_goes_no_further_without_a_hold_or_while_it_is_being_cancelled(facts: tuple[Any, ...]) -> None:
    """An error, which the machine catches on the way back: no state between the two reads a result."""
    shop = Shop()
    shop.play(*facts)
    with pytest.raises(PaymentNotAuthorized):
        take_step(shop.engine, SagaStep(order_id=s.ORDER_ID, run=1, action="authorize"))


_NAMED = tuple(f"/{s.ORDER_ID}/{version}" for version in range(100))


class Payments:
    """Authorizes everything."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    def authorize(self, *, payment_method: str, amount: Money, **_: Any) -> payment.Authorized:
        self.methods.append(payment_method)
        return payment.Authorized(authorization_id="auth", amount=amount, at=START)


def test_an_authorization_opens_the_sealed_payment_method() -> None:
    """Also in a function whose log reads personal fields as erased, as the one on AWS does."""
    shop = Shop()
    shop.play(*s.PLACED)
    log, payments = without_keys(shop), Payments()
    engine = replace(shop.engine, log=log, payments=cast("Any", payments))
    _, order = load(log, s.ORDER_ID)
    order = perform_open(engine, order, "a test", lambda each: isinstance(each.intent, PaymentAuthorizationRequested))
    assert order.payment.authorization is not None
    assert order.payment.authorization.state is Hold.HELD
    assert payments.methods == [s.place().payment_method]


def test_an_authorization_whose_payment_method_was_erased_calls_nobody() -> None:
    """Without the method no attempt can be repeated; the provider may hold the amount of an earlier one."""
    shop = Shop()
    shop.play(*s.PLACED)
    shop.keyring.destroy(s.place().customer, shop.keyring.key_id_of(s.place().customer))
    payments: Any = Payments()
    engine = replace(shop.engine, payments=payments)
    with pytest.raises(PaymentMethodErased, match="authorization 2 cannot be requested") as refused:
        perform_open(engine, shop.order(), "a test")
    assert (refused.value.order_id, refused.value.version, payments.methods) == (s.ORDER_ID, 2, [])


class Kitchen:
    """Takes every ticket."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def send_ticket(self, *, note: str, **_: Any) -> None:
        self.notes.append(note)


def without_keys(shop: Shop) -> Any:
    """Return the shop's log as a function without keys reads it."""
    log: Any = InMemoryEventLog(Codec(NoKeys(), EVENT_TYPES), shop.clock)
    log._streams = shop.log._streams
    return log


@pytest.mark.parametrize("note", ["no basil, please", None])
def test_a_ticket_carries_the_note_to_the_kitchen(note: str | None) -> None:
    """Opened with the customer's key where the function's log has none; an order without a note needs no key."""
    shop = Shop()
    shop.play(s.place(kitchen_note=note), s.authorized())
    kitchen_: Any = Kitchen()
    no_log: Any = None
    engine = replace(shop.engine, kitchen=kitchen_, log_with_keys=shop.log if note else no_log)
    for log in (shop.log, without_keys(shop)):
        perform_open(replace(engine, log=log), load(log, s.ORDER_ID)[1], "a test")
    assert kitchen_.notes == [note or ""] * 2


def test_a_ticket_of_an_erased_customer_is_sent_without_the_note() -> None:
    """The restaurant cooks what was ordered; a repeat of the call is the same ticket."""
    shop = Shop()
    shop.play(s.place(kitchen_note="no basil, please"), s.authorized())
    shop.keyring.destroy(s.place().customer, shop.keyring.key_id_of(s.place().customer))
    kitchen_: Any = Kitchen()
    perform_open(replace(shop.engine, kitchen=kitchen_), shop.order(), "a test")
    assert kitchen_.notes == [""]
