"""The laws of an order, tried on generated histories of a provider, a kitchen, couriers and people.

Each law is tried in a sound world, with late, lost and repeated messages. A law that must hold whatever is reported is
tried in a contradictory world as well.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order import events as e
from domain.order.books import Books, books
from domain.order.commands import Approve, Awaited, Command, RecordFact
from domain.order.consequences import consequences
from domain.order.deciding import decide
from domain.order.evolving import evolve
from domain.order.intents import open_intents, owed
from domain.order.order import Order, RunState
from domain.order.questions import answer, awaited_intent
from domain.order.refusals import Rejected
from domain.order.reports import is_delivery_claimed
from tests.domain.order import stories as s
from tests.domain.order.oracle import books_of, extra, held_by, moved, paid_and_kept, price_of
from tests.domain.order.world import Sent, World, played, plays

UNDO = (
    e.PaymentVoidRequested,
    e.PaymentRefundRequested,
    e.PaymentLookupRequested,
    e.PreparationCancellationRequested,
    e.CourierReleaseRequested,
)
FORWARD = tuple(kind for kind in get_args(e.Intent) if kind not in UNDO)
worlds = pytest.mark.parametrize("contradictory", [False, True], ids=["sound", "contradictory"])
often = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def commits(world: World) -> Iterator[tuple[Order, list[e.Event]]]:
    """The order after each commit, and all its events until then."""
    for sent in world.sent:
        if sent.events:
            yield sent.after, world.events[: sent.after.version]


# --- the log ----------------------------------------------------------------------------------------------------------


@worlds
@often
@given(play=plays(), cut=st.integers(0, 200))
def test_replaying_a_stream_gives_the_same_order_however_it_is_cut(contradictory, play, cut):
    """The state is a fold of the events, and folding further changes no earlier state."""
    world = played(play, contradictory=contradictory)
    order = _folded(world.events[:cut], s.UNKNOWN)
    assert _folded(world.events[cut:], order) == world.order
    for sent in world.sent:
        assert _folded(world.events[: sent.after.version], s.UNKNOWN) == sent.after


@often
@given(play=plays(), events=st.lists(st.one_of([st.from_type(kind) for kind in get_args(e.Event)]), max_size=15))
def test_evolve_folds_any_event_in_any_state_without_raising(play, events):
    """Even an event that makes no sense in the state only adds to the version."""
    order = played(play).order
    assert _folded(events, order).version == order.version + len(events)


def test_a_missing_item_on_lines_of_several_currencies_still_folds():
    """``evolve`` does not validate the past: it compares no currencies."""
    order = s.given(*s.AUTHORIZED).order
    mixed = dataclasses.replace(
        order, lines=(dataclasses.replace(s.PIZZA, unit_price=Money(100, "JPY")), *order.lines[1:])
    )
    missing = e.ItemUnavailable(answers=4, line=1, available=0, at=s.NOON, by=s.SUPPORT)
    assert _folded([missing], mixed).version == mixed.version + 1


# --- deciding ---------------------------------------------------------------------------------------------------------


@worlds
@often
@given(play=plays())
def test_deciding_a_command_twice_adds_nothing(contradictory, play):
    for sent in played(play, contradictory=contradictory).sent:
        if sent.refusal is None:
            assert _decided(sent.command, sent.after) == ()


@worlds
@often
@given(play=plays())
def test_facts_are_never_refused_and_requests_are_refused_by_name(contradictory, play):
    """All facts of the worlds answer an intent of the order, current or old."""
    for sent in played(play, contradictory=contradictory).sent:
        if isinstance(sent.command, RecordFact):
            assert sent.refusal is None
        else:
            assert sent.refusal is None or type(sent.refusal) is not Rejected


@worlds
@often
@given(play=plays(), commands=st.lists(st.from_type(Command), max_size=6))
def test_every_command_in_every_state_gets_events_or_a_refusal(contradictory, play, commands):
    """``decide``, ``open_intents``, ``owed``, ``books``, the waits and the status are total functions."""
    world = played(play, contradictory=contradictory)
    for command in commands:
        for order in (s.UNKNOWN, world.order):
            added = _decided(command, order)
            _look_at(_folded(added or (), order))
    for sent in world.sent:
        _look_at(sent.after)


@worlds
@often
@given(play=plays())
def test_after_every_commit_no_consequence_is_left(contradictory, play):
    """An intent is in the commit that makes it necessary, so a commit contains all its consequences."""
    for sent in played(play, contradictory=contradictory).sent:
        assert list(consequences(sent.after)) == []


# --- the saga ---------------------------------------------------------------------------------------------------------


@worlds
@often
@given(play=plays())
def test_no_forward_intent_opens_once_the_cancellation_began(contradictory, play):
    """And an order has at most one cancellation."""
    events = played(play, contradictory=contradictory).events
    began = [version for version, event in enumerate(events) if isinstance(event, e.CancellationRequested)]
    assert len(began) <= 1
    given_up = [version for version, event in enumerate(events) if isinstance(event, e.OrderAbandoned)]
    for version in began + given_up:
        assert not [event for event in events[version:] if isinstance(event, FORWARD)]


@worlds
@often
@given(play=plays())
def test_after_pickup_only_a_failed_delivery_cancels(contradictory, play):
    """Or a late report after a person abandoned the order. From the pickup on there is no new work either.

    A contested delivery may mean that the customer has the meal, so that people cannot cancel while it is pending.
    """
    for sent in played(play, contradictory=contradictory).sent:
        gone = sent.before.delivery.picked_up
        for event in sent.events:
            if isinstance(event, e.CancellationRequested):
                assert event.cause is not e.CancellationCause.ASKED or not is_delivery_claimed(sent.before)
                assert not gone or event.cause in {
                    e.CancellationCause.DELIVERY_FAILED,
                    e.CancellationCause.ABANDONED,
                }
            assert not gone or not isinstance(event, e.CourierRequested | e.PreparationRequested)


@worlds
@often
@given(play=plays())
def test_a_stopped_order_has_no_new_work(contradictory, play):
    """An ended order has no open intent, and a parked one none that was opened after it was parked."""
    for order, _ in commits(played(play, contradictory=contradictory)):
        if order.run_state is RunState.ENDED:
            assert open_intents(order) == ()
        if order.run_state is RunState.PARKED:
            assert max(order.intents) < order.stopped_at
            assert order.cancelling_since < order.stopped_at


@worlds
@often
@given(play=plays())
def test_a_contested_report_stands_directly_after_its_mark_and_has_no_effect(contradictory, play):
    """Also if it is recorded by an approval: otherwise it would take effect, and no person would see it."""
    world = played(play, contradictory=contradictory)
    for version, event in enumerate(world.events, start=1):
        if isinstance(event, e.ReportContested):
            assert event.report == version + 1
            assert isinstance(world.events[version], get_args(e.PreparationFact) + get_args(e.DeliveryFact))
    for order, _ in commits(world):
        assert order.contest in {0, *order.contested}


@worlds
@often
@given(play=plays())
def test_the_fold_and_the_raw_events_agree_on_what_is_held(contradictory, play):
    """At every commit, on everything that is held or in doubt."""
    for order, events in commits(played(play, contradictory=contradictory)):
        assert {(str(item.holding), item.intent) for item in owed(order)} == held_by(events)


@worlds
@often
@given(play=plays())
def test_an_order_ends_only_when_it_holds_nothing(contradictory, play):
    world = played(play, contradictory=contradictory)
    for version, event in enumerate(world.events, start=1):
        if isinstance(event, e.OrderCancelled | e.OrderCompleted | e.OrderAbandoned):
            assert held_by(world.events[:version]) == set()
    for order, _ in commits(world):
        assert order.run_state is not RunState.ENDED or owed(order) == ()


@worlds
@often
@given(play=plays())
def test_from_every_reachable_state_the_order_can_end(contradictory, play):
    """If calls succeed, messages arrive, and people start runs and write off refusals, it ends holding nothing."""
    world = played(play, contradictory=contradictory)
    world.end_well()
    assert world.order.run_state is RunState.ENDED
    assert owed(world.order) == ()
    assert held_by(world.events) == set()
    found = books(world.order)
    assert found.balanced
    assert not found.still_to_capture
    assert not found.still_to_refund


# --- money ------------------------------------------------------------------------------------------------------------


@worlds
@often
@given(play=plays())
def test_the_books_agree_with_the_raw_events_and_balance_at_every_version(contradictory, play):
    events = played(play, contradictory=contradictory).events
    order = s.UNKNOWN
    for version, event in enumerate(events, start=1):
        order = evolve(order, event)
        found, wanted = books(order), books_of(events[:version])
        assert {line: getattr(found, line).minor for line in Books.__dataclass_fields__} == wanted
        assert found.captured.minor == moved(events[:version], e.PaymentCaptured) + extra(events[:version])
        assert found.refunded.minor == moved(events[:version], e.PaymentRefunded)
        assert order.total.minor == price_of(events[:version])
        assert found.balanced


@often
@given(play=plays())
def test_money_still_to_move_has_an_intent_or_was_refused(play):
    """At the end of every commit: no amount is forgotten."""
    for order, events in commits(played(play)):
        found = books(order)
        opened = [found.intent for found in open_intents(order)]
        to_capture = sum(i.amount.minor for i in opened if isinstance(i, e.PaymentCaptureRequested))
        to_refund = sum(i.amount.minor for i in opened if isinstance(i, e.PaymentRefundRequested))
        refused = sum(item.amount.minor for item in owed(order) if item.refused and item.holding == "capture")
        if found.still_to_capture.minor != to_capture:
            assert _refused_in_this_run(events, e.PaymentCaptureRefused)
        if found.still_to_refund.minor != to_refund + refused:
            assert to_capture, "too much was taken, nothing gives it back, and no capture is in doubt"
        assert refused == 0 or _refused_in_this_run(events, e.PaymentRefundRefused)


@often
@given(play=plays())
def test_a_sound_provider_is_never_asked_for_more_than_it_holds(play):
    """Captures are within the authorization and refunds within the captures."""
    world = played(play)  # the provider of the world checks each call
    authorized = sum(f.amount.minor for f in world.results.values() if isinstance(f, e.PaymentAuthorized))
    taken = sum(f.amount.minor for f in world.results.values() if isinstance(f, e.PaymentCaptured))
    returned = sum(f.amount.minor for f in world.results.values() if isinstance(f, e.PaymentRefunded))
    assert returned <= taken + extra(world.results.values())
    assert taken <= authorized
    assert not books(world.order).over_refunded


@often
@given(play=plays())
def test_in_the_end_the_customer_paid_exactly_for_what_was_delivered(play):
    """By the provider's own ledger: the price of a delivered order, nothing for a cancelled one, and an amount between
    them if a person wrote something off.
    """
    world = played(play)
    world.end_well()
    taken = sum(f.amount.minor for f in world.results.values() if isinstance(f, e.PaymentCaptured))
    returned = sum(f.amount.minor for f in world.results.values() if isinstance(f, e.PaymentRefunded))
    written_off = any(isinstance(event, e.WrittenOff | e.OrderAbandoned) for event in world.events)
    price = price_of(world.events) if world.order.cancellation is None else 0
    taken += extra(world.results.values())
    assert written_off or taken - returned == price
    assert taken - returned == books(world.order).due.minor + books(world.order).unreturned.minor
    assert written_off or world.held is None


@worlds
@often
@given(play=plays())
def test_one_person_of_support_or_a_service_cannot_change_the_money_of_an_order_by_more_than_the_limit(
    contradictory, play
):
    """Four eyes, over all commands: without approval, what one of them lets the customer off or keeps is within it.

    A cancellation before the pickup does not count: the customer pays nothing because there is no meal.
    """
    world = played(play, contradictory=contradictory)
    moved_by: Counter[Actor] = Counter()
    for sent in world.sent:
        by = getattr(sent.command, "by", None)
        if by is None or by.role not in {Role.SUPPORT, Role.SERVICE} or isinstance(sent.command, Approve):
            continue
        if sent.events and not _cancels_before_pickup(sent):
            moved = _moved(world.events, sent.before.version, sent.after.version)
            moved_by[by] += moved
            limit = getattr(sent.command, "limit", None)
            assert (
                not moved or limit is None or (limit.currency == world.order.currency and moved_by[by] <= limit.minor)
            ), sent.command


def _cancels_before_pickup(sent: Sent) -> bool:
    cancels = any(isinstance(event, e.CancellationRequested) for event in sent.events)
    return cancels and not sent.before.delivery.picked_up


def _moved(events: list[e.Event], before: int, after: int) -> int:
    """By how much less the customer pays after the commit, and how much more is kept that should have been refunded."""
    paid_before, kept_before = paid_and_kept(events[:before])
    paid_after, kept_after = paid_and_kept(events[:after])
    return max(paid_before - paid_after, 0) + max(kept_after - kept_before, 0)


@worlds
@often
@given(play=plays())
def test_one_courier_alone_never_ends_an_open_offer_that_another_may_accept(contradictory, play):
    """A decline ends the offer only for the courier who had accepted it, or if all that it was made to declined."""
    for sent in played(play, contradictory=contradictory).sent:
        fact = sent.command.fact if isinstance(sent.command, RecordFact) else None
        if isinstance(fact, e.CourierDeclined) and fact.courier is not None and sent.events:
            before = next(offer for offer in sent.before.delivery.offers if offer.intent == fact.answers)
            after = next(offer for offer in sent.after.delivery.offers if offer.intent == fact.answers)
            if before.courier != fact.courier and before.state != after.state:
                assert before.made_to
                assert before.made_to <= after.declined_by


# --- no event is dead -------------------------------------------------------------------------------------------------

STORIES: dict[str, tuple[s.StoryLine, ...]] = {
    "delivered": (*s.COMPLETED, s.credit("5.00"), s.refunded()),
    "declined": (*s.PLACED, s.declined()),
    "capture refused, then written off": (
        *(*s.DELIVERED, s.capture_refused(), s.park(), s.restart()),
        *(s.capture_refused(), s.write_off(e.PaymentCaptureRequested), s.void_refused()),
    ),
    "refund refused": (*s.COMPLETED, s.failed(), s.confirm(), s.refund_refused()),
    "cancelled late": (*s.READY, s.cancel(), s.voided(), s.ticket_lost(), s.courier_lost()),
    "cancelled early": (*s.ASSIGNED, s.cancel(), s.ticket_cancelled(), s.released(), s.voided()),
    "rejected": (*s.AUTHORIZED, s.unavailable(1), s.rejected()),
    "no answer": (*s.AUTHORIZED, s.timeout(Awaited.ACCEPTANCE)),
    "never ready": (*s.ACCEPTED, s.courier_declined(), s.timeout(Awaited.ASSIGNMENT), s.timeout(Awaited.READINESS)),
    "offered to couriers": (*s.ACCEPTED, s.offered("ann"), s.courier_declined("ann")),
    "contradicted": (*s.COMPLETED, s.failed(), s.confirm()),
    "lost": (*s.PICKED_UP, s.timeout(Awaited.DELIVERY)),
    "given up": (*s.PICKED_UP, s.park(), s.note(), s.abandon(limit="10.00"), s.approve()),
    "not given up": (*s.PICKED_UP, s.park(), s.assign_incident(), s.abandon(limit="10.00"), s.reject_approval()),
    "passed on": (*s.PICKED_UP, s.passed_on(s.delivered())),
    "taken twice": (*s.COMPLETED, s.refund_extra(), s.found(), s.refunded()),
    "not taken twice": (*s.COMPLETED, s.refund_extra(), s.not_found()),
}


def test_every_event_type_occurs_in_some_story():
    """An event type that no command leads to is dead code."""
    reached = {type(event) for story in STORIES.values() for event in s.given(*story).events}
    assert reached == set(get_args(e.Event))


def _folded(events: Iterable[e.Event], order: Order) -> Order:
    for event in events:
        order = evolve(order, event)
    return order


def _decided(command: Command, order: Order) -> tuple[e.Event, ...]:
    try:
        return decide(command, order)
    except Rejected as no:
        refusal = no
    assert type(refusal) is not Rejected
    assert str(refusal)
    return ()


def _look_at(order: Order) -> None:
    assert isinstance(open_intents(order), tuple)
    assert isinstance(owed(order), tuple)
    assert books(order).balanced
    assert str(order.status)
    assert str(order.total)
    for awaited in Awaited:
        assert str(answer(order, awaited, awaited_intent(order, awaited) or 0))


def _refused_in_this_run(events: list[e.Event], kind: type) -> bool:
    for event in reversed(events):
        if isinstance(event, e.RunStarted):
            return False
        if isinstance(event, kind):
            return True
    return False
