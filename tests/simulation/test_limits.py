"""AWS's limits: an account without room for ten minutes delays orders, and parks none."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from workflows.simulation.aws_limits import (
    LARGE_REGIONS,
    NEW_ACCOUNT,
    OTHER_REGIONS,
    Bucket,
    Concurrency,
    Limit,
    LimitUse,
    Refusals,
    TokenBucket,
    requested,
)
from workflows.simulation.limited_world import ERRORS_MAX
from workflows.simulation.matrix import deployed
from workflows.simulation.scheduler import EPOCH, Scheduler
from workflows.simulation.throttling import Throttling, ThrottlingResult, page, rows, throttle
from workflows.simulation.wire import outage

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "throttling.md").read_text()


@pytest.mark.parametrize("limit", [Limit.STARTS, Limit.TRANSITIONS, Limit.TOKENS])
def test_ten_minutes_without_room_in_a_limit_park_no_order(limit: Limit) -> None:
    """Orders wait for as long, and little longer. Lambda's own limit is in ``test_throttling.py``."""
    throttling = Throttling(rate=5, quotas="large regions", drained=limit, divided_by=60, arriving_s=240)
    result = throttle(throttling, deployed())
    assert sum(result.ends.values()) == 20
    assert set(result.ends) <= {"completed", "cancelled"}
    assert result.parked == 0
    assert list(result.violations) == []
    assert result.given_up == 0
    assert result.first is limit
    assert timedelta(minutes=5) < result.uses[limit].longest < timedelta(minutes=12)


def later(scheduler: Scheduler, seconds: float) -> None:
    """Let time pass, with all that happens in it."""
    until = scheduler.now() + timedelta(seconds=seconds)
    scheduler.after(seconds, lambda: None)
    scheduler.run(lambda: scheduler.now() >= until, steps_max=1000)


def test_a_bucket_allows_its_size_at_once_and_its_refill_from_then_on() -> None:
    """And never more than its size, however long it was not used."""
    scheduler = Scheduler(1)
    bucket = TokenBucket(Bucket(3, 2), scheduler, None)
    assert [bucket.passes() for _ in range(4)] == [True, True, True, False]
    later(scheduler, 1)
    assert [bucket.passes() for _ in range(3)] == [True, True, False]
    later(scheduler, 3600)
    assert [bucket.passes() for _ in range(4)] == [True, True, True, False]
    assert bucket.use.refused == 3


def test_a_drained_bucket_allows_nothing_until_its_first_refill_after_that() -> None:
    """The other application takes what was saved up, too."""
    scheduler = Scheduler(1)
    bucket = TokenBucket(Bucket(3, 2), scheduler, outage(EPOCH + timedelta(seconds=10), 600))
    later(scheduler, 20)
    assert not bucket.passes()
    later(scheduler, 590)
    assert not bucket.passes()
    later(scheduler, 0.5)
    assert bucket.passes()


def test_a_bucket_earns_nothing_while_it_is_drained() -> None:
    """Ten minutes of refills are lost, also if nothing was asked for meanwhile."""
    scheduler = Scheduler(1)
    bucket = TokenBucket(Bucket(100, 1), scheduler, outage(EPOCH + timedelta(seconds=10), 600))
    later(scheduler, 20)
    assert not bucket.passes()
    later(scheduler, 593)
    assert [bucket.passes() for _ in range(4)] == [True, True, True, False]


def test_only_waits_of_ten_seconds_say_which_limit_queues_first() -> None:
    """A wait lasts from the first refusal of a piece of work until it passes."""
    scheduler = Scheduler(1)
    use = LimitUse()
    refusals = Refusals(use, scheduler)
    refusals.note("a short wait", passed=False)
    later(scheduler, 9)
    refusals.note("a short wait", passed=True)
    assert (use.longest, use.first_at) == (timedelta(seconds=9), None)
    refusals.note("a long wait", passed=False)
    later(scheduler, 6)
    refusals.note("a long wait", passed=False)
    later(scheduler, 5)
    refusals.note("a long wait", passed=True)
    assert (use.longest, use.first_at) == (timedelta(seconds=11), EPOCH + timedelta(seconds=9))


