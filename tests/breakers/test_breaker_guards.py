"""The guarded gateways: failures that count, calls that are admitted, and an outage from end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from domain.identifiers import RestaurantId, Sku
from domain.money import Money
from domain.order.events import Line
from tests.breakers.circuits import SETTINGS, World, order
from workflows.breakers.breaker import CircuitOpen
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitClosed, CircuitOpened
from workflows.breakers.guarded import Guard, GuardedCouriers, GuardedKitchen, GuardedPayments
from workflows.breakers.settings import DEFAULTS
from workflows.gateways.courier import CourierGateway, Released
from workflows.gateways.errors import KeyMisused
from workflows.gateways.kitchen import Cancelled, KitchenGateway
from workflows.gateways.payment import Authorized, Captured, Declined, PaymentGateway, PaymentsUnavailable, Refused
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import Sandbox, open_sandbox
from workflows.sandbox.settings import NetworkSettings, PaymentSettings, SandboxSettings

PRICE = Money(4000, "EUR")
Open = Callable[[World, NetworkSettings], Sandbox]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Open sandboxes on the world's clock with the network settings that payments get; latency advances that clock."""
    sandboxes: list[Sandbox] = []

    def open_one(world: World, network: NetworkSettings) -> Sandbox:
        surroundings = Surroundings(clock=world.clock, random=Random(1), wait=world.clock.advance)
        settings = SandboxSettings(payment=PaymentSettings(network=network))
        sandboxes.append(open_sandbox(tmp_path / f"{len(sandboxes)}.sqlite", settings, surroundings))
        return sandboxes[-1]

    yield open_one
    for sandbox in sandboxes:
        sandbox.close()


def guarded(world: World, payments: PaymentGateway) -> PaymentGateway:
    return GuardedPayments(payments, Guard(world.breaker, world.clock))


def authorize(payments: PaymentGateway, number: int, method: str = "pm_ok") -> Authorized | Declined:
    return payments.authorize(
        reference=order(number), payment_method=method, amount=PRICE, key=f"{order(number)}/2", timeout_s=10
    )


def test_every_call_goes_through_and_every_answer_comes_back(opened: Open):
    """A guarded gateway behaves as the gateway it guards."""
    world = World()
    sandbox = opened(world, NetworkSettings())
    payments = guarded(world, sandbox.payments)
    held = authorize(payments, 1)
    assert isinstance(held, Authorized)
    taken = payments.capture(authorization_id=held.authorization_id, amount=PRICE, key=f"{order(1)}/3", timeout_s=10)
    assert isinstance(taken, Captured)
    payments.refund(capture_id=taken.capture_id, amount=PRICE, key=f"{order(1)}/4", timeout_s=10)
    assert isinstance(payments.void(authorization_id=held.authorization_id, key=f"{order(1)}/5", timeout_s=10), Refused)
    kitchen: KitchenGateway = GuardedKitchen(sandbox.kitchen, Guard(world.breaker, world.clock))
    lines = (Line(sku=Sku("ramen"), name="Ramen", quantity=1, unit_price=PRICE),)
    kitchen.send_ticket(
        reference=order(1), restaurant=RestaurantId("nori"), lines=lines, key=f"{order(1)}/6", timeout_s=10
    )
    ticket_key = f"{order(1)}/6"
    assert isinstance(kitchen.cancel_ticket(ticket_key=ticket_key, key=f"{order(1)}/7", timeout_s=10), Cancelled)
    couriers: CourierGateway = GuardedCouriers(sandbox.couriers, Guard(world.breaker, world.clock))
    couriers.offer(reference=order(1), restaurant=RestaurantId("nori"), attempt=1, key=f"{order(1)}/8", timeout_s=10)
    assert isinstance(couriers.withdraw(offer_key=f"{order(1)}/8", key=f"{order(1)}/9", timeout_s=10), Released)
    assert world.state is CircuitState.CLOSED


def test_no_answer_is_a_failure_and_an_open_circuit_makes_no_call(opened: Open):
    """A lost answer counts as a failure; five of them open the circuit, and the sixth call is not made."""
    world = World()
    sandbox = opened(world, NetworkSettings(lost_after_rate=1))
    payments = guarded(world, sandbox.payments)
    for number in range(5):
        with pytest.raises(PaymentsUnavailable):
            authorize(payments, number)
    with pytest.raises(CircuitOpen) as refused:
        authorize(payments, 5)
    assert (refused.value.dependency, str(refused.value.opened)) == ("payments", "breaker#payments#2026-05-04/1")
    assert refused.value.key == f"{order(5)}/2"
    assert {entry.reference for entry in sandbox.payments.entries()} == {order(number) for number in range(5)}


