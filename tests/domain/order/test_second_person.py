"""Four eyes: money above a limit that a person moves or gives up needs a second person. Notes need nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.identifiers import Actor, Role
from domain.order.commands import Approve
from domain.order.events import (
    Adjustment,
    ApprovalGiven,
    ApprovalRequested,
    CreditGranted,
    Fault,
    NoteAdded,
    PaymentAuthorizationRequested,
    PaymentRefundRequested,
    PreparationRequested,
    RunStarted,
    WrittenOff,
)
from domain.order.order import RunState, Status
from domain.order.refusals import (
    ApprovalOutdated,
    CreditExceedsDue,
    NoSuchApproval,
    NothingOwed,
    OrderNotFound,
    SecondPersonNeeded,
)
from tests.domain.order.stories import (
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    PICKED_UP,
    PLACED,
    SECOND,
    SUPPORT,
    abandon,
    approve,
    authorized,
    cancel,
    captured,
    credit,
    eur,
    given,
    note,
    park,
    refund_refused,
    refunded,
    restart,
    void_refused,
    voided,
    write_off,
)

REFUND_REFUSED = (*COMPLETED, credit("30.00"), refund_refused(), park(compensating=True))


def test_up_to_the_limit_one_person_is_enough():
    given(*COMPLETED).when(credit("10.00", limit="10.00")).then(CreditGranted, PaymentRefundRequested, RunStarted)


def test_above_the_limit_the_wish_is_kept_and_nothing_moves():
    (
        given(*COMPLETED)
        .when(credit("10.01", limit="10.00"))
        .then(
            ApprovalRequested(
                wish=Adjustment.CREDIT,
                amount=eur("10.01"),
                fault=Fault.RESTAURANT,
                by=SUPPORT,
                reason="cold meal",
                credit_id="cold",
            )
        )
        .with_books(captured="40.00", due="40.00")
        .being(Status.COMPLETED, RunState.ENDED)
    )


def test_a_second_person_does_it():
    """In the name of the first, who wished it; the approval stands beside it."""
    story = given(*COMPLETED, credit("10.01", limit="10.00")).when(approve())
    approval, granted, *_ = story.added
    assert approval == ApprovalGiven(approval=story.before.version, by=SECOND)
    assert isinstance(granted, CreditGranted)
    assert (granted.by, granted.reason, granted.amount) == (SUPPORT, "cold meal", eur("10.01"))


@pytest.mark.parametrize("by", [SUPPORT, Actor(Role.SERVICE, SUPPORT.id)])
def test_the_same_person_is_no_second_one(by):
    """In another role neither."""
    given(*COMPLETED, credit("10.01", limit="10.00")).when(approve(by)).refused(SecondPersonNeeded)


def test_many_small_credits_are_one_large_one():
    """Who splits what needs a second person gets no further."""
    story = given(*COMPLETED, credit("6.00", "one", limit="10.00"))
    story.when(credit("6.00", "two", limit="10.00")).then(ApprovalRequested)


def test_wishing_twice_asks_once_and_approving_twice_does_it_once():
    story = given(*COMPLETED, credit("10.01", limit="10.00"))
    story.when(credit("10.01", limit="10.00")).nothing()
    given(*COMPLETED, credit("10.01", limit="10.00"), approve()).when(approve()).nothing().when(
        credit("10.01", limit="10.00")
    ).nothing()


def test_nobody_approves_what_nobody_asked_for():
    given(*COMPLETED).when(Approve(approval=3, by=SECOND)).refused(NoSuchApproval)


def test_a_limit_in_another_currency_allows_nothing():
    """Nobody said how much that is."""
    wish = replace(credit("0.01"), limit=replace(eur("100.00"), currency="USD"))
    given(*COMPLETED).when(wish).then(ApprovalRequested)


def test_a_wish_that_breaks_a_rule_is_refused_before_anybody_is_asked():
    given(*COMPLETED).when(credit("50.00", limit="10.00")).refused(CreditExceedsDue)


def test_a_refused_refund_above_the_limit_is_written_off_by_two():
    story = given(*REFUND_REFUSED).when(write_off(PaymentRefundRequested, limit="10.00"))
    story.then(ApprovalRequested).owing("capture refused").when(approve()).owing().with_books(
        captured="40.00", due="10.00", unreturned="30.00"
    )


def test_what_holds_no_money_is_written_off_by_one():
    """A ticket is a meal, not money."""
    given(*AUTHORIZED, cancel()).when(write_off(PreparationRequested, limit="0.01")).then(WrittenOff)


def test_an_order_is_abandoned_by_two_when_much_is_at_stake():
    story = given(*PICKED_UP, park(), abandon(limit="10.00")).being(Status.PICKED_UP, RunState.PARKED)
    story.when(approve()).being(Status.ABANDONED, RunState.ENDED)
    given(*PICKED_UP, park()).when(abandon(limit="40.00")).being(Status.ABANDONED)


def test_an_approval_is_for_what_was_at_stake_when_it_was_asked_for():
    """Meanwhile the bank holds more than anybody saw."""
    story = given(*PLACED, abandon(limit="10.00"), authorized("90.00")).when(approve()).refused(ApprovalOutdated)
    story.when(abandon(limit="10.00")).then(ApprovalRequested).when(approve()).being(Status.ABANDONED)


def test_a_wish_that_was_overtaken_is_refused_when_it_is_approved():
    """The bank let go of the money meanwhile: there is nothing to write off."""
    story = given(*AUTHORIZED, cancel(), void_refused(), write_off(PaymentAuthorizationRequested, limit="1.00"))
    story.when(voided()).when(approve()).refused(NothingOwed)


def test_waiting_for_a_second_person_keeps_nobody_else_from_acting():
    story = given(*DELIVERED, park(), abandon(limit="1.00"))
    story.when(captured()).being(Status.COMPLETED, RunState.ENDED)
    story.when(restart()).being(Status.DELIVERED, RunState.RUNNING)


def test_a_wish_may_outlive_an_undo():
    given(*REFUND_REFUSED, write_off(PaymentRefundRequested, limit="1.00"), restart(), refunded()).being(
        Status.COMPLETED, RunState.ENDED
    )


def test_a_note_changes_nothing_but_is_there():
    """On an ended order, too."""
    for so_far in (AUTHORIZED, (*AUTHORIZED, park()), COMPLETED):
        before = given(*so_far)
        after = before.when(note())
        after.then(NoteAdded(note_id="note", by=SUPPORT, text="called the restaurant"))
        assert after.order.status is before.order.status
        assert after.order.run_state is before.order.run_state
        after.when(note()).nothing()


def test_an_order_that_does_not_exist_takes_no_note():
    given().when(note()).refused(OrderNotFound)
