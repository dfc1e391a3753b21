"""Archiving on every store of commits, with one protocol for the segments, killed at each of its writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from domain.identifiers import OrderId
from tests.archive.conftest import Story, in_order
from tests.stores import Store
from workflows.archive.archiving import ArchiveRun, archive_orders
from workflows.event_store.commits import Commit
from workflows.event_store.segments import Archived
from workflows.event_store.streams import order_stream
from workflows.in_memory.segments import InMemorySegments
from workflows.orders.command_handling import load


@pytest.fixture
def filled(story: Story, store: Store) -> Any:
    """A log of each adapter with the commits of the story, and an archive in memory."""
    log: Any = store.open()
    log.segments = InMemorySegments()
    for commit in story.commits:
        store.put(commit)
    return log


def archived(log: Any) -> set[str]:
    return {age.stream for age in log.ages() if age.archived}


def old_streams(story: Story) -> set[str]:
    return {order_stream(order_id) for order_id in story.old}


def test_the_orders_that_ended_long_ago_are_archived_and_everything_is_read_as_before(
    story: Story, filled: Any
) -> None:
    """Histories, scans and rows; a second run moves nothing."""
    histories = {order_id: filled.load(order_stream(order_id)) for order_id in (*story.old, story.open, story.young)}
    done = archive_orders(filled, filled.segments, story.cutoff)
    assert (done.orders, done.segments, done.kept, done.reached) == (2, 1, 1, None)
    assert archived(filled) == old_streams(story)
    assert {order_id: filled.load(order_stream(order_id)) for order_id in histories} == histories
    assert sorted(filled.scan(), key=lambda commit: (commit.pk, commit.sk)) == in_order(story.commits)
    assert sorted(filled.rows(), key=lambda row: (row.pk, row.sk)) == in_order(story.commits)
    assert archive_orders(filled, filled.segments, story.cutoff) == ArchiveRun(kept=1)


def test_an_append_that_lost_against_an_archived_commit_gets_it_whole(story: Story, filled: Any) -> None:
    """The conflict shows the winner, whose content is in the archive."""
    stream = order_stream(story.old[0])
    whole = [row for row in filled.read(stream) if isinstance(row, Commit)]
    archive_orders(filled, filled.segments, story.cutoff)
    assert filled._insert(whole[-1]) == whole[-1]


def test_a_run_that_is_stopped_is_continued_where_it_ended(story: Story, filled: Any) -> None:
    """After each order, as when the time of a function is up; no order is archived twice."""
    reached, runs, orders = None, 0, 0
    while runs == 0 or reached is not None:
        done = archive_orders(filled, filled.segments, story.cutoff, after=reached, stop=lambda: True)
        reached, runs, orders = done.reached, runs + 1, orders + done.orders
    assert runs == 1 + len([*filled.ages()])
    assert orders == 2
    assert archived(filled) == old_streams(story)


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """A log and its segments, whose process is killed before or after a call that writes or reads a segment."""

    def __init__(self, log: Any, at: int) -> None:
        self.log = log
        self.left = at

    def __getattr__(self, name: str) -> Any:
        member = getattr(self.log if hasattr(self.log, name) else self.log.segments, name)
        return self._mortal(member) if name == "write" else member

    def read(self, *where: Any) -> Any:
        return self._mortal(self.log.read if len(where) == 1 else self.log.segments.read)(*where)

    def newest(self) -> int:
        return int(self._mortal(self.log.segments.newest)())

    def point(self, archived: Sequence[Archived]) -> None:
        for each in archived:
            self._mortal(self.log.point)([each])

    def _mortal(self, call: Any) -> Any:
        def struck(*arguments: Any) -> Any:
            self._may_die()
            result = call(*arguments)
            self._may_die()
            return result

        return struck

    def _may_die(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


def killed_at_calls(log: Any, story: Story, every: int) -> Iterator[int]:
    """Archive again and again, and yield the call at which the process was killed, until it is not killed any more."""
    at = 1 - every
    while True:
        at += every
        mortal: Any = Mortal(log, at)
        try:
            archive_orders(mortal, mortal, story.cutoff)
        except Killed:
            yield at
        else:
            return


@pytest.mark.parametrize(
    ("store", "every"), [("in-memory", 1), ("sqlite", 1), ("dynamodb-moto", 3)], indirect=["store"]
)
def test_no_commit_is_lost_or_doubled_when_a_run_is_killed_at_any_call(story: Story, filled: Any, every: int) -> None:
    """Before and after each read, write of a segment, and row that is replaced; the next run does the rest."""
    whole = in_order(story.commits)
    last = 0
    for last in killed_at_calls(filled, story, every):  # noqa: B007  # the number of calls is checked below
        assert sorted(filled.scan(), key=lambda commit: (commit.pk, commit.sk)) == whole
    assert last > len([commit for commit in whole if commit.pk in old_streams(story)])
    assert sorted(filled.scan(), key=lambda commit: (commit.pk, commit.sk)) == whole
    assert archived(filled) == old_streams(story)
    for order_id in story.old:
        assert load(filled, OrderId(order_id))[1].run_state.value == "ended"


def test_a_row_that_was_changed_meanwhile_is_not_replaced(story: Story, filled: Any, store: Store) -> None:
    """The row is not the one that was verified: the audit must find it as it is."""
    stream = order_stream(story.old[0])
    first = next(commit for commit in story.commits if commit.pk == stream)
    other = Commit(first.pk, first.sk, first.k, first.ts, b"x" * 32, first.ev.replace("1", "2"))
    store.put(other)
    filled.point([Archived(first, "@000001:0:10")])
    [row, *_] = filled.read(stream)
    assert (row.h, row.ev) == (other.h, other.ev) != (first.h, first.ev)
