"""Real orders on the embedded engine: the test acts for customer, restaurant and courier, the sandbox for providers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

from domain.identifiers import Actor, CourierId, CustomerId, RestaurantId, Role, Sku, order_id_for
from domain.money import Money
from domain.order.commands import CancelOrder, Command, PlaceOrder, RecordFact
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    DeliveryFailed,
    Event,
    Fact,
    Fault,
    ItemUnavailable,
    Line,
    OrderDelivered,
    OrderPickedUp,
    PreparationAccepted,
    PreparationReady,
    PreparationRejected,
)
from domain.order.order import Order, RunState
from domain.personal import Contact
from workflows.embedded.arns import execution_arn
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.step_functions.reports import StateEntries
from workflows.orders.command_handling import Caller, handle, load
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.payment import PaymentPosition
from workflows.sandbox.settings import SandboxSettings

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
DEADLINE_S = 30.0


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


class Story:
    """One order of 28.00 (two pizzas of 10.00, water for 3.00, fees and tip of 5.00), and its requests and reports."""

    def __init__(self, engine: EmbeddedEngine, number: int, payment_method: str) -> None:
        self.engine = engine
        self.log = engine.ports.log
        self.now = engine.ports.clock.now
        self.order_id = order_id_for("cus_1", f"key-{number}")
        self._changed = threading.Condition()
        self.log.on_commit(lambda _: self._notify())  # type: ignore[attr-defined]  # the embedded log is a feed too
        self._handle(
            PlaceOrder(
                order_id=self.order_id,
                customer=CustomerId("cus_1"),
                restaurant=RestaurantId("rst_1"),
                lines=(
                    Line(sku=Sku("pizza"), name="Pizza", quantity=2, unit_price=eur(1000)),
                    Line(sku=Sku("water"), name="Water", quantity=1, unit_price=eur(300)),
                ),
                delivery_fee=eur(300),
                service_fee=eur(100),
                tip=eur(100),
                payment_method=payment_method,
                contact=Contact(name="Camille", phone="+33 1 23 45 67 89", address="1 rue de Rivoli, Paris"),
                at=self.now(),
            ),
            Role.CUSTOMER,
        )

    # --- requests and reports ----------------------------------------------------------------------------------

    def accept(self) -> Story:
        return self._answer(PreparationAccepted(answers=self.ticket, ready_at=self.now(), at=self.now()))

    def reject(self) -> Story:
        return self._answer(PreparationRejected(answers=self.ticket, reason="closed", at=self.now()))

    def lack(self, line: int, available: int) -> Story:
        return self._answer(ItemUnavailable(answers=self.ticket, line=line, available=available, at=self.now()))

    def ready(self) -> Story:
        return self._answer(PreparationReady(answers=self.ticket, at=self.now()))

    def assign(self) -> Story:
        return self._answer(CourierAssigned(answers=self.offer(), courier=CourierId("cou_1"), at=self.now()))

    def decline(self, attempt: int = 1) -> Story:
        return self._answer(CourierDeclined(answers=self.offer(attempt), reason="too far", at=self.now()))

    def pick_up(self) -> Story:
        return self._answer(OrderPickedUp(answers=self.offer(), at=self.now()))

    def deliver(self) -> Story:
        return self._answer(OrderDelivered(answers=self.offer(), at=self.now()))

    def lose(self) -> Story:
        fault = DeliveryFailed(answers=self.offer(), reason="accident", fault=Fault.COURIER, at=self.now())
        return self._answer(fault)

    def cancel(self) -> Story:
        return self._handle(CancelOrder(by=Actor(Role.CUSTOMER, "cus_1"), reason="changed my mind"), Role.CUSTOMER)

    # --- reading -----------------------------------------------------------------------------------------------

    @property
    def order(self) -> Order:
        return load(self.log, self.order_id)[1]

    @property
    def ticket(self) -> int:
        ticket = self.until(lambda order: order.ticket is not None).ticket
        assert ticket is not None
        return ticket.intent

    def offer(self, attempt: int = 1) -> int:
        return self.until(lambda order: len(order.delivery.offers) >= attempt).delivery.offers[-1].intent

    def ended(self) -> Order:
        """Wait until the order has ended and return it. Fails when it is parked or takes too long."""
        order = self.until(lambda order: order.run_state is not RunState.RUNNING)
        assert order.run_state is RunState.ENDED, [
            event for event in self.events if type(event).__name__ == "OrderParked"
        ]
        return order

    def parked(self) -> Order:
        order = self.until(lambda order: order.run_state is not RunState.RUNNING)
        assert order.run_state is RunState.PARKED
        return order

    @property
    def events(self) -> tuple[Event, ...]:
        return load(self.log, self.order_id)[0].events

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]

    def until(self, holds: Callable[[Order], object]) -> Order:
        """Wait until the condition holds. The log is read again after each commit; no time is waited out."""
        deadline = monotonic() + DEADLINE_S
        with self._changed:
            while not holds(order := self.order):
                assert self._changed.wait(deadline - monotonic()), f"no further event after {self.kinds}"
        return order

    @property
    def position(self) -> PaymentPosition | None:
        """The order's money in the provider's ledger."""
        return self.engine.gateways.payments.position(self.order_id)

    def state_entries(self) -> StateEntries:
        """Count the state entries of run 1, once its execution has ended."""
        arn = execution_arn("OrderMachine", f"{self.order_id}-1")
        self.engine.executions.ended(arn).result(DEADLINE_S)
        return self.engine.reports.state_entries(arn)

    # --- private -----------------------------------------------------------------------------------------------

    def _answer(self, fact: Fact) -> Story:
        return self._handle(RecordFact(fact=fact), Role.RESTAURANT)

    def _handle(self, command: Command, role: Role) -> Story:
        key = f"{type(command).__name__}/{self.order.version}"
        caller = Caller(Actor(role, "test"), correlation=self.order_id, causation="test")
        handle(self.log, command, order_id=self.order_id, key=key, caller=caller)
        return self

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


Place = Callable[..., Story]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Place an order on an engine of this test. ``parameters`` are the template's; only the first call's count."""
    engines: list[EmbeddedEngine] = []
    numbers = count()

    def place(
        payment_method: str = "pm_ok",
        sandbox: SandboxSettings | None = None,
        **parameters: str,
    ) -> Story:
        if not engines:
            engines.append(
                EmbeddedEngine.open(
                    tmp_path,
                    template=TEMPLATE,
                    parameters=parameters,
                    gateways=sandbox_gateways(sandbox or SandboxSettings()),
                    workers=8,
                    projector_apart=False,
                )
            )
        return Story(engines[0], next(numbers), payment_method)

    yield place
    for engine in engines:
        engine.close()