def test_what_a_bucket_holds_is_done_in_order_and_waits_for_what_was_owed() -> None:
    """An act that takes several tokens delays the next one, not itself."""
    scheduler = Scheduler(1)
    bucket = TokenBucket(Bucket(1, 2), scheduler, None)
    done = list[tuple[str, float]]()

    def act(name: str) -> None:
        bucket.owe(3)
        done.append((name, (scheduler.now() - EPOCH).total_seconds()))

    for name in ("first", "second", "third"):
        bucket.hold(lambda name=name: act(name))  # type: ignore[misc]  # bound now
    later(scheduler, 10)
    assert [name for name, _ in done] == ["first", "second", "third"]
    assert [at for _, at in done] == pytest.approx([0, 1.5, 3.0], abs=0.001)
    assert bucket.use.held == 2
    assert bucket.use.longest.total_seconds() == pytest.approx(3.0, abs=0.001)


def test_only_as_many_functions_run_at_once_as_the_limit_allows() -> None:
    """One that ended makes room for the next."""
    functions = Concurrency(Bucket(2), Scheduler(1), None)
    assert [functions.passes() for _ in range(3)] == [True, True, False]
    functions.ended()
    assert functions.passes()


def test_a_smaller_load_gets_limits_as_much_smaller() -> None:
    """At least one call has room. New accounts have less of everything, and requested quotas more than the defaults."""
    assert Bucket(1300, 300).scaled(100) == Bucket(13, 3)
    assert Bucket(10).scaled(100) == Bucket(1)
    assert all(NEW_ACCOUNT[limit].size <= OTHER_REGIONS[limit].size <= LARGE_REGIONS[limit].size for limit in Limit)
    assert all(requested(500)[limit].size >= LARGE_REGIONS[limit].size for limit in Limit)


def test_the_simulation_repeats_a_batch_as_often_as_the_deployed_mapping() -> None:
    """``MaximumRetryAttempts`` of the mapping of Feed."""
    feed = (ROOT / "template.yaml").read_text().partition("\n  Feed:")[2]
    attempts = re.search(r"MaximumRetryAttempts: (\d+)", feed)
    assert attempts is not None
    assert int(attempts[1]) == ERRORS_MAX


def test_the_page_has_the_words_limits_and_worlds_of_its_generator() -> None:
    """Fails after a limit or a world changed: run ``python -m workflows.simulation.throttling --write ...`` again."""
    nothing = [
        ThrottlingResult(
            throttling=world,
            ends={},
            parked=0,
            uses={},
            authorized=timedelta(),
            ended=timedelta(),
            given_up=0,
            violations=(),
        )
        for world in rows()
    ]
    assert _without_results(PAGE) == _without_results(page(nothing, "a test", "today", 0.0))


def test_ten_minutes_without_room_park_no_order_on_the_page() -> None:
    """At 5 and at 500 orders a second. The limit that is drained is the one that queues first."""
    drained = [cells for cells in _results(PAGE) if cells[3] != "nothing"]
    at_500 = set(Limit) - {Limit.DESCRIBES}  # nothing calls it
    assert {(cells[0], cells[3]) for cells in drained} == {("5", limit) for limit in Limit} | {
        ("500", it) for it in at_500
    }
    assert {cells[8] for cells in drained} == {"0"}
    assert all(cells[4] == cells[3] for cells in drained if cells[3] != Limit.DESCRIBES)


def _results(text: str) -> list[list[str]]:
    """Read the cells of the table of results."""
    lines = text.partition("## Results")[2].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


def _without_results(text: str) -> list[str]:
    """Return what does not come from a run: the text without its second paragraph, and four cells of each result."""
    before, _, after = text.partition("## Results")
    title, _, *rest = before.split("\n\n")
    return [title, *rest, *("|".join(line.split("|")[:5]) for line in after.splitlines())]
