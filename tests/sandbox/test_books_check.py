"""The books check finds every disagreement between the log and the ledgers, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from domain.identifiers import SYSTEM, Actor, CustomerId, RestaurantId, Role, Sku, order_id_for
from domain.money import Money
from domain.order.commands import CancelOrder, Command, PlaceOrder, RecordFact
from domain.order.events import Line, OrderDelivered, OrderPickedUp, PreparationAccepted, PreparationReady
from domain.personal import Contact
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES, assemble
from workflows.event_store.codec import Codec
from workflows.executions import TokenGone
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller, handle, load
from workflows.sagas.steps.performing import perform_open
from workflows.sandbox.books_check import BooksReport, check_books
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import Sandbox, open_sandbox
from workflows.sandbox.settings import SandboxSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = order_id_for("customer/cus-1", "1")
CUSTOMER = Actor(Role.CUSTOMER, "cus-1")


class _NoExecutions:
    """Starts nothing: the test performs the steps."""

    def start(self, machine: str, name: str, input: object) -> None:  # noqa: A002 - the port's own word
        raise TokenGone

    def succeed(self, token: str, output: object) -> None:
        raise TokenGone

    def fail(self, token: str, error: str, cause: str) -> None:
        raise TokenGone


class World:
    """One order, the log it is in, and the ledgers outside."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        self.file = folder / "sandbox.sqlite"
        self.sandbox: Sandbox = open_sandbox(self.file, SandboxSettings(), Surroundings(clock=clock, random=Random(1)))
        self.log = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), clock)
        self.engine = assemble(
            log=self.log,
            documents=InMemoryDocuments(),
            executions=_NoExecutions(),
            payments=self.sandbox.payments,
            kitchen=self.sandbox.kitchen,
            couriers=self.sandbox.couriers,
            clock=clock,
        )

    def say(self, command: Command) -> None:
        _, order = load(self.log, ORDER)
        caller = Caller(SYSTEM, correlation="test", causation="test")
        handle(self.log, command, order_id=ORDER, key=f"{type(command).__name__}/{order.version}", caller=caller)

    def step(self) -> None:
        """Perform the open intents and record their outcomes."""
        _, order = load(self.log, ORDER)
        perform_open(self.engine, order, "test")

    def place(self) -> None:
        line = Line(sku=Sku("pizza"), name="Pizza", quantity=2, unit_price=Money(950, "EUR"))
        self.say(
            PlaceOrder(
                order_id=ORDER,
                customer=CustomerId("cus-1"),
                restaurant=RestaurantId("rest-1"),
                lines=(line,),
                delivery_fee=Money(290, "EUR"),
                service_fee=Money(0, "EUR"),
                tip=Money(0, "EUR"),
                payment_method="pm_ok",
                contact=Contact(name="Ada", phone="1", address="Here"),
                at=NOON,
            )
        )

    def deliver(self) -> None:
        """Bring the order from its authorization to its capture."""
        self.place()
        self.step()
        _, order = load(self.log, ORDER)
        assert order.ticket is not None
        self.say(RecordFact(fact=PreparationAccepted(answers=order.ticket.intent, ready_at=NOON, at=NOON)))
        self.step()
        _, order = load(self.log, ORDER)
        assert order.delivery.current is not None
        offer = order.delivery.current.intent
        self.say(RecordFact(fact=PreparationReady(answers=order.ticket.intent, at=NOON)))
        self.say(RecordFact(fact=OrderPickedUp(answers=offer, at=NOON)))
        self.say(RecordFact(fact=OrderDelivered(answers=offer, at=NOON)))
        self.step()

    def check(self) -> BooksReport:
        return check_books(self.log, self.sandbox)

    def tamper(self, sql: str) -> None:
        """Change a ledger directly."""
        self.sandbox.database.write(lambda connection: connection.execute(sql).close())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.sandbox.close()


def _what(report: BooksReport) -> str:
    return "; ".join(difference.what for difference in report.differences)


def test_a_delivered_order_agrees_to_the_cent(world: World) -> None:
    """Every line of every ledger is explained, the captured sum is the fold's, and nothing is pending."""
    world.deliver()
    report = world.check()
    assert report.balanced, report.differences
    assert (report.orders, report.pending) == (1, 0)
    assert report.lines == 4  # authorized, captured, a ticket, an offer


def test_a_cancelled_order_agrees_too(world: World) -> None:
    """The hold is released on both sides; a ticket taken back before it was sent has only a tombstone."""
    world.place()
    world.step()
    world.say(CancelOrder(by=CUSTOMER, reason="no"))
    world.step()
    report = world.check()
    assert report.balanced, report.differences
    assert report.pending == 0


def test_a_call_that_is_not_recorded_yet_is_pending_and_no_difference(world: World) -> None:
    """A crash between call and record leaves an open intent."""
    world.place()
    world.sandbox.payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=Money(2190, "EUR"), key=f"{ORDER}/2", timeout_s=1
    )
    report = world.check()
    assert report.balanced, report.differences
    assert report.pending == 1


def test_money_taken_without_an_event_is_found(world: World) -> None:
    """The worst difference: a charge without an event."""
    world.deliver()
    world.sandbox.payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=Money(500, "EUR"), key=f"{ORDER}/99", timeout_s=1
    )
    report = world.check()
    assert not report.balanced
    assert f"'authorized' under key {ORDER}/99 is explained by 0 events" in _what(report)
    assert "the provider has 5.00 EUR held" in _what(report)


def test_a_call_under_a_key_that_is_no_version_is_found(world: World) -> None:
    """The keys of our steps are order id and version."""
    world.sandbox.payments.authorize(
        reference=ORDER, payment_method="pm_ok", amount=Money(500, "EUR"), key=f"{ORDER}/by-hand", timeout_s=1
    )
    assert "explained by 0 events" in _what(world.check())


def test_a_cent_that_differs_is_found(world: World) -> None:
    """Line by line and in sum."""
    world.deliver()
    world.tamper("UPDATE payment_lines SET minor = minor + 1 WHERE kind = 'captured'")
    words = _what(world.check())
    assert "the ledger's line 'captured' is 21.91 EUR, PaymentCaptured has 21.90 EUR" in words
    assert "the log has 0.00 EUR held, 21.90 EUR captured" in words


@pytest.mark.parametrize("kind", ["authorized", "captured"])
def test_a_payment_that_is_only_in_the_log_is_found(kind: str, world: World) -> None:
    """The log has a movement of money that the provider does not have."""
    world.deliver()
    world.tamper(f"DELETE FROM payment_lines WHERE kind = '{kind}'")
    assert "has no line" in _what(world.check())


def test_a_release_that_is_only_in_the_log_is_found(world: World) -> None:
    """The customer's money would stay held although the order has released it."""
    world.place()
    world.step()
    world.say(CancelOrder(by=CUSTOMER, reason="no"))
    world.step()
    world.tamper("DELETE FROM payment_lines WHERE kind = 'voided'")
    assert "released nothing in the ledger" in _what(world.check())


def test_a_ticket_without_an_intent_is_found(world: World) -> None:
    """Kitchens and couriers are compared too: a meal without an order costs money."""
    world.deliver()
    world.tamper("UPDATE kitchen_lines SET key = key || '0'")
    assert "'arrived' under key" in _what(world.check())
