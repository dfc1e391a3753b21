"""The trace of the request that placed an order goes through all that the sagas record for it."""

from __future__ import annotations

from typing import Any

from domain.identifiers import SYSTEM
from domain.order.events import OrderCancelled, OrderCompleted, OrderParked
from tests.runs.conftest import ReadWorld
from workflows.orders.command_handling import load
from workflows.sagas.execution_faults import ExecutionFault, record_fault
from workflows.simulation.faults import RATES
from workflows.simulation.wire import GATEWAYS
from workflows.tracing import current_trace


def test_every_commit_of_a_saga_carries_the_trace_of_the_first_request():
    """Also in later runs, in compensations, and when the watchdog or a lost execution parks the order."""
    ends = set()
    for seed in (0, 7):
        read = ReadWorld(seed, RATES, orders=3).run()
        for order_id in read.order_ids():
            history, _ = load(read.world.log, order_id)
            by_system = [each for each in history.recorded if each.actor == SYSTEM]
            assert {each.correlation for each in by_system} == {history.recorded[0].correlation}
            ends |= {type(each.event) for each in by_system}
    assert {OrderCompleted, OrderCancelled, OrderParked} <= ends


def test_starts_and_calls_to_providers_are_made_in_the_trace_of_the_first_request(monkeypatch):
    """Step Functions and providers get it from there, without a parameter in any port."""
    read = ReadWorld(3, {}, orders=4)
    made: list[tuple[str, str | None]] = []
    carry = read.world.wire.carry

    def noting(port: str, method: str, *rest: Any) -> Any:
        if port in GATEWAYS or method == "start":
            made.append((port, current_trace()))
        return carry(port, method, *rest)

    monkeypatch.setattr(read.world.wire, "carry", noting)
    read.run()
    first = {load(read.world.log, order_id)[0].recorded[0].correlation for order_id in read.order_ids()}
    assert len(first) == 4
    for port in (*GATEWAYS, "executions"):
        assert {trace for called, trace in made if called == port} == first, port


def test_a_request_of_a_person_keeps_its_own_trace():
    """A cancellation is a request of its own; what the sagas do because of it belongs to the order's."""
    read = ReadWorld(3, {}, orders=6).run()
    correlations = {
        each.correlation
        for order_id in read.order_ids()
        for each in load(read.world.log, order_id)[0].recorded
        if each.actor != SYSTEM
    }
    assert len(correlations) > len(read.order_ids())


def test_an_execution_that_failed_parks_its_order_under_the_trace_of_the_first_request():
    """Its record comes from a queue, which carries no trace."""
    read = ReadWorld(3, {}, orders=1)
    read.world.scheduler.run(lambda: bool(read.order_ids()), steps_max=100_000)
    [order_id] = read.order_ids()
    fault = ExecutionFault(id="event-1", order_id=order_id, run=1, error="States.Runtime", cause="a bug")
    assert record_fault(read.ports, fault)
    history, _ = load(read.world.log, order_id)
    assert history.recorded[-1].correlation == history.recorded[0].correlation != ""
