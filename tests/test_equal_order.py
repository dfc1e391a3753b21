"""The benchmark of one order on several engines fails if an engine lost a part of an order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.driver import CommandDriver
from benchmarks.observed_engine import observed_engine
from benchmarks.order_ends import check_orders
from benchmarks.peers.order_steps import OrdersLost, OrderSteps
from benchmarks.people import People, expected_ends
from workflows.embedded.engine import EmbeddedEngine
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
ANSWERS = ("accepted", "ready", "assigned", "picked_up", "delivered")


def delivered(steps: OrderSteps, order: str) -> None:
    steps.place(order)
    steps.authorize(order)
    steps.send_ticket(order)
    steps.make_offer(order)
    for answer in ANSWERS:
        steps.record(order, answer)
    steps.capture(order)


@pytest.fixture
def steps(tmp_path: Path) -> OrderSteps:
    return OrderSteps(tmp_path, lambda order, what: None)


def test_an_order_with_all_its_records_passes_although_steps_ran_twice(steps: OrderSteps) -> None:
    """Every engine repeats a step whose outcome it did not keep."""
    delivered(steps, "order-1")
    delivered(steps, "order-1")
    steps.check({"order-1": "completed"})


def test_an_order_of_a_peer_that_lost_a_record_fails_the_benchmark(steps: OrderSteps) -> None:
    """A faster engine that loses an order is not faster."""
    delivered(steps, "order-1")
    steps.place("order-2")
    with pytest.raises(OrdersLost, match=r"1 of 2 orders: .*order-2"):
        steps.check({"order-1": "completed", "order-2": "completed"})


def test_a_cancelled_order_of_a_peer_without_its_compensations_fails_the_benchmark(steps: OrderSteps) -> None:
    """Its end alone does not show that payment, ticket and offer were given back."""
    delivered(steps, "order-1")
    with pytest.raises(OrdersLost):
        steps.check({"order-1": "cancelled"})


@contextmanager
def played_engine(folder: Path, *, cancelled: float) -> Iterator[EmbeddedEngine]:
    people, gateways = People(), sandbox_gateways(SandboxSettings())
    with observed_engine(people.wrapped).open(
        folder, template=TEMPLATE, gateways=gateways, projector_apart=False
    ) as engine:
        people.play(engine, CommandDriver(engine), orders=5, in_flight=5, cancelled=cancelled, name="test")
        yield engine
    people.close()


def test_our_orders_are_checked_for_events_executions_and_calls_of_both_ends(tmp_path: Path) -> None:
    """Our own orders are held to the same rule as those of the peers."""
    with played_engine(tmp_path, cancelled=0.2) as engine:
        check_orders(engine, expected_ends("test", 5, 0.2))
        with pytest.raises(OrdersLost, match="1 of 5 orders"):
            check_orders(engine, expected_ends("test", 5, 0))
