"""Incidents: what support sees of a parked order, what each action would do, and that it does exactly that."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from domain.identifiers import Actor, Role, order_id_for
from domain.money import Money
from domain.order.commands import AbandonOrder, CancelOrder, StartRun
from domain.order.deciding import decide
from domain.order.events import (
    ApprovalRequested,
    CancellationRequested,
    Fault,
    NoteAdded,
    OrderAbandoned,
    RunStarted,
    WrittenOff,
)
from domain.order.evolving import evolve
from domain.order.intents import open_intents
from domain.order.order import RunState, Status
from domain.order.refusals import OrderNotFound, Rejected, SecondPersonNeeded
from tests.domain.order import stories as s
from tests.domain.order.world import played, plays
from tests.recorded import Shop
from workflows.breakers.dependencies import Dependency
from workflows.event_store.commits import KeyReused
from workflows.event_store.transact import PreconditionFailed
from workflows.incidents.approval_limits import limit_for, read_limits
from workflows.incidents.incidents import (
    How,
    approve,
    list_groups,
    list_parked,
    note,
    resolve,
    retry,
    show,
)
from workflows.incidents.plans import Move, Movement, Plan, plan
from workflows.incidents.refusals import NotAnIncident, WriteOffNeedsIntent
from workflows.orders.command_handling import Caller, Handled
from workflows.orders.permissions import Action, NotAllowed
from workflows.orders.requests import OrderRequest
from workflows.orders.visibility import Audience
from workflows.projections.open_orders import refresh
from workflows.settings import SettingsRefused, read
from workflows.time_budgets import read_budgets

BUDGETS = read({}, read_budgets)
ORDER_ID = s.ORDER_ID
ALICE, BOB = Actor(Role.SUPPORT, "alice"), Actor(Role.SUPPORT, "bob")
AUDITOR = Actor(Role.AUDITOR, "ida")
PARKED = (*s.AUTHORIZED, s.park())
TWO_DEBTS = (*s.AUTHORIZED, s.cancel(), s.void_refused(), s.park(compensating=True))


def request_for(
    action: Action, actor: Actor = ALICE, key: str | None = None, if_match: Collection[int] | None = None
) -> OrderRequest:
    return OrderRequest(
        action=action, order_id=ORDER_ID, caller=Caller(actor, "trace", "request"), key=key, if_match=if_match
    )


def limit(currency: str) -> Money:
    return Money(1000, currency)


def shop_with(*lines: s.StoryLine) -> Shop:
    shop = Shop()
    shop.play(*lines)
    refresh(shop.engine, ORDER_ID, BUDGETS)
    return shop


def added(shop: Shop, since: int) -> list[type]:
    return [type(event) for event in shop.log.load(f"order#{ORDER_ID}").events[since:]]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_parked_orders_are_grouped_by_cause_the_largest_group_first():
    """By the error and the provider that it concerns, with the oldest order and the money of each group."""
    shop = Shop()
    for number, error in enumerate(["PaymentsUnavailable", "PaymentsUnavailable", "KeyError", None]):
        order_id = order_id_for("app", str(number))
        order = shop.play(replace(s.place(), order_id=order_id), order_id=order_id)
        if error:
            shop.record(replace(s.command_of(s.park(), order), error=error), order_id)
        refresh(shop.engine, order_id, BUDGETS)
        shop.clock.advance(minutes=1)
    groups = list_groups(list_parked(shop.documents))
    assert [(group.cause, group.orders) for group in groups] == [("PaymentsUnavailable@payments", 2), ("KeyError", 1)]
    assert groups[0].dependency is Dependency.PAYMENTS
    assert groups[0].at_stake == (s.eur("80.00"),)
    assert groups[0].since < groups[1].since
    assert groups[0].runs == 2
    assert [orders for _, orders in groups[0].by_hour] == [2]
    assert groups[0].by_hour[0][0] <= groups[0].since
    only = list_parked(shop.documents, "PaymentsUnavailable@payments")
    assert [row.order_id for row, _ in only] == [order_id_for("app", "0"), order_id_for("app", "1")]


def test_an_incident_shows_what_support_needs_to_decide():
    """Cause, debts, the last error, the events before it, and what each action would do."""
    shop = shop_with(*s.AUTHORIZED, s.cancel(), s.void_refused(), s.park(compensating=True))
    incident = show(shop.log, ORDER_ID, ALICE, BUDGETS, limit)
    assert (incident.cause, incident.parked.error) == ("Bug", "Bug")
    assert [str(item.holding) for item in incident.parked.owed] == ["authorization", "ticket"]
    assert incident.timeline[-1].version == incident.order.version
    assert list(incident.plans) == ["retry", "cancel", "abandon", "write_off 2", "write_off 4"]
    assert incident.plans["retry"].money == (Move(Movement.RELEASE, s.eur("40.00"), 11),)
    assert incident.plans["abandon"].approval == s.eur("40.00")
    assert incident.plans["write_off 4"].money == ()


def test_an_order_that_is_not_parked_is_not_shown_as_an_incident():
    """Nor is an order that does not exist."""
    shop = shop_with(*s.AUTHORIZED)
    with pytest.raises(NotAnIncident):
        show(shop.log, ORDER_ID, ALICE, BUDGETS, limit)
    with pytest.raises(OrderNotFound):
        show(Shop().log, ORDER_ID, ALICE, BUDGETS, limit)


def test_an_auditor_reads_incidents_without_personal_data():
    """Auditors need the facts and the money, not the customer."""
    shop = shop_with(*PARKED)
    assert show(shop.log, ORDER_ID, AUDITOR, BUDGETS, limit).audience is Audience.AUDITOR
    assert show(shop.log, ORDER_ID, ALICE, BUDGETS, limit).audience is Audience.SUPPORT


@pytest.mark.parametrize("role", [Role.RESTAURANT, Role.COURIER, Role.CUSTOMER, Role.SERVICE])
def test_other_roles_do_not_see_incidents(role):
    """Faults of the platform concern support and auditors alone."""
    with pytest.raises((NotAllowed, OrderNotFound)):
        show(shop_with(*PARKED).log, ORDER_ID, Actor(role, "cleo"), BUDGETS, limit)


# --- actions ----------------------------------------------------------------------------------------------------------


def test_retrying_starts_the_next_run_with_its_author_and_reason():
    """The order's history shows which person started a run and why."""
    shop = shop_with(*PARKED)
    before = shop.order().version
    retry(shop.log, request_for(Action.RETRY), "payments are back")
    assert added(shop, before) == [RunStarted]
    event = shop.log.load(f"order#{ORDER_ID}").events[-1]
    assert event == RunStarted(run=2, by=ALICE, reason="payments are back")


