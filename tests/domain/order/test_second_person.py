"""Four eyes: a person who moves or gives up money above a limit needs a second person. Notes need no approval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.identifiers import Actor, Role
from domain.order.commands import Approve
from domain.order.events import (
    Adjustment,
    ApprovalGiven,
    ApprovalRequested,
    CancellationRequested,
    CourierRequested,
    CreditGranted,
    DeliveryFailed,
    Fault,
    ItemUnavailable,
    NoteAdded,
    OrderCancelled,
    OrderDelivered,
    OrderParked,
    PaymentAuthorizationRequested,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationRequested,
    ReportContested,
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
    ACCEPTED,
    ASSIGNED,
    AUTHORIZED,
    COMPLETED,
    DELIVERED,
    NOON,
    PICKED_UP,
    PLACED,
    SECOND,
    SERVICE,
    SUPPORT,
    abandon,
    accepted,
    approve,
    authorized,
    cancel,
    captured,
    confirm,
    credit,
    delivered,
    eur,
    failed,
    given,
    note,
    on_behalf,
    park,
    picked_up,
    refund_refused,
    refunded,
    rejected,
    restart,
    unavailable,
    void_refused,
    voided,
    write_off,
)

CANCELLED = (CancellationRequested, PaymentVoidRequested)
REFUND_REFUSED = (*COMPLETED, credit("30.00"), refund_refused(), park(compensating=True))


def test_up_to_the_limit_one_person_is_enough():
    given(*COMPLETED).when(credit("10.00", limit="10.00")).then(CreditGranted, PaymentRefundRequested, RunStarted)


def test_above_the_limit_a_request_waits_and_no_money_moves():
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


def test_an_approval_carries_the_request_out():
    """The effect names the person who made the request; the approval before it names the second person."""
    story = given(*COMPLETED, credit("10.01", limit="10.00")).when(approve())
    approval, granted, *_ = story.added
    assert approval == ApprovalGiven(approval=story.before.version, by=SECOND)
    assert isinstance(granted, CreditGranted)
    assert (granted.by, granted.reason, granted.amount) == (SUPPORT, "cold meal", eur("10.01"))


@pytest.mark.parametrize("by", [SUPPORT, Actor(Role.SERVICE, SUPPORT.id)])
def test_the_person_who_made_the_request_cannot_approve_it(by):
    """Also not in another role."""
    given(*COMPLETED, credit("10.01", limit="10.00")).when(approve(by)).refused(SecondPersonNeeded)


def test_many_small_credits_are_one_large_one():
    """Splitting a large credit does not avoid the second person."""
    story = given(*COMPLETED, credit("6.00", "one", limit="10.00"))
    story.when(credit("6.00", "two", limit="10.00")).then(ApprovalRequested)


def test_a_repeated_request_or_approval_counts_once():
    story = given(*COMPLETED, credit("10.01", limit="10.00"))
    story.when(credit("10.01", limit="10.00")).nothing()
    given(*COMPLETED, credit("10.01", limit="10.00"), approve()).when(approve()).nothing().when(
        credit("10.01", limit="10.00")
    ).nothing()


def test_an_approval_without_a_request_is_refused():
    given(*COMPLETED).when(Approve(approval=3, by=SECOND)).refused(NoSuchApproval)


def test_a_limit_in_another_currency_allows_no_amount():
    """There is no exchange rate to compare them by."""
    request = replace(credit("0.01"), limit=replace(eur("100.00"), currency="USD"))
    given(*COMPLETED).when(request).then(ApprovalRequested)


def test_a_request_that_breaks_a_rule_is_refused_at_once():
    given(*COMPLETED).when(credit("50.00", limit="10.00")).refused(CreditExceedsDue)


def test_writing_off_a_refused_refund_above_the_limit_needs_a_second_person():
    story = given(*REFUND_REFUSED).when(write_off(PaymentRefundRequested, limit="10.00"))
    story.then(ApprovalRequested).holding("capture refused").when(approve()).holding().with_books(
        captured="40.00", due="10.00", unreturned="30.00"
    )


def test_writing_off_a_ticket_needs_no_second_person():
    """A ticket holds no money."""
    given(*AUTHORIZED, cancel()).when(write_off(PreparationRequested, limit="0.01")).then(WrittenOff)


def test_abandoning_an_order_above_the_limit_needs_a_second_person():
    story = given(*PICKED_UP, park(), abandon(limit="10.00")).being(Status.PICKED_UP, RunState.PARKED)
    story.when(approve()).being(Status.ABANDONED, RunState.ENDED)
    given(*PICKED_UP, park()).when(abandon(limit="40.00")).being(Status.ABANDONED)


def test_an_approval_is_refused_when_more_money_is_at_stake_than_requested():
    """Meanwhile the bank reported a larger hold."""
    story = given(*PLACED, abandon(limit="10.00"), authorized("90.00")).when(approve()).refused(ApprovalOutdated)
    story.when(abandon(limit="10.00")).then(ApprovalRequested).when(approve()).being(Status.ABANDONED)


def test_approving_a_request_that_has_become_pointless_is_refused():
    """The bank released the hold meanwhile, so there is nothing to write off."""
    story = given(*AUTHORIZED, cancel(), void_refused(), write_off(PaymentAuthorizationRequested, limit="1.00"))
    story.when(voided()).when(approve()).refused(NothingOwed)


def test_a_pending_approval_does_not_block_other_commands():
    story = given(*DELIVERED, park(), abandon(limit="1.00"))
    story.when(captured()).being(Status.COMPLETED, RunState.ENDED)
    story.when(restart()).being(Status.DELIVERED, RunState.RUNNING)


def test_a_pending_approval_does_not_block_a_later_refund():
    given(*REFUND_REFUSED, write_off(PaymentRefundRequested, limit="1.00"), restart(), refunded()).being(
        Status.COMPLETED, RunState.ENDED
    )


@pytest.mark.parametrize("by", [SUPPORT, SERVICE])
def test_a_failed_delivery_above_the_limit_that_others_report_needs_a_second_person(by):
    """Otherwise one person could let a customer off the whole price of a meal that is on its way."""
    story = given(*PICKED_UP).when(on_behalf(failed(), by)).then(ApprovalRequested)
    story.being(Status.PICKED_UP, RunState.RUNNING)
    approved = story.when(approve()).then(ApprovalGiven, DeliveryFailed, *CANCELLED)
    assert approved.added[1] == DeliveryFailed(answers=6, reason="crash", fault=Fault.COURIER, at=NOON, by=by)
    approved.when(approve()).nothing()
    given(*PICKED_UP).when(on_behalf(failed(), by, limit="40.00")).then(DeliveryFailed, *CANCELLED)


def test_a_missing_item_above_the_limit_that_others_report_needs_a_second_person():
    """Before the pickup too: the courier may carry the item all the same."""
    story = given(*AUTHORIZED).when(on_behalf(unavailable(1, 1))).then(ApprovalRequested)
    assert str(story.order.total) == "40.00 EUR"
    (approval, fact) = story.when(approve()).added
    assert isinstance(approval, ApprovalGiven)
    assert fact == ItemUnavailable(answers=4, line=1, available=1, at=NOON, by=SUPPORT)
    assert str(story.when(approve()).order.total) == "26.00 EUR"


def test_the_restaurant_and_the_courier_report_for_themselves_whatever_it_costs():
    given(*AUTHORIZED).when(unavailable(1)).then(unavailable(1))
    given(*PICKED_UP).when(failed()).then(failed(), *CANCELLED)


def test_reports_credits_and_write_offs_on_one_order_count_together():
    """Many small steps on one order are one large one, whichever way they go."""
    small = (*PICKED_UP, credit("4.00", limit="10.00"))
    given(*small).when(credit("6.01", "more", limit="10.00")).then(ApprovalRequested)
    given(*small, delivered(), captured()).when(credit("6.01", "more", limit="10.00")).then(ApprovalRequested)
    missing = (*AUTHORIZED, on_behalf(unavailable(2), limit="6.00"))
    given(*missing).when(on_behalf(unavailable(1, 1), limit="19.99")).then(ApprovalRequested)
    given(*missing).when(credit("0.01", limit="6.00")).then(ApprovalRequested)
    refused = (*COMPLETED, credit("6.00", limit="10.00"), refund_refused())
    given(*refused).when(write_off(PaymentRefundRequested, limit="10.00")).then(ApprovalRequested)


def test_a_failed_delivery_counts_when_what_it_gives_back_is_written_off():
    """The customer was let off 40.00, and now 40.00 would be kept from the customer: together 80.00."""
    confirmed = (*COMPLETED, failed(), confirm(limit="50.00"), refund_refused())
    given(*confirmed).when(write_off(PaymentRefundRequested, limit="50.00")).then(ApprovalRequested)
    reported = (*PICKED_UP, on_behalf(failed(), limit="50.00"), void_refused())
    given(*reported).when(write_off(PaymentAuthorizationRequested, limit="50.00")).then(ApprovalRequested)


def test_a_failed_delivery_that_the_courier_reported_does_not_count():
    failure = (*PICKED_UP, failed(), void_refused())
    given(*failure).when(write_off(PaymentAuthorizationRequested, limit="40.00")).then(WrittenOff, OrderCancelled)


def test_an_abandoned_order_counts_with_the_price_that_is_not_paid_any_more():
    """A late report that the abandoned order is on its way moves no money: it was given up before."""
    abandoned = (*PICKED_UP, park(), abandon(limit="40.00"))
    assert given(*abandoned).order.conceded == 4000
    assert given(*ASSIGNED, park(), abandon(limit="40.00")).when(on_behalf(picked_up())).order.conceded == 4000


def test_a_failure_reported_on_an_abandoned_order_concedes_nothing():
    """It cancels nothing there, so a missing item that is confirmed afterwards still counts."""
    abandoned = (*COMPLETED, unavailable(1), abandon(limit="5.00"), on_behalf(failed(), limit="5.00"))
    assert given(*abandoned).order.conceded == 0
    given(*abandoned).when(confirm(limit="5.00")).then(ApprovalRequested)


def test_a_decision_counts_even_if_a_late_report_undoes_it():
    """The capture that was written off arrives after all: the 40.00 that one person gave up stay counted."""
    written_off = (*DELIVERED, write_off(PaymentCaptureRequested, limit="50.00"), captured())
    given(*written_off).when(credit("11.00", limit="50.00")).then(ApprovalRequested)


def test_reports_that_lower_no_price_need_no_second_person():
    given(*AUTHORIZED).when(on_behalf(accepted())).then(accepted(), CourierRequested)
    given(*PICKED_UP).when(on_behalf(delivered())).then(delivered(), PaymentCaptureRequested)
    given(*ACCEPTED).when(on_behalf(unavailable(1, 5))).then(ItemUnavailable)


@pytest.mark.parametrize("report", [rejected(), failed()], ids=["rejected", "failed"])
def test_a_cancellation_before_the_pickup_needs_no_second_person(report):
    """The customer pays nothing because there is no meal."""
    assert CancellationRequested in {type(event) for event in given(*ASSIGNED).when(on_behalf(report)).added}
    assert given(*ASSIGNED).when(cancel(SUPPORT)).order.cancellation is not None


def test_the_amount_of_a_report_is_worked_out_again_when_it_is_approved():
    """A credit was granted meanwhile, so less is at stake than was requested."""
    story = given(*PICKED_UP, on_behalf(failed()))
    assert [request.amount for request in story.order.approvals.values()] == [eur("40.00")]
    story.when(credit("5.00")).when(approve()).then(ApprovalGiven, DeliveryFailed, *CANCELLED)


def test_an_approved_report_that_a_later_one_contradicts_waits_for_a_person():
    """The meal was delivered while the report of its failure waited for approval."""
    story = given(*PICKED_UP, on_behalf(failed()), delivered(), captured()).when(approve())
    failure, delivery = story.before.version + 3, story.order.reports[OrderDelivered]
    story.then(ApprovalGiven, ReportContested(report=failure, contradicts=delivery), DeliveryFailed, OrderParked)
    story.with_books(captured="40.00", due="40.00")
    assert list(story.order.contested) == [story.order.contest] == [failure]


def test_a_note_is_recorded_and_changes_nothing_else():
    """Also on an ended order."""
    for so_far in (AUTHORIZED, (*AUTHORIZED, park()), COMPLETED):
        before = given(*so_far)
        after = before.when(note())
        after.then(NoteAdded(note_id="note", by=SUPPORT, text="called the restaurant"))
        assert after.order.status is before.order.status
        assert after.order.run_state is before.order.run_state
        after.when(note()).nothing()


def test_a_note_on_an_order_that_does_not_exist_is_refused():
    given().when(note()).refused(OrderNotFound)