def test_an_answer_that_takes_too_long_is_a_failure_but_the_order_uses_it(opened: Open):
    """Most outages begin with slow answers, so a slow success counts as a failure of the provider."""
    world = World(settings=replace(SETTINGS, window_s=60))
    payments = guarded(world, opened(world, NetworkSettings(latency_min_s=8.5, latency_max_s=8.5)).payments)
    for number in range(5):
        assert isinstance(authorize(payments, number), Authorized)
    with pytest.raises(CircuitOpen):
        authorize(payments, 5)
    opening = world.history[0].event
    assert isinstance(opening, CircuitOpened)
    assert opening.last_error == "the answer took 8.5 s"


def test_refusals_and_misused_keys_are_answers(opened: Open):
    """A declined card and a refused idempotency key both show that the provider works."""
    world = World()
    payments = guarded(world, opened(world, NetworkSettings()).payments)
    for number in range(20):
        assert isinstance(authorize(payments, number, method="pm_declined"), Declined)
        with pytest.raises(KeyMisused):
            authorize(payments, number, method="pm_ok")
    assert world.state is CircuitState.CLOSED
    assert world.breaker.read().tally.failures == 0


def test_a_misused_key_of_the_probe_closes_the_circuit(opened: Open):
    """Any answer to the probe shows that the provider works."""
    world = World()
    payments = guarded(world, opened(world, NetworkSettings()).payments)
    authorize(payments, 1)
    world.open()
    world.clock.advance(15)
    with pytest.raises(KeyMisused):
        authorize(payments, 1, method="pm_other")
    assert world.state is CircuitState.CLOSED


def test_an_error_in_our_own_code_does_not_count_as_a_failure_of_the_provider():
    """It gives no information about the provider."""
    world = World()
    guard = Guard(world.breaker, world.clock)
    for number in range(20):
        with pytest.raises(ZeroDivisionError):
            guard.call(f"{order(number)}/2", lambda: 1 / 0)
    assert world.state is CircuitState.CLOSED


# --- an outage from end to end ----------------------------------------------------------------------------------------


@dataclass
class Outage:
    """Orders that authorize through the guard, wait while the circuit is open, and try again when they are woken."""

    world: World
    payments: PaymentGateway
    ended: dict[int, datetime] = field(default_factory=dict)
    attempts: Counter[int] = field(default_factory=Counter)

    def attempt(self, number: int) -> None:
        self.attempts[number] += 1
        for _ in range(5):  # as often as the payment machine
            try:
                authorize(self.payments, number)
            except CircuitOpen:
                self.world.wait(number)
                return
            except PaymentsUnavailable:
                continue
            self.ended[number] = self.world.clock.now()
            return
        raise AssertionError("an order failed because payments are down")


class Provider:
    """A payment provider that a test turns off and on. ``calls`` are the calls that reached it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.down = True
        self.calls: list[datetime] = []

    def authorize(self, *, key: str, amount: Money, **_: object) -> Authorized:
        self.calls.append(self._world.clock.now())
        if self.down:
            raise PaymentsUnavailable(key, "connection refused")
        return Authorized(authorization_id=f"auth-{key}", amount=amount, at=self._world.clock.now())


def test_a_thousand_orders_survive_ten_minutes_without_payments_with_one_probe_per_interval():
    """No order fails, the provider is probed once in fifteen seconds, then ten orders a second are released."""
    world = World(settings=DEFAULTS[Dependency.PAYMENTS])
    provider = Provider(world)
    outage = Outage(world, guarded(world, provider))  # type: ignore[arg-type] # one call of the protocol is made here
    numbers = {order(number): number for number in range(1000)}
    down_until = None
    for second in range(900):
        if second < 500:
            outage.attempt(2 * second)
            outage.attempt(2 * second + 1)
        if second == 600:
            provider.down, down_until = False, world.clock.now()
        world.clock.advance(1)
        before = len(world.executions.woken)
        world.tick()
        for _, order_id, _ in world.executions.woken[before:]:
            outage.attempt(numbers[order_id])
    assert down_until is not None
    assert len(outage.ended) == 1000
    probes = [at for at in provider.calls[4:] if at < down_until]
    assert 35 <= len(probes) <= 40
    assert all(later - earlier >= timedelta(seconds=15) for earlier, later in pairwise(probes))
    arrivals = Counter(int((at - down_until).total_seconds()) for at in provider.calls if at >= down_until)
    assert max(arrivals.values()) <= 10
    assert world.events == [CircuitOpened, CircuitClosed]
