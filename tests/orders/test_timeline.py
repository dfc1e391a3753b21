"""The timeline of an order: events in words, patches over keyed state, compensations, and the check of the chain."""

from __future__ import annotations

from typing import get_args

import jsonpatch
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.order import events as e
from tests.domain.order.stories import ORDER_ID
from tests.domain.order.world import played, plays
from tests.projections.histories import OneOrderLog
from workflows.event_store.commits import Opaque
from workflows.orders.event_homes import Saga, saga_of, undone_by
from workflows.orders.keyed_state import keyed, patch
from workflows.orders.time_travel import order_at
from workflows.orders.timeline import check_chain, timeline
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience

often = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
READERS = sorted(set(Audience) - {Audience.SUBSCRIBER})


@often
@given(play=plays(), contradictory=st.booleans(), since=st.integers(1, 12))
def test_the_patches_give_the_state_at_every_version_to_every_reader(play, contradictory, since):
    """A page begins with the state before it, and RFC 6902 applied by another program gives each state after it."""
    history = OneOrderLog(played(play, contradictory=contradictory)).newest
    since = min(since, history.version)
    for audience in READERS:
        page = timeline(history, ORDER_ID, audience, since=since, limit=500)
        state = page.initial
        for event in page.events:
            state = jsonpatch.apply_patch(state, event["patch"])
            order = order_at(history, ORDER_ID, event["version"])
            assert state == keyed(order_view(order, audience))
        assert page.events[-1]["version"] == history.version == page.until


@often
@given(play=plays())
def test_a_patch_never_names_a_place_in_a_list(play):
    """Lines, offers, open calls and requests are named by their numbers, whatever stands before them."""
    history = OneOrderLog(played(play)).newest
    page = timeline(history, ORDER_ID, Audience.SUPPORT, since=1, limit=500)
    state = page.initial
    for event in page.events:
        for operation in event["patch"]:
            parents = operation["path"].split("/")[1:-1]
            assert isinstance(_at(state, parents), dict), operation
        state = jsonpatch.apply_patch(state, event["patch"])


def _at(state, names):
    for name in names:
        state = state[name]
    return state


NAMES = st.sampled_from(["a", "b", "", "~", "/", "~1", "a/b"])
JSON = st.recursive(
    st.none() | st.sampled_from(["", "x"]) | st.integers(0, 2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, JSON, max_size=4)


@often
@example(before={}, after={"a/b": 1, "~": 2})
@given(before=DOCUMENTS, after=DOCUMENTS)
def test_a_patch_makes_one_document_of_any_other(before, after):
    """Names with ``/`` and ``~`` are escaped as RFC 6901 says."""
    assert jsonpatch.apply_patch(before, list(patch(before, after))) == after


@pytest.mark.parametrize("kind", get_args(e.Event), ids=lambda kind: kind.__name__)
def test_every_event_belongs_to_a_saga(kind):
    """The timeline can be read by saga, and no event is missing from it."""
    assert saga_of(object.__new__(kind)) in set(Saga)


@often
@given(play=plays(), contradictory=st.booleans())
def test_a_compensation_names_an_earlier_event_of_what_it_takes_back(play, contradictory):
    """A release names the authorization, a refund the payment, a withdrawal the ticket or the offer."""
    recorded = OneOrderLog(played(play, contradictory=contradictory)).newest.recorded
    for each in recorded:
        undone = undone_by(each, recorded[: each.version - 1])
        taken = TAKEN_BACK.get(type(each.event))
        assert (undone is None) == (taken is None), each
        if undone is not None:
            assert isinstance(recorded[undone - 1].event, taken)
            assert undone < each.version


TAKEN_BACK = {
    **dict.fromkeys((e.PaymentVoidRequested, e.PaymentVoided), e.PaymentAuthorized),
    **dict.fromkeys((e.PaymentRefundRequested, e.PaymentRefunded), (e.PaymentCaptured, e.PaymentFound)),
    **dict.fromkeys((e.PreparationCancellationRequested, e.PreparationCancelled), e.PreparationRequested),
    **dict.fromkeys((e.CourierReleaseRequested, e.CourierReleased), e.CourierRequested),
}


def smooth(moves: int = 12) -> OneOrderLog:
    return OneOrderLog(played((moves, [])))


def test_pages_join_to_the_whole_timeline():
    """However a timeline is cut, its events and their sentences are the same."""
    history = smooth().newest
    whole = timeline(history, ORDER_ID, Audience.AUDITOR, since=1, limit=500).events
    for size in (1, 3, history.version):
        pages = [
            timeline(history, ORDER_ID, Audience.AUDITOR, since=since, limit=size)
            for since in range(1, history.version + 1, size)
        ]
        assert [event for page in pages for event in page.events] == whole


def test_the_hashes_of_a_timeline_form_the_chain():
    """Each commit names the hash of the one before it, the first one none, and the last one is the head."""
    history = smooth().newest
    events = timeline(history, ORDER_ID, Audience.SUPPORT, since=1, limit=500).events
    hashes = {event["commit"]: (event["previous"], event["hash"]) for event in events}
    chain = [hashes[commit] for commit in sorted(hashes)]
    assert chain[0][0] == ""
    assert [previous for previous, _ in chain[1:]] == [hash_ for _, hash_ in chain[:-1]]
    assert chain[-1][1] == history.head.hex()


def test_the_keys_of_commits_are_shown_to_operators_alone():
    """A key contains the Idempotency-Key of another caller."""
    history = smooth().newest
    for audience in READERS:
        keys = {event["key"] for event in timeline(history, ORDER_ID, audience, since=1, limit=500).events}
        assert (keys == {"(withheld)"}) is (audience not in {"support", "auditor", "service"})


def test_an_event_of_a_newer_release_ends_the_patches_and_not_the_timeline():
    """It cannot be folded, so no state after it is shown; what was recorded is."""
    history = smooth().newest
    recorded = list(history.recorded)
    recorded[4] = replace(recorded[4], event=Opaque("MealWarmedUp", 1, {"degrees": 70}))
    mixed = type(history)(stream=history.stream, recorded=tuple(recorded), head=history.head)
    events = timeline(mixed, ORDER_ID, Audience.SUPPORT, since=1, limit=500).events
    assert [event["version"] for event in events if event["patch"] is None] == list(range(5, history.version + 1))
    assert (events[4]["words"], events[4]["saga"], events[4]["data"]) == ("Meal warmed up", None, {"degrees": 70})
    assert timeline(mixed, ORDER_ID, Audience.SUPPORT, since=7, limit=2).initial == {}


def test_a_commit_that_was_edited_after_it_was_read_is_found():
    """The stored commits are verified, not the copies in the memory of a process."""
    one = smooth()
    assert check_chain(one.log, one.newest).findings == ()
    rows = one.log.read(one.newest.stream)
    edited = [replace(row, ev=row.ev.replace("EUR", "USD")) if number == 1 else row for number, row in enumerate(rows)]
    one.log.read = lambda stream: edited
    assert [finding.version for finding in check_chain(one.log, one.newest).findings] == [edited[1].sk]


def test_a_chain_that_was_computed_again_since_it_was_read_is_found():
    """Its links hold, but it does not end with the hash that the reader was shown."""
    one, other = smooth(), OneOrderLog(played((12, [(1, 1)])))
    one.log.read = other.log.read
    if one.newest.head != other.newest.head:
        assert check_chain(one.log, one.newest).findings


def test_commits_after_the_version_that_was_read_are_no_finding():
    """An order that moves on while it is read is whole."""
    one = smooth()
    for history in one.histories:
        assert check_chain(one.log, history).findings == ()
