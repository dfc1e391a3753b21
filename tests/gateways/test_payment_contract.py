"""The contract of ``PaymentGateway``, for every adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from domain.identifiers import order_id_for
from domain.money import Money
from workflows.gateways.errors import KeyMisused
from workflows.gateways.payment import (
    Authorized,
    Captured,
    Declined,
    PaymentsUnavailable,
    Refunded,
    Refused,
    Voided,
)


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def test_an_authorization_holds_the_exact_amount(payments):
    """A provider authorizes the whole amount or declines."""
    assert payments.held("40.07").amount == eur("40.07")


def test_a_decline_is_an_answer_and_not_an_exception(payments):
    """It is a business outcome, which is recorded."""
    for method, reason in payments.declined_methods.items():
        receipt = payments.gateway.authorize(
            reference=payments.calls.order, payment_method=method, amount=eur("1.00"), key=payments.calls.key(),
            timeout_s=10,
        )  # fmt: skip
        assert isinstance(receipt, Declined)
        assert receipt.reason == reason


def test_a_capture_may_take_a_part_and_closes_the_authorization(payments):
    """The provider releases the rest, and a second capture is refused."""
    hold = payments.held("40.00").authorization_id
    first = payments.gateway.capture(authorization_id=hold, amount=eur("31.50"), key=payments.calls.key(), timeout_s=10)
    second = payments.gateway.capture(authorization_id=hold, amount=eur("8.50"), key=payments.calls.key(), timeout_s=10)
    assert isinstance(first, Captured)
    assert first.amount == eur("31.50")
    assert isinstance(second, Refused)
    assert second.reason == "already_captured"


def test_voiding_again_returns_the_time_of_the_first_void(payments):
    """A compensation that is requested with two keys is done once."""
    hold = payments.held().authorization_id
    first = payments.gateway.void(authorization_id=hold, key=payments.calls.key(), timeout_s=10)
    payments.advance(timedelta(hours=1))
    again = payments.gateway.void(authorization_id=hold, key=payments.calls.key(), timeout_s=10)
    assert isinstance(first, Voided)
    assert again == first


def test_voiding_an_expired_authorization_is_a_success(payments):
    """No money is held, which is the wanted result."""
    hold = payments.held(method=payments.expired_method).authorization_id
    receipt = payments.gateway.void(authorization_id=hold, key=payments.calls.key(), timeout_s=10)
    assert isinstance(receipt, Voided)


def test_a_capture_can_be_refunded_in_parts_until_nothing_is_left(payments):
    """Refunds together never exceed the captured amount."""
    capture = payments.captured("30.00").capture_id

    def refund(amount: str) -> Refunded | Refused:
        return payments.gateway.refund(capture_id=capture, amount=eur(amount), key=payments.calls.key(), timeout_s=10)

    first, second, more = refund("10.00"), refund("20.00"), refund("0.01")
    assert isinstance(first, Refunded)
    assert isinstance(second, Refunded)
    assert first.refund_id != second.refund_id
    assert isinstance(more, Refused)


def test_a_capture_is_found_by_its_id_for_its_order_alone(payments):
    """It moves no money. Of a capture that was refunded in part, the rest is for a person at the provider."""
    capture = payments.captured("40.00")

    def find(capture_id: str, reference: Any = payments.calls.order) -> Captured | Refused:
        return payments.gateway.find_capture(
            reference=reference, capture_id=capture_id, key=payments.calls.key(), timeout_s=10
        )

    assert find(capture.capture_id) == capture
    refused = [find("unknown"), find(capture.capture_id, order_id_for("contract", "other"))]
    payments.gateway.refund(capture_id=capture.capture_id, amount=eur("1.00"), key=payments.calls.key(), timeout_s=10)
    refused.append(find(capture.capture_id))
    reasons = [receipt.reason for receipt in refused if isinstance(receipt, Refused)]
    assert reasons == ["unknown_capture", "unknown_capture", "already_refunded"]


def _nothing(_rig) -> str:
    return "unknown_id"


def _held(rig) -> str:
    return rig.held("40.00").authorization_id


def _held_and_expired(rig) -> str:
    return rig.held(method=rig.expired_method).authorization_id


def _held_and_voided(rig) -> str:
    hold = _held(rig)
    rig.gateway.void(authorization_id=hold, key=rig.calls.key(), timeout_s=10)
    return hold


def _held_and_captured(rig) -> str:
    hold = _held(rig)
    rig.gateway.capture(authorization_id=hold, amount=eur("1.00"), key=rig.calls.key(), timeout_s=10)
    return hold


def _taken(rig) -> str:
    return rig.captured("40.00").capture_id


def _taken_and_half_given_back(rig) -> str:
    capture = _taken(rig)
    rig.gateway.refund(capture_id=capture, amount=eur("20.00"), key=rig.calls.key(), timeout_s=10)
    return capture


def _taken_from_a_closed_account(rig) -> str:
    return rig.captured(method=rig.refund_refused_method).capture_id


def _capture(hold: Callable[[Any], str], amount: Money) -> Callable[[Any], Any]:
    return lambda rig: rig.gateway.capture(authorization_id=hold(rig), amount=amount, key=rig.calls.key(), timeout_s=10)


def _void(hold: Callable[[Any], str]) -> Callable[[Any], Any]:
    return lambda rig: rig.gateway.void(authorization_id=hold(rig), key=rig.calls.key(), timeout_s=10)


def _refund(capture: Callable[[Any], str], amount: Money) -> Callable[[Any], Any]:
    return lambda rig: rig.gateway.refund(capture_id=capture(rig), amount=amount, key=rig.calls.key(), timeout_s=10)


REFUSALS = [
    ("capture above what is held", _capture(_held, eur("40.01")), "amount_too_high"),
    ("capture of nothing", _capture(_held, eur("0.00")), "amount_invalid"),
    ("capture of less than nothing", _capture(_held, eur("-1.00")), "amount_invalid"),
    ("capture in another currency", _capture(_held, Money(100, "USD")), "currency_mismatch"),
    ("a second capture", _capture(_held_and_captured, eur("1.00")), "already_captured"),
    ("capture after a void", _capture(_held_and_voided, eur("1.00")), "already_voided"),
    ("capture of what expired", _capture(_held_and_expired, eur("1.00")), "authorization_expired"),
    ("capture of what was never held", _capture(_nothing, eur("1.00")), "unknown_authorization"),
    ("capture of a capture", _capture(_taken, eur("1.00")), "unknown_authorization"),
    ("void after a capture", _void(_held_and_captured), "already_captured"),
    ("void of what was never held", _void(_nothing), "unknown_authorization"),
    ("refund above what was taken", _refund(_taken, eur("40.01")), "amount_too_high"),
    ("refund above what is left", _refund(_taken_and_half_given_back, eur("20.01")), "amount_too_high"),
    ("refund of nothing", _refund(_taken, eur("0.00")), "amount_invalid"),
    ("refund of less than nothing", _refund(_taken, eur("-1.00")), "amount_invalid"),
    ("refund in another currency", _refund(_taken, Money(100, "USD")), "currency_mismatch"),
    ("refund of what was never taken", _refund(_nothing, eur("1.00")), "unknown_capture"),
    ("refund of an authorization", _refund(_held, eur("1.00")), "unknown_capture"),
    ("refund to a closed account", _refund(_taken_from_a_closed_account, eur("1.00")), "account_closed"),
]


@pytest.mark.parametrize(("what", "call", "reason"), REFUSALS, ids=[what for what, _, _ in REFUSALS])
def test_an_impossible_call_is_refused_with_its_reason(payments, what, call, reason):
    """A refusal is a final answer."""
    receipt = call(payments)
    assert isinstance(receipt, Refused), what
    assert receipt.reason == reason


def test_an_authorization_expires(payments):
    """Holds of card networks expire, after which a capture is refused; in the sandbox after 7 days."""
    hold = payments.held().authorization_id
    payments.advance(timedelta(days=8))
    receipt = payments.gateway.capture(
        authorization_id=hold, amount=eur("1.00"), key=payments.calls.key(), timeout_s=10
    )
    assert isinstance(receipt, Refused)
    assert receipt.reason == "authorization_expired"


def _every_call(rig) -> list[Callable[[], object]]:
    """Return one call of each kind with a key of its own, successful and refused, to be repeated."""
    gateway, key = rig.gateway, rig.calls.key
    hold, to_void, capture = rig.held().authorization_id, rig.held().authorization_id, rig.captured().capture_id
    request = {"reference": rig.calls.order, "amount": eur("5.00"), "timeout_s": 10}
    keys = [key() for _ in range(6)]
    declined = next(iter(rig.declined_methods))
    return [
        lambda: gateway.authorize(payment_method=rig.good_method, key=keys[0], **request),
        lambda: gateway.authorize(payment_method=declined, key=keys[1], **request),
        lambda: gateway.capture(authorization_id=hold, amount=eur("7.00"), key=keys[2], timeout_s=10),
        lambda: gateway.void(authorization_id=to_void, key=keys[3], timeout_s=10),
        lambda: gateway.refund(capture_id=capture, amount=eur("40.00"), key=keys[4], timeout_s=10),
        lambda: gateway.refund(capture_id=capture, amount=eur("0.01"), key=keys[5], timeout_s=10),
    ]


def test_every_repeat_under_a_key_gets_the_first_receipt(payments):
    """Also hours later and after other calls."""
    calls = _every_call(payments)
    first = [call() for call in calls]
    payments.advance(payments.remembers - timedelta(seconds=1))
    assert [call() for call in calls] == first
    assert [type(receipt) for receipt in first] == [Authorized, Declined, Captured, Voided, Refunded, Refused]


def test_a_repeat_after_the_key_was_forgotten_has_no_second_effect(payments):
    """A step that is retried after a day must not charge twice."""
    calls = _every_call(payments)
    first = [call() for call in calls]
    payments.advance(payments.remembers + timedelta(hours=1))
    again = [call() for call in calls]
    assert again[:5] == first[:5]
    assert isinstance(again[5], Refused)  # it had no effect, so it is decided and refused again


def test_a_key_with_other_parameters_is_an_error(payments):
    """It is an internal error and must never look like an answer."""
    hold = payments.held().authorization_id
    key = payments.calls.key()
    payments.gateway.capture(authorization_id=hold, amount=eur("1.00"), key=key, timeout_s=10)
    with pytest.raises(KeyMisused, match=key):
        payments.gateway.capture(authorization_id=hold, amount=eur("2.00"), key=key, timeout_s=10)
    with pytest.raises(KeyMisused, match="void"):
        payments.gateway.void(authorization_id=hold, key=key, timeout_s=10)


def test_the_timeout_is_not_part_of_the_call(payments):
    """A retry with another timeout is the same call."""
    hold, key = payments.held().authorization_id, payments.calls.key()
    first = payments.gateway.void(authorization_id=hold, key=key, timeout_s=10)
    assert payments.gateway.void(authorization_id=hold, key=key, timeout_s=3) == first


def test_thirty_two_concurrent_calls_with_one_key_have_one_effect(payments):
    """Each gets the same receipt, or a retryable error and then the receipt."""
    hold, key = payments.held("40.00").authorization_id, payments.calls.key()
    start = threading.Barrier(32)

    def capture(_number: int) -> Captured | Refused:
        start.wait()
        while True:
            try:
                return payments.gateway.capture(authorization_id=hold, amount=eur("12.34"), key=key, timeout_s=10)
            except PaymentsUnavailable:
                continue

    with ThreadPoolExecutor(32) as threads:
        receipts = list(threads.map(capture, range(32)))
    assert len({receipt.capture_id for receipt in receipts}) == 1
    assert all(receipt == receipts[0] for receipt in receipts)


def test_thirty_two_captures_with_different_keys_take_the_money_once(payments):
    """One capture closes the authorization; the others are refused."""
    hold = payments.held("40.00").authorization_id
    keys = [payments.calls.key() for _ in range(32)]
    start = threading.Barrier(32)

    def capture(key: str) -> Captured | Refused:
        start.wait()
        return payments.gateway.capture(authorization_id=hold, amount=eur("40.00"), key=key, timeout_s=10)

    with ThreadPoolExecutor(32) as threads:
        receipts = list(threads.map(capture, keys))
    assert sorted(type(receipt).__name__ for receipt in receipts) == ["Captured"] + ["Refused"] * 31


def test_orders_are_independent(payments):
    """A call for one order never gets the receipt of another."""
    first = payments.held("40.00")
    payments.calls.order = order_id_for("contract", "2")
    second = payments.held("40.00")
    assert first.authorization_id != second.authorization_id
