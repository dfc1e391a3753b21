"""One circuit, many processes: they share only the stores, and each may be killed at any moment."""

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
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.event_log import StreamUnavailable


def test_twenty_processes_see_one_failure_in_four_each_and_open_one_circuit():
    """No single process sees enough failures to open it; together they do, and it opens once."""
    world = World()
    processes = [world.process() for _ in range(20)]
    for process in processes[:5]:
        world.call(fails=True, breaker=process)
    assert world.events == [CircuitOpened]
    world.clock.advance(2)
    assert all(world.refuses(1, process) for process in processes)


def test_twenty_processes_that_fail_at_once_open_it_once():
    """With real threads: conflicts are decided again, and a replayed append adds no second event."""
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


def test_of_twenty_processes_at_once_one_gets_the_probe():
    """The lease is taken by a conditional write of one document."""
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


def test_a_process_that_loses_the_race_for_the_lease_reads_again_and_is_refused():
    """The winner wrote between the loser's read and its write."""
    world = World()
    world.open()
    world.clock.advance(15)
    other = world.process()
    admitted = []
    world.documents.before_next_put = lambda: admitted.append(world.admit(2, other))
    assert world.refuses(1)
    assert len(admitted) == 1


def test_two_processes_that_report_at_once_both_count():
    """The report that lost the conflict is added to the newer tally."""
    world = World()
    other = world.process()
    world.documents.before_next_put = lambda: world.call(fails=True, breaker=other)
    world.call(fails=True)
    assert world.breaker.read().tally.failures == 2


def test_a_call_that_began_before_an_outage_does_not_count_after_it():
    """It ends after the circuit has closed again, but it waited on a provider that was down then."""
    world = World()
    early = [world.admit(n) for n in range(3)]
    world.open()
    world.breaker.close(ALICE, "works")
    for permit in early:
        world.breaker.failed(permit, "no answer")
    assert world.breaker.read().tally.failures == 0


def test_a_probe_of_an_earlier_outage_does_not_end_a_later_one():
    """Both probes are the first of their outage, so their number alone does not tell them apart."""
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


def test_the_probe_interval_counts_from_the_call_and_not_from_the_wake_up():
    """The woken order called four seconds later and died; the next probe comes fifteen seconds after that call."""
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
    """In ten minutes with a request a second from each, there are forty intervals and never two calls within one."""
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
    """An older run of the same order may still be alive; the first of its processes to call uses the lease up."""
    world = World()
    world.open()
    world.clock.advance(15)
    assert world.breaker.lend_probe(order(1)) is not None
    assert not world.refuses(1, world.process())
    assert world.refuses(1, world.process())


def test_a_late_answer_of_a_probe_does_not_count_once_its_lease_has_run_out_and_another_probe_began():
    """Only the answer of the probe that holds the lease moves the circuit."""
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


def test_a_late_answer_counts_while_no_other_probe_began():
    """It is still the newest fact about the provider."""
    world = World()
    world.open()
    world.clock.advance(15)
    probe = world.admit(1)
    world.clock.advance(60)
    world.breaker.succeeded(probe)
    assert world.state is CircuitState.CLOSED


@pytest.mark.parametrize("lost", ["opened", "closed", "held"])
def test_a_crash_between_event_and_document_is_repaired_by_the_next_reader(lost: str):
    """The event is written first. The next reader updates the document from it and writes no second event."""
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
    stored = world.documents.get("breaker#payments", "circuit")
    assert stored is not None
    assert stored.body["last"] == [f"breaker#payments#{world.clock.now().date()}", len(before)]
    assert world.events == before


def test_a_lost_document_is_rebuilt_from_the_streams_of_the_last_days():
    """Documents may be lost; an operator's decision is in the log."""
    world = World()
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(6 * 86_400)
    world.documents.delete("breaker#payments", "circuit", world.documents.get("breaker#payments", "circuit").version)
    assert world.process().read().state is CircuitState.HELD_OPEN


@pytest.mark.parametrize("key", ["first", None])
@pytest.mark.parametrize("hours", [0, 23])
def test_a_late_copy_of_a_request_does_not_change_a_circuit_that_was_changed_meanwhile(key: str | None, hours: int):
    """A copy has the key of its request, also after midnight; without a key each request counts."""
    world = World(clock=HandClock(datetime(2026, 5, 4, 23, 59, 50, tzinfo=UTC)))
    world.breaker.hold_open(ALICE, "fraud", key)
    world.process().close(ALICE, "false alarm", key and "second")
    world.clock.advance(hours * 3600)
    copied = world.process().hold_open(ALICE, "fraud", key)
    assert copied.state is world.state is (CircuitState.CLOSED if key else CircuitState.HELD_OPEN)
    closing_copied = world.breaker.close(ALICE, "false alarm", key and "second")
    assert closing_copied.state is CircuitState.CLOSED
    assert len(world.history) == (2 if key else 4)


