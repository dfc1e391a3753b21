"""For any tampering with stored rows ``verify``, ``heads`` and ``load`` agree; published heads find the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested, PreparationRequested
from tests.stores import SettableClock, Store, in_memory_store
from workflows.audit.findings import Head, PublishedHeads
from workflows.audit.verify import heads, verify
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import GENESIS, ChainBroken, Commit, NewCommit, chain_hash
from workflows.in_memory.keyring import InMemoryKeyRing

STREAM = "order#tampered"
COMMITS = 6
WHICH = st.integers(0, COMMITS - 1)
Rows = list[Commit]


def written() -> tuple[Store, Rows]:
    """A stream of six commits, of one and two events in turn."""
    store = in_memory_store(SettableClock(), InMemoryKeyRing())
    log = store.open()
    history = log.load(STREAM)
    for n in range(COMMITS):
        events = (CourierRequested(attempt=n), PreparationRequested())[: 1 + n % 2]
        new = NewCommit(key=f"k{n}", events=events, actor=SYSTEM, correlation="", causation="", body_hash="b")
        history = log.append(history, new)
    return store, list(log.read(STREAM))


def tampered(store: Store, original: Rows, tamperings: list[Callable[[Rows], None]]) -> Rows:
    """Store what is left after the tamperings; a later row takes the place of an earlier one."""
    rows = list(original)
    for tamper in tamperings:
        tamper(rows)
    for commit in original:
        store.delete(STREAM, commit.sk)
    for commit in rows:
        store.put(commit)
    return list(store.open().read(STREAM))


# --- tamperings: each takes the list of rows and changes it -----------------------------------------------------------


@st.composite
def edits(draw: st.DrawFn) -> Callable[[Rows], None]:
    """Another event, key, time, author or text, the hash left as it was."""
    at = draw(WHICH)
    change = draw(
        st.sampled_from(
            [
                lambda c: {"ev": c.ev.replace('"attempt":', '"attempt":9')},
                lambda c: {"ev": c.ev.replace("expediter", "attacker")},
                lambda c: {"ev": c.ev.replace("}]", "},{}]")},
                lambda c: {"ev": ""},
                lambda c: {"k": "other"},
                lambda c: {"ts": "2020-01-01T00:00:00.000000Z"},
                lambda c: {"ts": "2030-01-01T00:00:00.000000Z"},
                lambda c: {"sk": c.sk + 1},
                lambda c: {"sk": -c.sk},
                lambda c: {"h": b""},
                lambda c: {"h": bytes(32)},
            ]
        )
    )

    def edit(rows: Rows) -> None:
        if at < len(rows):
            rows[at] = replace(rows[at], **change(rows[at]))

    return edit


@st.composite
def deletions(draw: st.DrawFn) -> Callable[[Rows], None]:
    at, count = draw(WHICH), draw(st.integers(1, 4))

    def delete(rows: Rows) -> None:
        del rows[at : at + count]

    return delete


@st.composite
def swaps(draw: st.DrawFn) -> Callable[[Rows], None]:
    """Two commits at each other's place, each with its own hash or with the one found there."""
    one, other, with_hash = draw(WHICH), draw(WHICH), draw(st.booleans())

    def swap(rows: Rows) -> None:
        if max(one, other) < len(rows):
            first, second = rows[one], rows[other]
            rows[one] = replace(second, sk=first.sk, h=second.h if with_hash else first.h)
            rows[other] = replace(first, sk=second.sk, h=first.h if with_hash else second.h)

    return swap


@st.composite
def insertions(draw: st.DrawFn) -> Callable[[Rows], None]:
    """A copy of a commit at any version, also where another one is."""
    at, sk = draw(WHICH), draw(st.integers(-1, 14))

    def insert(rows: Rows) -> None:
        if at < len(rows):
            rows.append(replace(rows[at], sk=sk))

    return insert


@st.composite
def recomputations(draw: st.DrawFn) -> Callable[[Rows], None]:
    """The hash of a commit computed behind nothing, behind any stored commit, or behind bytes of the attacker."""
    at, before = draw(WHICH), draw(st.none() | WHICH | st.just(b"x" * 32))

    def recompute(rows: Rows) -> None:
        if at < len(rows) and (not isinstance(before, int) or before < len(rows)):
            previous = GENESIS if before is None else rows[before].h if isinstance(before, int) else before
            rows[at] = replace(rows[at], h=chain_hash(previous, rows[at]))

    return recompute


