"""One circuit, many processes: they share the stores and nothing else, and each may die at any moment."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from tests.breakers.circuits import ALICE, SETTINGS, HandClock, Killed, World, order
from workflows.breakers.breaker import OPENED, Breaker, CircuitOpen
from workflows.breakers.circuit import CircuitState
from workflows.breakers.events import CircuitClosed, CircuitHeldOpen, CircuitOpened
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.event_log import StreamUnavailable


def test_twenty_processes_see_one_failure_in_four_each_and_open_one_circuit():
    """No single process sees enough; together they do, and it opens once."""
    world = World()
    processes = [world.process() for _ in range(20)]
    for process in processes[:5]:
        world.call(fails=True, breaker=process)
    assert world.events == [CircuitOpened]
    world.clock.advance(2)
    assert all(world.refuses(1, process) for process in processes)


def test_twenty_processes_that_fail_at_once_open_it_once():
    """Real threads: conflicts are decided again, and a replayed append is no second event."""
    world = World()
    processes = [world.process() for _ in range(20)]
    start = threading.Barrier(20)

    def fail(process: Breaker) -> None:
        permits = [world.admit(n, process) for n in range(5)]
        start.wait(10)
        for permit in permits:
            process.failed(permit, "no answer")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(fail, processes))
    assert world.events == [CircuitOpened]
    assert world.state is CircuitState.OPEN


def test_of_twenty_processes_that_ask_at_once_one_may_probe():
    """The lease is a conditional write of one document."""
    world = World()
    world.open()
    world.clock.advance(15)
    start = threading.Barrier(20)

    def ask(number: int) -> bool:
        process = world.process()
        start.wait(10)
        return not world.refuses(number, process)

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(ask, range(20))) == 1


def test_a_process_that_loses_the_race_for_the_lease_looks_again_and_is_refused():
    """The other one came between its look and its write."""
    world = World()
    world.open()
    world.clock.advance(15)
    other = world.process()
    admitted = []
    world.documents.before_next_put = lambda: admitted.append(world.admit(2, other))
    assert world.refuses(1)
    assert len(admitted) == 1


def test_two_processes_that_report_at_once_both_count():
    """The one that was overtaken counts again, on top of the other."""
    world = World()
    other = world.process()
    world.documents.before_next_put = lambda: world.call(fails=True, breaker=other)
    world.call(fails=True)
    assert world.breaker.read().tally.failures == 2


def test_a_call_that_began_before_an_outage_says_nothing_about_the_time_after_it():
    """It ends when the circuit has long closed again, and waited for a provider that was down."""
    world = World()
    early = [world.admit(n) for n in range(3)]
    world.open()
    world.breaker.close(ALICE, "works")
    for permit in early:
        world.breaker.failed(permit, "no answer")
    assert world.breaker.read().tally.failures == 0


def test_a_probe_of_an_earlier_outage_closes_no_later_one():
    """Both were the first of their outage."""
    world = World()
    world.open()
    world.clock.advance(15)
    early = world.admit(1)
    world.breaker.close(ALICE, "works")
    world.clock.advance(2)
    world.open()
    world.clock.advance(15)
    assert world.admit(2).probe == early.probe
    world.breaker.succeeded(early)
    assert world.state is CircuitState.HALF_OPEN


def test_the_interval_counts_from_the_call_and_not_from_the_wake_up():
    """The woken order took four seconds to call and died; the provider is left alone for fifteen more."""
    world = World(settings=replace(SETTINGS, probe_lease_s=5))
    world.open()
    world.clock.advance(15)
    assert world.breaker.lend_probe(order(1)) is not None
    world.clock.advance(4)
    world.admit(1)
    world.clock.advance(14)
    assert world.refuses(2)
    world.clock.advance(1)
    assert not world.refuses(2)


def test_twenty_processes_make_one_probe_an_interval_through_an_outage():
    """Ten minutes, everybody asks every second: forty intervals, and never two calls within one."""
    world = World()
    world.open()
    processes = [world.process() for _ in range(20)]
    calls = []
    for _ in range(600):
        world.clock.advance(1)
        for number, process in enumerate(processes):
            with suppress(CircuitOpen):
                world.call(fails=True, number=number, breaker=process)
                calls.append(world.clock.now())
    assert len(calls) == 600 // 15
    assert all(later - earlier >= timedelta(seconds=15) for earlier, later in pairwise(calls))


def test_the_order_that_holds_the_lease_makes_one_call_and_not_two():
    """Whichever of its processes comes first, e.g. a zombie of an older run."""
    world = World()
    world.open()
    world.clock.advance(15)
    assert world.breaker.lend_probe(order(1)) is not None
    assert not world.refuses(1, world.process())
    assert world.refuses(1, world.process())


def test_a_probe_that_never_comes_back_loses_its_lease_and_its_late_answer_does_not_count_over_the_next():
    """The lease runs out; another goes; what the first one says then is about a lease that is gone."""
    world = World()
    world.open()
    world.clock.advance(15)
    first = world.admit(1)
    world.clock.advance(19)
    assert world.refuses(2)
    world.clock.advance(1)
    world.admit(2)
    world.breaker.succeeded(first)
    assert world.state is CircuitState.HALF_OPEN
    world.breaker.failed(first, "no answer")
    assert world.state is CircuitState.HALF_OPEN


def test_a_late_answer_counts_while_nobody_else_has_probed():
    """It is the newest that is known of the provider."""
    world = World()
    world.open()
    world.clock.advance(15)
    probe = world.admit(1)
    world.clock.advance(60)
    world.breaker.succeeded(probe)
    assert world.state is CircuitState.CLOSED


@pytest.mark.parametrize("lost", ["opened", "closed", "held"])
def test_a_crash_between_event_and_document_is_repaired_by_the_next_reader(lost: str):
    """The stream is first. Whoever reads brings the document up to it, and the event is not written again."""
    world = World()
    if lost == "closed":
        world.open()
        world.clock.advance(15)
    for _ in range(4 if lost == "opened" else 0):
        world.call(fails=True)
    permit = world.admit()
    world.documents.kill_next_put_of = "breaker#"
    change = {
        "opened": lambda: world.breaker.failed(permit, "no answer"),
        "closed": lambda: world.breaker.succeeded(permit),
        "held": lambda: world.breaker.hold_open(ALICE, "fraud"),
    }[lost]
    with pytest.raises(Killed):
        change()
    before = list(world.events)
    assert before[-1] is {"opened": CircuitOpened, "closed": CircuitClosed, "held": CircuitHeldOpen}[lost]
    assert (
        world.process().read().state
        is {"opened": CircuitState.OPEN, "closed": CircuitState.CLOSED, "held": CircuitState.HELD_OPEN}[lost]
    )
    found = world.documents.get("breaker#payments", "circuit")
    assert found is not None
    assert found.body["last"] == [f"breaker#payments#{world.clock.now().date()}", len(before)]
    assert world.events == before


def test_a_document_that_was_lost_is_made_again_from_the_streams_of_the_last_days():
    """Documents may be lost; what a person decided is in the log."""
    world = World()
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(6 * 86_400)
    world.documents.delete("breaker#payments", "circuit", world.documents.get("breaker#payments", "circuit").version)
    assert world.process().read().state is CircuitState.HELD_OPEN


def test_midnight_changes_the_stream_and_nothing_else():
    """It stays open, and the closing goes to the new day's stream; support reads both."""
    world = World(clock=HandClock(datetime(2026, 5, 4, 23, 59, 50, tzinfo=UTC)))
    world.open()
    world.clock.advance(15)
    world.call(fails=False)
    assert [str(transition.position) for transition in world.history] == [
        "breaker#payments#2026-05-04/1",
        "breaker#payments#2026-05-05/1",
    ]
    assert world.state is CircuitState.CLOSED