@pytest.mark.parametrize("key", ["copied", None])
def test_a_late_copy_of_a_request_that_found_the_circuit_so_does_not_change_it_later(key: str | None):
    """The request was answered: it is closed already. Its copy must not close a circuit that was opened since."""
    world = World()
    world.breaker.hold_open(ALICE, "fraud", "first")
    assert world.breaker.hold_open(ALICE, "fraud as well", key).state is CircuitState.HELD_OPEN
    world.breaker.close(ALICE, "false alarm", "third")
    copied = world.process().hold_open(ALICE, "fraud as well", key)
    assert copied.state is world.state is (CircuitState.CLOSED if key else CircuitState.HELD_OPEN)
    if key:
        with pytest.raises(KeyReused):
            world.breaker.hold_open(ALICE, "another reason", key)
    assert len(world.history) == (2 if key else 3)


def test_a_key_is_of_one_person_one_action_and_one_reason():
    """Nothing of a request with another reason is recorded, and it is not answered as if it were."""
    world = World()
    bob = replace(ALICE, id="bob")
    world.breaker.hold_open(ALICE, "fraud", "key")
    assert world.breaker.close(ALICE, "false alarm", "key").state is CircuitState.CLOSED
    assert world.breaker.hold_open(bob, "fraud", "key").state is CircuitState.HELD_OPEN
    assert world.breaker.close(bob, "false alarm", "key").state is CircuitState.CLOSED
    with pytest.raises(KeyReused):
        world.breaker.hold_open(ALICE, "maintenance", "key")
    assert world.state is CircuitState.CLOSED


def test_two_copies_at_once_are_recorded_once():
    """The second one finds the first in its place of the log."""
    world = World()
    first, second = world.process(), world.process()
    world.documents.before_next_put = lambda: second.hold_open(ALICE, "fraud", "key")
    assert first.hold_open(ALICE, "fraud", "key").state is CircuitState.HELD_OPEN
    assert world.events == [CircuitHeldOpen]


def test_midnight_changes_the_stream_and_nothing_else():
    """The circuit stays open, its closing is written to the new day's stream, and its history covers both."""
    world = World(clock=HandClock(datetime(2026, 5, 4, 23, 59, 50, tzinfo=UTC)))
    world.open()
    world.clock.advance(15)
    world.call(fails=False)
    assert [str(transition.position) for transition in world.history] == [
        "breaker#payments#2026-05-04/1",
        "breaker#payments#2026-05-05/1",
    ]
    assert world.state is CircuitState.CLOSED


def test_a_process_whose_clock_is_behind_writes_to_the_newest_stream():
    """Events of one circuit stay in their order."""
    world = World(clock=HandClock(datetime(2026, 5, 5, 0, 0, 1, tzinfo=UTC)))
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(-5)
    world.process().close(ALICE, "false alarm")
    assert [str(transition.position) for transition in world.history] == [
        "breaker#payments#2026-05-05/1",
        "breaker#payments#2026-05-05/2",
    ]


def test_a_process_uses_an_outdated_closed_state_for_two_seconds_at_most():
    """A process reads a closed circuit every two seconds, so it misses an opening for that long at most."""
    world = World()
    other = world.process()
    world.call(fails=False, breaker=other)
    world.breaker.hold_open(ALICE, "fraud")
    world.clock.advance(1.9)
    assert not world.refuses(1, other)
    world.clock.advance(0.1)
    assert world.refuses(1, other)


def test_failures_that_could_not_be_reported_are_reported_with_the_next(monkeypatch):
    """The caller gets the provider's answer or error, never an error of our own stores."""
    world = World()
    permits = [world.admit(n) for n in range(5)]

    def unavailable(*_: object) -> None:
        raise DocumentsUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.documents, "put", unavailable)
        for permit in permits[:4]:
            world.breaker.failed(permit, "no answer")
    assert world.state is CircuitState.CLOSED
    world.breaker.failed(permits[4], "no answer")
    assert world.state is CircuitState.OPEN


def test_a_probe_whose_success_cannot_be_recorded_still_hands_over_its_receipt(monkeypatch):
    """The circuit stays half-open until the lease runs out and the next probe succeeds."""
    world = World()
    world.open()
    world.clock.advance(15)
    probe = world.admit(1)

    def unavailable(*_: object) -> None:
        raise StreamUnavailable("breaker#payments#2026-05-04", "no answer")

    with monkeypatch.context() as patch:
        patch.setattr(world.log, "append", unavailable)
        world.breaker.succeeded(probe)
    assert world.state is CircuitState.HALF_OPEN
    world.clock.advance(20)
    world.call(fails=False, number=2)
    assert world.state is CircuitState.CLOSED


def test_every_opened_circuit_is_logged_once_without_the_persons_id(caplog: pytest.LogCaptureFixture) -> None:
    """An opening by failures or by an operator is logged; the operator's id and reason stay in the event."""
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