@st.composite
def forgeries(draw: st.DrawFn) -> Callable[[Rows], None]:
    """The whole chain computed again from a commit on, with gaps closed or left."""
    at, close_gaps = draw(WHICH), draw(st.booleans())

    def forge(rows: Rows) -> None:
        rows.sort(key=lambda commit: commit.sk)
        for number in range(at, len(rows)):
            before = rows[number - 1] if number else None
            commit = rows[number]
            if close_gaps:
                commit = replace(commit, sk=before.sk + _size(before) if before else 1)
            rows[number] = replace(commit, h=chain_hash(before.h if before else GENESIS, commit))

    return forge


def _size(commit: Commit) -> int:
    return max(commit.ev.count('"t":'), 1)


TAMPERINGS = st.lists(
    st.one_of(edits(), deletions(), swaps(), insertions(), recomputations(), forgeries()), min_size=1, max_size=5
)


def first_and_last_alone(rows: Rows) -> None:
    """The middle deleted; the last commit fits the empty hash, and the first one fits behind the last."""
    last = replace(rows[-1], h=chain_hash(GENESIS, rows[-1]))
    rows[:] = [replace(rows[0], h=chain_hash(last.h, rows[0])), last]


# --- the laws ---------------------------------------------------------------------------------------------------------


@settings(max_examples=400, deadline=None)
@given(TAMPERINGS)
@example([first_and_last_alone])
def test_verify_heads_and_load_give_the_same_verdict(tamperings: list[Callable[[Rows], None]]):
    """``verify`` is silent if and only if the stream can be loaded and has a head."""
    store, original = written()
    rows = tampered(store, original, tamperings)
    log = store.open()
    intact = verify(log).intact
    assert intact == can_be_loaded(log) == has_heads(log)
    if rows == original:
        assert intact


@settings(max_examples=400, deadline=None)
@given(TAMPERINGS, st.integers(1, COMMITS))
@example([first_and_last_alone], 3)
def test_with_a_published_head_silence_means_that_everything_up_to_it_is_as_written(
    tamperings: list[Callable[[Rows], None]], published_after: int
):
    """Also if the attacker knows how to compute hashes, and whichever commit the head was published at."""
    store, original = written()
    published = [head_after(original, published_after)]
    rows = tampered(store, original, tamperings)
    report = verify(store.open(), published=PublishedHeads.of(published))
    if report.intact:
        assert rows[:published_after] == original[:published_after]
        assert can_be_loaded(store.open())
    if rows == original:
        assert report.intact


@settings(max_examples=200, deadline=None)
@given(TAMPERINGS)
def test_explanations_remove_no_finding(tamperings: list[Callable[[Rows], None]]):
    """Each finding of the plain walk is in the report, perhaps with more words."""
    from workflows.audit.stream_walk import StreamWalk

    store, original = written()
    rows = tampered(store, original, tamperings)
    log = store.open()
    plain = StreamWalk(STREAM, (), log.events).follow(rows).findings
    reported = verify(log).findings
    for finding in plain:
        assert any(each.version == finding.version and each.what.startswith(finding.what) for each in reported)


def head_after(rows: Rows, commits: int):
    return Head(STREAM, sum(commit.size for commit in rows[:commits]), rows[commits - 1].h)


def can_be_loaded(log) -> bool:
    try:
        log.load(STREAM)
    except (ChainBroken, Undecodable):
        return False
    return True


def has_heads(log) -> bool:
    try:
        list(heads(log))
    except ChainBroken:
        return False
    return True


def test_the_attack_that_was_once_called_intact_is_found_by_each():
    """The first and the last commit kept, hashes computed so that each fits somewhere in the stream."""
    store, original = written()
    tampered(store, original, [first_and_last_alone])
    log = store.open()
    assert {finding.version for finding in verify(log).findings} >= {1, 2}
    with pytest.raises(ChainBroken):
        list(heads(log))
    with pytest.raises(ChainBroken):
        log.load(STREAM)
