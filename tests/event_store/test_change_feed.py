"""The live feed: every commit, in order, at least once, and a notification for each."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import PreparationRequested
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import NewCommit


@pytest.fixture(params=["in-memory", "sqlite"])
def log(request: pytest.FixtureRequest, open_store) -> Iterator:
    with open_store(request.param) as store:
        yield store.open()


def commit(key: str) -> NewCommit:
    return NewCommit(
        key=key, events=(PreparationRequested(),), actor=SYSTEM, correlation="", causation="", body_hash="b"
    )


def followed(log, limit: int) -> list[tuple[str, int]]:
    """Read the feed to its end in pages, as a follower with a checkpoint does."""
    seen, position = [], None
    while changes := log.changes(position, limit):
        assert len(changes) <= limit
        seen += [(change.commit.pk, change.commit.sk) for change in changes]
        position = changes[-1].position
    return seen


def test_the_feed_begins_at_the_beginning_and_ends_at_the_end(log):
    """A reader without a position starts before the first commit."""
    assert log.changes(None, 10) == []
    first = log.append(log.load("order#b"), commit("k1"))
    log.append(log.load("order#a"), commit("k1"))
    log.append(first, commit("k2"))
    assert followed(log, 2) == [("order#b", 1), ("order#a", 1), ("order#b", 2)]
    last = log.changes(None, 10)[-1].position
    assert log.changes(last, 10) == []


def test_a_follower_that_reads_while_others_write_misses_nothing(log):
    """Positions become visible in their order: a reader that has seen one has seen all before it."""
    done = threading.Event()
    seen: list[tuple[str, int]] = []

    def follow() -> None:
        position = None
        while True:
            finished = done.is_set()
            changes = log.changes(position, 7)
            seen.extend((change.commit.pk, change.commit.sk) for change in changes)
            if changes:
                position = changes[-1].position
            elif finished:
                return

    def write(n: int) -> None:
        history = log.load(f"order#{n}")
        for key in range(25):
            history = log.append(history, commit(f"k{key}"))

    follower = threading.Thread(target=follow)
    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in [follower, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    follower.join()
    assert len(seen) == len(set(seen)) == 200
    for n in range(8):
        assert [sk for pk, sk in seen if pk == f"order#{n}"] == list(range(1, 26))


def test_each_commit_is_notified_once_it_can_be_read(log):
    """A listener is called with a commit after the feed has it. A replayed append is not a new commit."""
    notified: list[tuple[list[FeedEntry], FeedEntry]] = []
    log.on_commit(lambda entry: notified.append((log.changes(None, 100), entry)))
    before = log.load("order#1")
    history = log.append(before, commit("k1"))
    log.append(before, commit("k1"))
    log.append(history, commit("k2"))
    assert [(len(feed), feed[-1]) for feed, _ in notified] == [(1, notified[0][1]), (2, notified[1][1])]


def test_listeners_get_the_commits_of_many_writers_in_the_order_of_the_feed(log):
    """A listener that keeps up needs no second look at the log."""
    notified: list[FeedEntry] = []
    log.on_commit(notified.append)

    def write(n: int) -> None:
        history = log.load(f"order#{n}")
        for key in range(10):
            history = log.append(history, commit(f"k{key}"))

    writers = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert notified == log.changes(None, 100)


def test_a_listener_that_fails_harms_neither_the_append_nor_the_other_listeners(log):
    """An order is never held up by something that only watches it."""
    notified: list[FeedEntry] = []

    def fail(_entry: FeedEntry) -> None:
        raise RuntimeError("the listener is broken")

    log.on_commit(fail)
    log.on_commit(notified.append)
    log.append(log.load("order#1"), commit("k1"))
    assert notified == log.changes(None, 100)