def test_a_process_whose_clock_is_behind_goes_on_in_the_newest_stream():
    """So that events of one circuit stay in their order."""
    world = World(clock=HandClock(datetime(2026, 5, 5, 0, 0, 1, tzinfo=UTC)))
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(-5)
    world.process().close(ALICE, "false alarm")
    assert [str(transition.position) for transition in world.history] == [
        "breaker#payments#2026-05-05/1",
        "breaker#payments#2026-05-05/2",
    ]


def test_a_process_that_believes_in_a_closed_circuit_is_wrong_for_two_seconds_at_most():
    """That is what the cheap closed state costs when somebody else opens it."""
    world = World()
    other = world.process()
    world.call(fails=False, breaker=other)
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(1.9)
    assert not world.refuses(1, other)
    world.clock.advance(0.1)
    assert world.refuses(1, other)


def test_failures_that_could_not_be_reported_are_reported_with_the_next(monkeypatch):
    """The provider's answer, or its silence, is what the caller gets; the stores' trouble is not."""
    world = World()
    permits = [world.admit(n) for n in range(5)]

    def gone(*_: object) -> None:
        raise DocumentsUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.documents, "put", gone)
        for permit in permits[:4]:
            world.breaker.failed(permit, "no answer")
    assert world.state is CircuitState.CLOSED
    world.breaker.failed(permits[4], "no answer")
    assert world.state is CircuitState.OPEN


def test_a_probe_whose_success_cannot_be_recorded_still_hands_over_its_receipt(monkeypatch):
    """The circuit stays open a little longer: the lease runs out, and the next probe tells."""
    world = World()
    world.open()
    world.clock.advance(15)
    probe = world.admit(1)

    def gone(*_: object) -> None:
        raise StreamUnavailable("breaker#payments#2026-05-04", "no answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.log, "append", gone)
        world.breaker.succeeded(probe)
    assert world.state is CircuitState.HALF_OPEN
    world.clock.advance(20)
    world.call(fails=False, number=2)
    assert world.state is CircuitState.CLOSED


def test_every_opened_circuit_is_logged_once_without_the_persons_id(caplog: pytest.LogCaptureFixture) -> None:
    """By failures or by hand; a support employee's id and reason stay in the event."""
    world = World()
    world.open()
    world.breaker.close(ALICE, "mended")
    world.breaker.hold_open(ALICE, "suspicious answers")
    lines = [vars(record) for record in caplog.records if record.message == OPENED]
    assert [(line["dependency"], line["event"], line["actor"]) for line in lines] == [
        (world.breaker.dependency.value, "CircuitOpened", "system"),
        (world.breaker.dependency.value, "CircuitHeldOpen", "support"),
    ]
    assert ALICE.id not in str(lines)
    assert "suspicious" not in str(lines)