def test_retrying_twice_by_mistake_starts_one_run():
    """With the same key it is the same request; without a key the order is no longer parked."""
    shop = shop_with(*PARKED)
    first = retry(shop.log, request_for(Action.RETRY, key="k"), "fixed")
    again = retry(shop.log, request_for(Action.RETRY, key="k"), "fixed")
    assert isinstance(first, Handled)
    assert isinstance(again, Handled)
    assert (first.replayed, again.replayed, again.order.run) == (False, True, 2)
    with pytest.raises(NotAnIncident):
        retry(shop.log, request_for(Action.RETRY), "fixed")


def test_an_order_that_is_parked_again_is_retried_again_with_the_same_reason():
    """The second retry is not taken for a repetition of the first: it is of another run."""
    shop = shop_with(*PARKED)
    retry(shop.log, request_for(Action.RETRY), "fixed")
    shop.play(s.park())
    retry(shop.log, request_for(Action.RETRY), "fixed")
    assert shop.order().run == 3


@pytest.mark.parametrize(
    ("how", "kinds", "run_state"),
    [
        (How.CANCEL, [CancellationRequested], RunState.RUNNING),
        (How.ABANDON, [OrderAbandoned], RunState.ENDED),
    ],
)
def test_cancelling_releases_what_is_held_and_abandoning_does_not(how, kinds, run_state):
    """An abandoned order ends as it is; a cancelled one has intents left to perform."""
    shop = shop_with(*PARKED)
    before = shop.order().version
    resolve(shop.log, request_for(Action.RESOLVE), how, "no hope", limit=lambda currency: Money(10**6, currency))
    assert set(kinds) <= set(added(shop, before))
    assert shop.order().run_state is run_state
    assert bool(open_intents(shop.order())) is (how is How.CANCEL)


