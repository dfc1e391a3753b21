"""Tasks of a simulated world share time, and none moves another."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from workflows.simulation.scheduler import EPOCH, Scheduler


@pytest.fixture
def scheduler() -> Scheduler:
    return Scheduler(1)


def run_all(scheduler: Scheduler) -> None:
    assert not scheduler.run(lambda: False, steps_max=100)


@pytest.mark.parametrize("start", [Scheduler.spawn, Scheduler.watch])
def test_a_task_pauses_for_its_own_time_when_a_task_that_it_started_ends(
    scheduler: Scheduler, start: Callable[[Scheduler, Callable[[], object]], None]
) -> None:
    """The end of a task leads back to the loop, and does not wake the task that started it."""
    woken_at = list[timedelta]()

    def starting() -> None:
        start(scheduler, lambda: None)
        scheduler.pause(10)
        woken_at.append(scheduler.now() - EPOCH)

    scheduler.spawn(starting)
    run_all(scheduler)
    assert woken_at == [timedelta(seconds=10)]


def test_a_task_that_ends_after_the_task_that_started_it_leads_back_to_the_loop(scheduler: Scheduler) -> None:
    """Calls that were scheduled for later are still made, at their times."""
    seen = list[tuple[str, timedelta]]()

    def note(name: str) -> None:
        seen.append((name, scheduler.now() - EPOCH))

    def started() -> None:
        scheduler.pause(5)
        note("started")

    scheduler.spawn(lambda: scheduler.spawn(started))
    scheduler.after(20, lambda: note("later"))
    run_all(scheduler)
    assert seen == [("started", timedelta(seconds=5)), ("later", timedelta(seconds=20))]


def test_an_error_in_a_task_ends_the_run_and_not_the_task_that_started_it(scheduler: Scheduler) -> None:
    """A broken task fails the test that runs its world, whatever the task that started it would make of the error."""

    def broken() -> None:
        raise LookupError

    def starting() -> None:
        scheduler.spawn(broken)
        try:
            scheduler.pause(10)
        except LookupError:
            pytest.fail("the error came to the task that started the broken one")

    scheduler.spawn(starting)
    with pytest.raises(LookupError):
        run_all(scheduler)


def test_a_closed_scheduler_keeps_nothing_that_its_tasks_refer_to(scheduler: Scheduler) -> None:
    """A task that still waits at the end of a world would keep the world, which the garbage collector cannot see."""

    class Kept:
        pass

    cleaned = list[str]()

    def waiting(kept: Kept) -> None:
        try:
            scheduler.pause(1_000)
        finally:
            cleaned.append("cleaned up")

    kept = Kept()
    alive = weakref.ref(kept)
    scheduler.spawn(partial(waiting, kept))
    scheduler.run(lambda: scheduler.steps == 1, steps_max=100)
    scheduler.close()
    del kept
    gc.collect()
    assert (alive(), cleaned) == (None, ["cleaned up"])
