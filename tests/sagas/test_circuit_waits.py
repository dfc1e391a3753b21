"""Waiting for a circuit to close: one probe an interval, then a paced release, oldest first."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.breakers.circuits import ALICE, SETTINGS, Killed, World, order
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.sagas.circuit_waits import PAGE, SHARDS, forget, interrupt, waits_of


def test_an_order_that_waits_for_a_circuit_that_just_closed_goes_on_at_once():
    """The circuit is read after the wait is registered, so a closing in between is not missed."""
    world = World()
    world.open()
    world.breaker.close(ALICE, "works")
    world.wait(1)
    assert world.woken("closed") == [order(1)]
    assert list(waits_of(world.documents, order(1))) == []


def test_the_timer_wakes_one_waiting_order_an_interval_even_without_other_calls():
    """The oldest order probes first. If it fails, it waits at the end of the queue and the next one probes."""
    world = World()
    world.open()
    for number in range(3):
        world.wait(number)
        world.clock.advance(0.1)
    for _ in range(60):
        world.clock.advance(1)
        world.tick()
        woken = world.woken("probe")
        if woken and world.executions.woken[-1][0] == world.clock.now():
            number = [order(n) for n in range(3)].index(woken[-1])
            world.call(fails=True, number=number)
            world.wait(number)
    assert world.woken("probe") == [order(0), order(1), order(2), order(0)]
    times = [at for at, _, _ in world.executions.woken]
    assert all(later - earlier >= timedelta(seconds=15) for earlier, later in pairwise(times))


def test_many_timers_wake_one_probe():
    """On AWS two invocations of a schedule may overlap; they still wake one order."""
    world = World()
    world.open()
    for number in range(10):
        world.wait(number)
    world.clock.advance(15)
    for _ in range(5):
        world.tick(world.process())
    assert len(world.woken("probe")) == 1


def test_a_timer_that_loses_the_race_for_the_lease_wakes_no_order():
    """The other came between its look and its write."""
    world = World()
    world.open()
    for number in range(10):
        world.wait(number)
    world.clock.advance(15)
    other = world.process()
    world.documents.before_next_put = lambda: world.tick(other)
    world.tick()
    assert len(world.woken("probe")) == 1


def test_while_a_woken_order_has_the_lease_no_other_call_is_admitted():
    """It keeps the lease until it has called or the lease runs out."""
    world = World()
    world.open()
    world.wait(1)
    world.clock.advance(15)
    world.tick()
    assert world.refuses(2)
    world.call(fails=False, number=1)
    assert world.state is CircuitState.CLOSED
    assert not world.refuses(2)


def test_a_woken_order_that_never_calls_loses_its_turn_to_the_next():
    """An order may be cancelled between the wake-up and its call; the probe must not wait for it."""
    world = World()
    world.open()
    world.wait(1)
    world.clock.advance(1)
    world.wait(2)
    world.clock.advance(14)
    world.tick()
    world.clock.advance(19)
    world.tick()
    assert world.woken("probe") == [order(1)]
    world.clock.advance(1)
    world.tick()
    assert world.woken("probe") == [order(1), order(2)]


def test_orders_that_are_gone_are_passed_over_in_the_same_tick():
    """A wait may outlive its order; such waits must not delay the release."""
    world = World()
    world.open()
    for number in range(50):
        world.wait(number)
        world.clock.advance(0.1)
    world.executions.waiting = {token: o for token, o in world.executions.waiting.items() if o == order(49)}
    world.clock.advance(15)
    world.tick()
    assert world.woken("probe") == [order(49)]
    assert not world.refuses(49)


def test_without_waiting_orders_the_next_call_after_the_interval_is_the_probe():
    """A tick lends the probe only to a waiting order."""
    world = World()
    world.open()
    world.clock.advance(14)
    world.tick()
    assert world.refuses(1)
    world.clock.advance(1)
    world.tick()
    assert not world.refuses(1)
    assert world.refuses(2)


@pytest.mark.parametrize("tick_every_s", [0.5, 1, 3])
def test_the_release_is_paced(tick_every_s: float):
    """A thousand orders after an outage arrive at ten a second, oldest first, at any interval of the timer."""
    world = World()
    world.open()
    for number in range(1000):
        world.wait(number)
        world.clock.advance(0.5)
    closed_at = world.clock.now()
    world.breaker.close(ALICE, "works")
    while world.executions.waiting:
        world.clock.advance(tick_every_s)
        world.tick()
    arrivals = [at for at, _, _ in world.executions.woken]
    in_second = Counter(int((at - closed_at).total_seconds()) for at in arrivals)
    assert max(in_second.values()) <= 10 * max(1, tick_every_s)
    assert all(n <= 10 * (at - closed_at).total_seconds() for n, at in enumerate(arrivals, start=1))
    assert arrivals[-1] - closed_at <= timedelta(seconds=100 + tick_every_s)
    assert world.woken("closed") == [order(number) for number in range(1000)]


def test_a_timer_that_stood_still_does_not_release_a_burst():
    """It makes up for five seconds at most."""
    world = World()
    world.open()
    for number in range(200):
        world.wait(number)
    world.breaker.close(ALICE, "works")
    world.clock.advance(3600)
    world.tick()
    assert len(world.woken("closed")) == 50


def test_ten_timers_release_no_faster_than_one():
    """The number to release is taken with a conditional write, which one timer wins."""
    world = World()
    world.open()
    for number in range(200):
        world.wait(number)
    world.breaker.close(ALICE, "works")
    timers = [world.process() for _ in range(10)]
    for _ in range(5):
        world.clock.advance(1)
        for timer in timers:
            world.tick(timer)
    assert len(world.woken("closed")) == 50


def test_of_two_timers_that_release_at_once_the_second_releases_nothing():
    """The other came between its look and its write."""
    world = World(settings=replace(SETTINGS, release_per_s=100))
    world.open()
    for number in range(500):
        world.wait(number)
    world.breaker.close(ALICE, "works")
    world.clock.advance(2)
    other = world.process()
    world.documents.before_next_put = lambda: world.tick(other)
    world.tick()
    assert len(world.woken("closed")) == 200


def test_a_second_outage_is_released_at_the_same_pace_as_the_first():
    """No allowance accumulates while the circuit is open or no order waits."""
    world = World()
    for first in (0, 100):
        world.open()
        for number in range(100):
            world.wait(first + number)
        world.clock.advance(600)
        world.breaker.close(ALICE, "works")
        world.clock.advance(1)
        before = len(world.woken("closed"))
        world.tick()
        assert len(world.woken("closed")) - before == 10
        while world.executions.waiting:
            world.clock.advance(1)
            world.tick()


def test_an_order_that_could_not_be_woken_is_woken_later():
    """The wait is deleted after the wake-up, not before it."""
    world = World()
    world.open()
    world.wait(1)
    world.breaker.close(ALICE, "works")
    world.clock.advance(1)

    def dies() -> None:
        raise Killed

    world.executions.before_settling = dies
    with pytest.raises(Killed):
        world.tick()
    world.executions.before_settling = lambda: None
    world.clock.advance(1)
    world.tick(world.process())
    assert world.woken("closed") == [order(1)]


def test_a_slow_release_keeps_its_fractions():
    """At one order in three seconds, a tick every second still releases one order every third tick."""
    world = World(settings=replace(SETTINGS, release_per_s=1 / 3))
    world.open()
    for number in range(10):
        world.wait(number)
    world.breaker.close(ALICE, "works")
    for _ in range(18):
        world.clock.advance(1)
        world.tick()
    assert 5 <= len(world.woken("closed")) <= 6


def test_the_release_stops_in_the_middle_when_the_circuit_opens_again():
    """Orders that were not released yet wait for the next closing."""
    world = World()
    world.open()
    for number in range(100):
        world.wait(number)
    world.breaker.close(ALICE, "works")
    world.clock.advance(5)

    def fail_again() -> None:
        if len(world.executions.woken) >= 7 and world.state is CircuitState.CLOSED:
            world.open()

    world.executions.after_settling = fail_again
    world.tick()
    world.clock.advance(5)
    world.tick()
    assert len(world.woken("closed")) == 7
    assert world.woken("probe") == []


def test_a_crash_between_wake_up_and_delete_repeats_the_wake_up_without_harm():
    """Wake-ups are at least once: the second meets a task that has gone on, and the wait is deleted."""
    world = World()
    world.open()
    world.wait(1)
    world.breaker.close(ALICE, "works")
    world.clock.advance(1)
    world.documents.kill_next_delete = True
    with pytest.raises(Killed):
        world.tick()
    world.clock.advance(1)
    world.tick(world.process())
    assert world.woken("closed") == [order(1)]
    assert list(waits_of(world.documents, order(1))) == []


def test_a_crash_between_lending_and_waking_costs_one_lease():
    """The order that has the lease still waits, and is woken once the lease has run out."""
    world = World()
    world.open()
    world.wait(1)
    world.clock.advance(15)
    assert world.breaker.lend_probe(order(1)) is not None  # and the process dies here
    world.tick(world.process())
    assert world.executions.woken == []
    world.clock.advance(20)
    world.tick(world.process())
    assert world.woken("probe") == [order(1)]


@pytest.mark.parametrize("died_before", ["circuit-waits#", "circuit-waits-of#"])
def test_a_registration_that_died_half_way_is_cleaned_up(died_before: str):
    """The queue entry is written first, and a tick settles every entry of the queue."""
    world = World()
    world.open()
    world.documents.kill_next_put_of = died_before
    with suppress(Killed):
        world.wait(1)
    world.executions.waiting.clear()  # its task failed and is tried again with another token
    world.wait(1)
    world.breaker.close(ALICE, "works")
    world.clock.advance(1)
    world.tick()
    assert world.woken("closed") == [order(1)]
    assert list(waits_of(world.documents, order(1))) == []
    assert all(world.documents.list(f"circuit-waits#payments#{shard}") == [] for shard in range(SHARDS))


def test_a_cancellation_finds_the_waits_of_its_order_and_ends_them():
    """Each wait is stored under its order too."""
    world = World()
    world.open()
    world.wait(1)
    world.wait(2)
    (wait,) = waits_of(world.documents, order(1))
    interrupt(world.documents, world.executions, wait, "CancellationAsked", "the customer")
    assert world.woken("CancellationAsked") == [order(1)]
    interrupt(world.documents, world.executions, wait, "CancellationAsked", "twice is no error")
    forget(world.documents, wait)
    world.breaker.close(ALICE, "works")
    world.clock.advance(1)
    world.tick()
    assert world.woken("closed") == [order(2)]


def test_thousands_may_wait_and_a_tick_reads_a_few_of_them():
    """A tick reads no more pages than it needs, and the queue is spread over four partitions."""
    world = World()
    world.open()
    for number in range(3000):
        world.wait(number)
    sizes = [len(world.documents.list(f"circuit-waits#payments#{shard}", limit=3000)) for shard in range(SHARDS)]
    assert sum(sizes) == 3000
    assert min(sizes) > 600
    world.documents.longest_page = 0
    world.clock.advance(15)
    world.tick()
    world.breaker.close(ALICE, "works")
    world.clock.advance(3)
    world.tick()
    assert world.documents.longest_page == PAGE
    assert len(world.woken("closed")) == 30


def test_another_dependency_is_another_circuit_and_another_queue():
    """Waits for couriers do not delay waits for payments."""
    world = World()
    couriers = World(dependency=Dependency.COURIERS, clock=world.clock, documents=world.documents)
    couriers.open()
    couriers.wait(1)
    world.clock.advance(3)
    world.tick()
    assert world.state is CircuitState.CLOSED
    assert couriers.executions.woken == []