def test_a_write_off_names_the_event_to_write_off():
    """The refusal of one that does not lists the events to choose from."""
    shop = shop_with(*s.COMPLETED, s.credit("5.00"), s.refund_refused(), s.park(compensating=True))
    with pytest.raises(WriteOffNeedsIntent, match="15"):
        resolve(shop.log, request_for(Action.RESOLVE), How.WRITE_OFF, "small", limit=limit)
    before = shop.order().version
    resolve(shop.log, request_for(Action.RESOLVE), How.WRITE_OFF, "small", limit=limit, intent=15, fault=Fault.PLATFORM)
    assert added(shop, before)[0] is WrittenOff
    assert shop.order().run_state is RunState.ENDED


def test_the_events_to_choose_from_are_those_whose_write_off_is_possible():
    """The hold of a delivered order is still needed; the refused capture can be given up."""
    shop = shop_with(*s.DELIVERED, s.capture_refused(), s.park())
    plans = show(shop.log, ORDER_ID, ALICE, BUDGETS, limit).plans
    possible = [name.split()[1] for name, made in plans.items() if name.startswith("write_off") and not made.refused]
    assert [plan.refused for name, plan in plans.items() if name == "write_off 2"] != [None]
    with pytest.raises(WriteOffNeedsIntent, match=rf"write off: {', '.join(possible)}\.$"):
        resolve(shop.log, request_for(Action.RESOLVE), How.WRITE_OFF, "the account is closed", limit=limit)


def test_an_amount_above_the_limit_waits_for_a_second_person():
    """The person who made the request cannot approve it."""
    shop = shop_with(*PARKED)
    handled = resolve(shop.log, request_for(Action.RESOLVE), How.ABANDON, "no hope", limit=limit)
    assert isinstance(handled, Handled)
    (approval,) = handled.order.approvals
    assert handled.order.run_state is RunState.PARKED
    with pytest.raises(SecondPersonNeeded):
        approve(shop.log, request_for(Action.APPROVE), approval, "checked")
    done = approve(shop.log, request_for(Action.APPROVE, BOB), approval, "checked")
    assert isinstance(done, Handled)
    assert done.order.status is Status.ABANDONED
    assert done.order.abandoned is not None
    assert done.order.abandoned.by == ALICE


def test_an_action_that_waits_for_a_second_person_is_planned_as_such():
    """Support would otherwise read that the action has no effect, because its request is recorded already."""
    shop = shop_with(*PARKED)
    resolve(shop.log, request_for(Action.RESOLVE), How.ABANDON, "no hope", limit=limit)
    plans = show(shop.log, ORDER_ID, ALICE, BUDGETS, limit).plans
    assert (plans["abandon"].events, plans["abandon"].approval) == ((), s.eur("40.00"))
    assert plans["cancel"].approval is None


def test_a_note_is_an_event_of_the_order():
    """The same text of the same person is one note."""
    shop = shop_with(*s.COMPLETED)
    note(shop.log, request_for(Action.NOTE), "the customer called, all is well")
    again = note(shop.log, request_for(Action.NOTE), "the customer called, all is well")
    assert again.replayed
    event = shop.log.load(f"order#{ORDER_ID}").events[-1]
    assert isinstance(event, NoteAdded)
    assert (event.by, event.text) == (ALICE, "the customer called, all is well")


