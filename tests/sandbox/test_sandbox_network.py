"""The sandbox loses calls and answers, is slow, and runs one call a key at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from domain.identifiers import RestaurantId, order_id_for
from domain.money import Money
from workflows.gateways.courier import CouriersUnavailable
from workflows.gateways.kitchen import KitchenUnavailable
from workflows.gateways.payment import Authorized, Declined, PaymentsUnavailable
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.payment import SandboxPayments
from workflows.sandbox.settings import (
    CourierSettings,
    KitchenSettings,
    NetworkSettings,
    PaymentSettings,
    SandboxSettings,
)

ORDER = order_id_for("wire", "1")


def every_network(**settings: float) -> SandboxSettings:
    network = NetworkSettings(**settings)
    return SandboxSettings(
        payment=PaymentSettings(network=network),
        kitchen=KitchenSettings(network=network),
        courier=CourierSettings(network=network),
    )


def authorize(payments: SandboxPayments, key: str = f"{ORDER}/1", timeout_s: float = 10) -> Authorized | Declined:
    return payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=Money(4000, "EUR"), key=key, timeout_s=timeout_s
    )


def patiently(payments: SandboxPayments, key: str) -> tuple[Authorized | Declined, int]:
    """The receipt, and how many calls it took."""
    for attempt in range(1, 1000):
        try:
            return authorize(payments, key), attempt
        except PaymentsUnavailable:
            continue
    raise AssertionError("no answer in 999 attempts")


def test_a_lost_call_has_no_effect(opened):
    """The provider never got it."""
    payments = opened(every_network(lost_before_rate=1.0)).payments
    with pytest.raises(PaymentsUnavailable, match="repeat the same call") as lost:
        authorize(payments)
    assert lost.value.key == f"{ORDER}/1"
    assert payments.entries() == ()


def test_a_lost_answer_leaves_the_effect_and_the_retry_gets_the_receipt(opened, clock):
    """A crash between call and record is a pending intent: the same call again settles it."""
    payments = opened(every_network(lost_after_rate=1.0)).payments
    for _ in range(3):
        with pytest.raises(PaymentsUnavailable, match="answer was lost"):
            authorize(payments)
    (line,) = payments.entries(ORDER)
    receipt = authorize(opened(every_network()).payments)
    assert receipt == Authorized(authorization_id=line.id, amount=Money(4000, "EUR"), at=clock.now())


def test_a_slow_call_takes_effect_although_its_caller_gave_up(opened):
    """After a timeout the effect is unknown."""
    waited: list[float] = []
    payments = opened(every_network(latency_min_s=12, latency_max_s=12), wait=waited.append).payments
    with pytest.raises(PaymentsUnavailable, match="no answer within 10 s"):
        authorize(payments)
    assert [line.kind for line in payments.entries(ORDER)] == ["authorized"]
    assert isinstance(authorize(payments, timeout_s=15), Authorized)
    assert waited == [10, 12]


def test_latency_is_spread_between_its_bounds(opened):
    """Uniformly, so that a p99 means something."""
    waited: list[float] = []
    payments = opened(every_network(latency_min_s=0.1, latency_max_s=0.3), wait=waited.append).payments
    for number in range(50):
        authorize(payments, f"{ORDER}/{number}")
    assert all(0.1 <= seconds <= 0.3 for seconds in waited)
    assert max(waited) - min(waited) > 0.1


def test_a_key_is_in_use_while_its_first_call_runs(opened):
    """The second call is refused, and its retry gets the first receipt. Other keys are served meanwhile."""
    running, go_on = threading.Event(), threading.Event()

    def wait(_seconds: float) -> None:
        if not running.is_set():
            running.set()
            assert go_on.wait(10)

    payments = opened(wait=wait).payments
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(authorize, payments)
        assert running.wait(10)
        with pytest.raises(PaymentsUnavailable, match="still runs"):
            authorize(payments)
        assert isinstance(authorize(payments, f"{ORDER}/2"), Authorized)
        go_on.set()
        receipt = first.result()
    assert authorize(payments) == receipt
    assert len(payments.entries(ORDER)) == 2


def test_two_processes_on_one_ledger_have_one_effect_a_key(opened, clock):
    """Only one process knows that a key is in use; the ledger makes sure that a key acts once."""
    sandbox = opened()
    surroundings = Surroundings(clock=clock, random=Random(2), wait=lambda _seconds: None)
    doors = [SandboxPayments(sandbox.database, PaymentSettings(), surroundings) for _ in range(32)]
    start = threading.Barrier(32)

    def ask(door: SandboxPayments) -> Authorized | Declined:
        start.wait()
        return authorize(door)

    with ThreadPoolExecutor(32) as threads:
        receipts = set(threads.map(ask, doors))
    assert len(receipts) == 1
    assert len(sandbox.payments.entries()) == 1


def test_the_same_seed_loses_the_same_calls(opened):
    """A failure that was seen once can be seen again."""
    lossy = every_network(lost_before_rate=0.3, lost_after_rate=0.3)

    def attempts(seed: int, named: str) -> list[int]:
        payments = opened(lossy, seed=seed).payments
        return [patiently(payments, f"{ORDER}/{named}{number}")[1] for number in range(30)]

    first = attempts(7, "a")
    assert first == attempts(7, "b")
    assert first != attempts(8, "c")
    assert max(first) > 1


def test_a_lossy_network_never_doubles_an_effect(opened):
    """Whatever the number of retries."""
    payments = opened(every_network(lost_before_rate=0.4, lost_after_rate=0.4)).payments
    keys = [f"{ORDER}/{number}" for number in range(40)]
    receipts = [patiently(payments, key)[0] for key in keys]
    assert [line.key for line in payments.entries(ORDER)] == keys
    assert [patiently(payments, key)[0] for key in keys] == receipts


def test_kitchens_and_couriers_fail_under_their_own_names(opened):
    """State machines match on the class name."""
    sandbox = opened(every_network(lost_after_rate=1.0))
    with pytest.raises(KitchenUnavailable):
        sandbox.kitchen.cancel_ticket(ticket_key=f"{ORDER}/1", key=f"{ORDER}/2", timeout_s=10)
    with pytest.raises(CouriersUnavailable):
        sandbox.couriers.offer(
            reference=ORDER, restaurant=RestaurantId("rest-1"), attempt=1, key=f"{ORDER}/1", timeout_s=10
        )


def test_a_ledger_that_cannot_be_written_is_a_provider_that_is_down(opened):
    """The call had no effect and can be retried."""
    sandbox = opened()
    sandbox.close()
    with pytest.raises(PaymentsUnavailable, match="ledger is down"):
        authorize(sandbox.payments)
