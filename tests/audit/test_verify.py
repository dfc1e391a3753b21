"""``audit verify`` names every commit that differs from what was written; some only published heads reveal."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested, PreparationRequested
from workflows.audit.findings import Head, PublishedHeads
from workflows.audit.verify import heads, verify
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import (
    CHANGED,
    GENESIS,
    ChainBroken,
    Commit,
    NewCommit,
    RecordedEvent,
    chain_hash,
)
from workflows.event_store.keyring import NoKeys
from workflows.in_memory.keyring import InMemoryKeyRing

BAD, GOOD = "order#bad", "order#good"


def grow(log, stream: str, commits: int) -> None:
    """Commits of one, two, one, two ... events: they begin with versions 1, 2, 4, 5, 7, 8."""
    history = log.load(stream)
    for n in range(commits):
        events = (CourierRequested(attempt=n), PreparationRequested())[: 1 + n % 2]
        history = log.append(
            history,
            NewCommit(key=f"k{n}", events=events, actor=SYSTEM, correlation="", causation="", body_hash="b"),
        )


@pytest.fixture
def commits(log) -> list[Commit]:
    """Two streams; the commits of the one that is tampered with."""
    grow(log, GOOD, 4)
    grow(log, BAD, 6)
    return list(log.read(BAD))


def edited(commit: Commit, attempt: int = 99) -> Commit:
    return replace(commit, ev=commit.ev.replace('"attempt":', f'"attempt":{attempt}'))


def exchanged(store, first: Commit, second: Commit) -> None:
    store.put(replace(first, sk=second.sk))
    store.put(replace(second, sk=first.sk))


def recomputed(store, commits: list[Commit], from_version: int) -> None:
    """Forge a commit and everything after it, as an attacker who knows how hashes are computed."""
    previous = GENESIS
    for commit in commits:
        forged = edited(commit, 7) if commit.sk == from_version else commit
        previous = chain_hash(previous, forged)
        store.put(replace(forged, h=previous))


def found(log, **options) -> list[tuple[int, str]]:
    report = verify(log, **options)
    assert {finding.stream for finding in report.findings} <= {BAD}
    return [(finding.version, finding.what) for finding in report.findings]


MOVED = f"{CHANGED}; swapped or reordered: it holds what was written as version"
FOLLOWS = f"{CHANGED}; its content fits its hash behind another commit, so the one before it was "
FOLLOWS += "changed, moved or removed"
LONGER = "the commit before it was changed, and may have held more events"


def test_a_log_as_it_was_written_is_intact(log, commits):
    """There are no findings, and the report counts what was examined."""
    walked: list[int] = []
    report = verify(log, progress=walked.append)
    assert report.intact
    assert (report.streams, report.commits, report.events, report.heads) == (2, 10, 15, 0)
    assert walked == [1, 2]


@pytest.mark.parametrize(
    ("tamper", "findings"),
    [
        (lambda store, c: store.put(edited(c[2])), [(4, CHANGED)]),
        (lambda store, c: [store.put(edited(c[0])), store.put(edited(c[3]))], [(1, CHANGED), (5, CHANGED)]),
        (lambda store, c: store.put(replace(c[5], k="other")), [(8, CHANGED)]),
        (lambda store, c: store.put(replace(c[2], h=b"x" * 32)), [(4, CHANGED), (5, FOLLOWS)]),
        (
            lambda store, c: store.put(replace(c[1], ev=c[0].ev)),
            [(2, CHANGED), (3, f"missing: the next commit begins with version 4; {LONGER}")],
        ),
        (
            lambda store, c: store.put(replace(c[1], ev="{}")),
            [
                (2, CHANGED),
                (2, "cannot be decoded: Object missing required field `m`"),
                (3, f"missing: the next commit begins with version 4; {LONGER}"),
            ],
        ),
        (lambda store, c: store.delete(BAD, 4), [(4, "missing: the next commit begins with version 5")]),
        (lambda store, c: store.delete(BAD, 1), [(1, "missing: the next commit begins with version 2")]),
        (
            lambda store, c: [store.delete(BAD, 2), store.delete(BAD, 4)],
            [(2, "missing: the next commit begins with version 5")],
        ),
        (
            lambda store, c: exchanged(store, c[2], c[4]),
            [(4, f"{MOVED} 7"), (5, FOLLOWS), (7, f"{MOVED} 4"), (8, FOLLOWS)],
        ),
        (
            lambda store, c: exchanged(store, c[2], c[3]),
            [
                (4, f"{MOVED} 5"),
                (5, f"overlaps the commit before it, which ends with version 5; {MOVED.partition('; ')[2]} 4"),
                (6, f"missing: the next commit begins with version 7; {LONGER}"),
            ],
        ),
        (
            lambda store, c: [
                store.put(replace(c[2], ev=c[4].ev, k=c[4].k, ts=c[4].ts)),
                store.put(replace(c[4], ev=c[2].ev, k=c[2].k, ts=c[2].ts)),
            ],
            [(4, f"{MOVED} 7"), (7, f"{MOVED} 4")],
        ),
        (
            lambda store, c: [
                store.put(replace(c[0], sk=4)),
                store.put(replace(c[2], sk=7)),
                store.put(replace(c[4], sk=1)),
            ],
            [(1, f"{MOVED} 7"), (2, FOLLOWS), (4, f"{MOVED} 1"), (5, FOLLOWS), (7, f"{MOVED} 4"), (8, FOLLOWS)],
        ),
        (
            lambda store, c: store.put(replace(c[0], sk=6)),
            [
                (6, "overlaps the commit before it, which ends with version 6"),
                (7, FOLLOWS),
            ],
        ),
    ],
    ids=[
        "edited",
        "two edited",
        "other key",
        "other hash",
        "an event less",
        "not a commit",
        "deleted",
        "beginning deleted",
        "two deleted",
        "swapped",
        "swapped, of different sizes",
        "swapped, hashes left in place",
        "reordered",
        "inserted in between",
    ],
)
def test_each_broken_link_is_named(log, store, commits, tamper: Callable, findings: list[tuple[int, str]]):
    """By version, with words where the commit fits another place; and none of another stream."""
    tamper(store, commits)
    assert found(log) == findings


def test_time_going_backwards_is_named_even_when_the_chain_was_computed_again(log, store, commits):
    """A commit cannot be earlier than the one before it."""
    earlier = replace(commits[5], ts="2020-01-01T00:00:00.000000Z")
    store.put(replace(earlier, h=chain_hash(commits[4].h, earlier)))
    ((version, what),) = found(log)
    assert version == 8
    assert "earlier than the commit before it" in what


@pytest.mark.parametrize("ts", ["", "zzz", "2026-05-04", "2026-05-04T12:00:00Z", "2026-05-04T12:00:00.000000+00:00"])
def test_a_time_in_another_form_is_named_even_when_the_chain_was_computed_again(log, store, commits, ts: str):
    """Times are compared as texts, so a text of another form would be before or after all of them."""
    forged = replace(commits[0], pk="order#forged", ts=ts)
    store.put(replace(forged, h=chain_hash(GENESIS, forged)))
    assert ["is not in the form" in finding.what for finding in verify(log).findings] == [True]


@pytest.mark.parametrize("key", ["[]", "{}", "5", "null", '["a"]'])
def test_a_sealed_field_of_any_content_is_no_exception(log, store, commits, key: str):
    """An event of an unknown type may hold anything, at any depth."""
    sealed = '{"key":' + key + ',"sealed":"b"}'
    data = "[" * 500 + sealed + "]" * 500
    meta = '{"actor":{"role":"system","id":""},"correlation":"","causation":"","body":""}'
    forged = replace(commits[0], pk="order#forged", ev='{"m":' + meta + ',"e":[{"t":"X","v":1,"d":' + data + "}]}")
    store.put(replace(forged, h=chain_hash(GENESIS, forged)))
    assert verify(log, keys=InMemoryKeyRing()).intact


def test_a_chain_computed_again_is_found_with_a_published_head_only(log, store, commits):
    """Without one it is a valid chain; that is the limit of hashes kept beside the data."""
    published = list(heads(log))
    recomputed(store, commits, from_version=4)
    assert found(log) == []
    ((version, what),) = found(log, published=PublishedHeads.of(published))
    assert version == 8
    assert "differs from the published head" in what


def test_a_cut_tail_is_found_with_a_published_head_only(log, store, commits):
    """The rest is a valid chain, only shorter."""
    published = list(heads(log))
    store.delete(BAD, 7)
    store.delete(BAD, 8)
    assert found(log) == []
    ((version, what),) = found(log, published=PublishedHeads.of(published))
    assert version == 7
    assert "a head was published at version 9" in what


def test_a_stream_that_vanished_is_found_with_a_published_head(log, store, commits):
    """A scan cannot see what is not there."""
    published = list(heads(log))
    for commit in commits:
        store.delete(BAD, commit.sk)
    ((version, what),) = found(log, published=PublishedHeads.of(published))
    assert version == 1
    assert "a head was published at version 9" in what


def test_a_head_at_a_version_where_no_commit_ends_is_a_chain_computed_again(log, commits):
    """Commits were joined or split after the head was published."""
    ((version, what),) = found(log, published=PublishedHeads.of([Head(BAD, 2, commits[1].h)]))
    assert version == 2
    assert "no commit ends here" in what


def test_an_older_head_still_holds_after_the_stream_went_on(log, store, commits):
    """Heads are published now and then; later commits do not contradict them."""
    published = [Head(BAD, 4, commits[2].h)]
    assert found(log, published=PublishedHeads.of(published)) == []
    recomputed(store, commits, from_version=2)
    assert [version for version, _ in found(log, published=PublishedHeads.of(published))] == [4]


def test_heads_are_exported_from_verified_chains_only(log, store, commits):
    """A head of a broken chain would make the damage official."""
    assert {head.stream: head.version for head in heads(log)} == {BAD: 9, GOOD: 6}
    assert next(head.hash for head in heads(log) if head.stream == BAD) == commits[-1].h
    store.put(edited(commits[2]))
    with pytest.raises(ChainBroken):
        list(heads(log))


class EndlessLog:
    """A log of any number of streams, created while it is read."""

    def __init__(self, streams: int) -> None:
        self.streams = streams

    def rows(self) -> Iterator[Commit]:
        text = '{"m":{"actor":{"role":"system","id":""},"correlation":"","causation":"","body":""},'
        text += '"e":[{"t":"E","v":1,"d":{}}],"filler":"' + "x" * 1000 + '"}'
        for n in range(self.streams):
            unsealed = Commit(f"order#{n:09d}", 1, "k", "2026-05-04T12:00:00.000000Z", b"", text)
            yield replace(unsealed, h=chain_hash(GENESIS, unsealed))

    def events(self, commit: Commit) -> tuple[RecordedEvent, ...]:
        return Codec(NoKeys(), EVENT_TYPES).decode(commit)


def test_verifying_a_log_takes_memory_that_does_not_grow_with_it():
    """An auditor's laptop holds a log of any size."""
    peaks = []
    for streams in (100, 5_000):
        tracemalloc.start()
        assert verify(EndlessLog(streams)).commits == streams
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 50_000  # bytes; the larger log has 5 MB of text