@pytest.mark.parametrize("actor", [AUDITOR, Actor(Role.CUSTOMER, "cleo"), Actor(Role.RESTAURANT, "luigi")])
def test_only_support_acts_on_incidents(actor):
    """Auditors read; customers and restaurants have their own requests."""
    shop = shop_with(*PARKED)
    for act in (
        lambda: retry(shop.log, request_for(Action.RETRY, actor), "x"),
        lambda: resolve(shop.log, request_for(Action.RESOLVE, actor), How.CANCEL, "x", limit=limit),
        lambda: approve(shop.log, request_for(Action.APPROVE, actor), 1, "checked"),
        lambda: note(shop.log, request_for(Action.NOTE, actor), "x"),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert shop.order().run_state is RunState.PARKED


def test_an_action_with_if_match_applies_to_that_version_or_not_at_all():
    """Support decides on the incident that it has read."""
    shop = shop_with(*PARKED)
    with pytest.raises(PreconditionFailed):
        retry(shop.log, request_for(Action.RETRY, if_match={3}), "fixed")


def _resolved(how: How, reason: str = "no hope", **parameters: Any) -> Callable[[Shop], object]:
    generous = {"limit": lambda currency: Money(10**6, currency), **parameters}
    return lambda shop: resolve(shop.log, request_for(Action.RESOLVE, key="k"), how, reason, **generous)


@pytest.mark.parametrize(
    ("story", "first", "second"),
    [
        (
            PARKED,
            lambda shop: retry(shop.log, request_for(Action.RETRY, key="k"), "fixed"),
            lambda shop: retry(shop.log, request_for(Action.RETRY, key="k"), "another reason"),
        ),
        (
            PARKED,
            lambda shop: note(shop.log, request_for(Action.NOTE, key="k"), "called"),
            lambda shop: note(shop.log, request_for(Action.NOTE, key="k"), "called twice"),
        ),
        *[
            (story, _resolved(how, **intent), _resolved(how, **{**intent, **other}))
            for story, how, intent in (
                (PARKED, How.CANCEL, {}),
                (PARKED, How.ABANDON, {}),
                (TWO_DEBTS, How.WRITE_OFF, {"intent": 2}),
            )
            for other in ({"reason": "another"}, {"fault": Fault.COURIER}, {"intent": 4})
        ],
        (PARKED, _resolved(How.CANCEL), _resolved(How.ABANDON)),
        (PARKED, _resolved(How.ABANDON), _resolved(How.CANCEL)),
    ],
)
def test_a_second_request_under_the_same_key_with_another_parameter_is_refused(story, first, second):
    """A caller never gets the result of a request that it did not send: every action, every parameter."""
    shop = shop_with(*story)
    assert not first(shop).replayed
    before = shop.order()
    assert first(shop).replayed
    with pytest.raises(KeyReused):
        second(shop)
    assert shop.order() == before


def test_a_second_approval_under_the_same_key_is_refused():
    """The key belongs to the approval that it was first sent with."""
    shop = shop_with(*PARKED)
    handled = resolve(shop.log, request_for(Action.RESOLVE), How.ABANDON, "no hope", limit=limit)
    assert isinstance(handled, Handled)
    (approval,) = handled.order.approvals
    approve(shop.log, request_for(Action.APPROVE, BOB, key="k"), approval, "checked")
    with pytest.raises(KeyReused):
        approve(shop.log, request_for(Action.APPROVE, BOB, key="k"), approval + 1, "checked")


# --- plans ------------------------------------------------------------------------------------------------------------


def test_a_dry_run_records_no_event():
    """It returns the plan alone, for every action."""
    shop = shop_with(*PARKED)
    before = shop.order()
    for planned in (
        retry(shop.log, request_for(Action.RETRY), "x", dry_run=True),
        resolve(shop.log, request_for(Action.RESOLVE), How.CANCEL, "x", limit=limit, dry_run=True),
        resolve(shop.log, request_for(Action.RESOLVE), How.ABANDON, "x", limit=limit, dry_run=True),
        approve(shop.log, request_for(Action.APPROVE), 3, "checked", dry_run=True),
    ):
        assert isinstance(planned, Plan)
    assert shop.order() == before


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(play=plays())
def test_a_plan_is_what_then_happens(play):
    """For every order of every world: the events, the status, and the calls that follow, or the refusal."""
    order = played(play).order
    for command in (
        StartRun(run=order.run + 1, by=ALICE, reason=""),
        CancelOrder(by=ALICE, reason=""),
        AbandonOrder(by=ALICE, reason="", fault=Fault.PLATFORM, limit=Money(500, "EUR")),
    ):
        planned, refused = plan(command, order), None
        try:
            events = decide(command, order)
        except Rejected as refusal:
            events, refused = (), (type(refusal).__name__, str(refusal))
        assert planned.refused == refused
        after = order
        for event in events:
            after = evolve(after, event)
        assert planned.events == tuple(type(event).__name__ for event in events)
        assert planned.status is after.status
        if any(isinstance(event, ApprovalRequested) for event in events):
            assert planned.approval is not None
            assert planned.runs == ()
        elif events:
            assert planned.runs == open_intents(after)


@pytest.mark.parametrize(
    ("lines", "action", "moves"),
    [
        ((*s.PLACED, s.park()), "retry", [(Movement.AUTHORIZE, "40.00")]),
        ((*s.DELIVERED, s.park()), "retry", [(Movement.CAPTURE, "40.00")]),
        (PARKED, "cancel", [(Movement.RELEASE, "40.00")]),
        ((*s.COMPLETED, s.credit("5.00"), s.park()), "retry", [(Movement.REFUND, "5.00")]),
        ((*s.COMPLETED, s.credit("5.00"), s.park()), "abandon", [(Movement.GIVE_UP, "5.00")]),
        (
            (*s.DELIVERED, s.capture_refused(), s.park()),
            "abandon",
            [(Movement.LEAVE_HELD, "40.00"), (Movement.GIVE_UP, "40.00")],
        ),
    ],
)
def test_a_plan_names_the_money_that_moves(lines, action, moves):
    """A hold and the payment due are listed separately, even if they are the same amount."""
    order = s.given(*lines).order
    commands = {
        "retry": StartRun(run=order.run + 1, by=ALICE, reason=""),
        "cancel": CancelOrder(by=ALICE, reason=""),
        "abandon": AbandonOrder(by=ALICE, reason="", fault=Fault.PLATFORM),
    }
    assert [(move.what, move.amount) for move in plan(commands[action], order).money] == [
        (what, s.eur(amount)) for what, amount in moves
    ]


# --- limits -----------------------------------------------------------------------------------------------------------


def test_the_limit_is_set_per_currency_and_is_zero_for_the_others():
    """In a currency without a limit every amount needs a second person."""
    limits = read({"SECOND_PERSON_ABOVE": "100.00 EUR, 15000 JPY"}, read_limits)
    assert limit_for("EUR", limits) == Money(10000, "EUR")
    assert limit_for("JPY", limits) == Money(15000, "JPY")
    assert limit_for("CHF", limits) == Money(0, "CHF")
    assert limit_for("EUR", read({}, read_limits)) == Money(10000, "EUR")


@pytest.mark.parametrize("text", ["100", "100.00EUR", "1,5 EUR", "many EUR", "1.001 EUR"])
def test_an_unreadable_limit_is_refused(text):
    """A misread limit would let one person decide about too much."""
    with pytest.raises(SettingsRefused, match="SECOND_PERSON_ABOVE is"):
        read({"SECOND_PERSON_ABOVE": text}, read_limits)
