"""Reports that contradict each other: what each pair leads to, in each order, and how a person decides."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from domain.identifiers import SYSTEM
from domain.order.commands import Awaited, ConfirmReport
from domain.order.delivery import OfferState
from domain.order.events import (
    ApprovalRequested,
    CancellationRequested,
    CourierOffered,
    CourierReleased,
    CourierWrittenOff,
    DeliveryFact,
    OrderCompleted,
    OrderParked,
    PaymentCaptureRequested,
    PaymentRefundRequested,
    PreparationCancelled,
    PreparationFact,
    PreparationWrittenOff,
    ReportConfirmed,
    ReportContested,
    RunStarted,
)
from domain.order.order import RunState, Status
from domain.order.questions import Answer, answer
from domain.order.refusals import NotContested, OrderAlreadyPickedUp
from tests.domain.order.stories import (
    ACCEPTED,
    ASSIGNED,
    AUTHORIZED,
    COMPLETED,
    CUSTOMER,
    DELIVERED,
    PICKED_UP,
    READY,
    RESTAURANT,
    SUPPORT,
    Report,
    Story,
    StoryLine,
    abandon,
    accepted,
    approve,
    assigned,
    cancel,
    confirm,
    courier_declined,
    credit,
    delivered,
    failed,
    folded,
    given,
    park,
    picked_up,
    ready,
    rejected,
    restart,
    timeout,
    unavailable,
    voided,
)

PAGE = Path(__file__).parents[3] / "docs" / "contradicting-reports.md"

BEFORE: dict[str, tuple[StoryLine, ...]] = {
    "accepted": ACCEPTED,
    "rejected": (*AUTHORIZED, rejected()),
    "rejected, assigned": (*ASSIGNED, rejected()),
    "unavailable": (*ASSIGNED, unavailable(1, 1)),
    "ready": (*ACCEPTED, ready()),
    "assigned": ASSIGNED,
    "declined": (*ASSIGNED, courier_declined("ann")),
    "picked up": PICKED_UP,
    "picked up, not ready": (*ASSIGNED, picked_up()),
    "delivered": COMPLETED,
    "delivered, not picked up": (*READY, delivered()),
    "delivered, not ready": (*ASSIGNED, picked_up(), delivered()),
    "failed": (*PICKED_UP, failed()),
    "failed, not picked up": (*READY, failed()),
}
"""Orders whose latest report is the one named. All reports are about their first ticket and offer."""

REPORTS: dict[str, Report] = {
    "accepted": accepted(),
    "rejected": rejected(),
    "unavailable": unavailable(2),
    "ready": ready(),
    "assigned": assigned(to=0),
    "declined": courier_declined("ann", to=0),
    "picked up": picked_up(to=0),
    "delivered": delivered(to=0),
    "failed": failed(to=0),
}


def outcome(earlier: str, later: str) -> str:
    """Say in one word what the later report leads to."""
    story = given(*BEFORE[earlier])
    try:
        report = REPORTS[later](story.order)
    except IndexError:
        return "-"  # there is no offer that it could be about
    after = story.when(report)
    assert after.refusal is None
    kinds = [type(event) for event in after.added]
    if not kinds:
        return "repeated"
    if ReportContested in kinds:
        assert after.order.run_state is RunState.PARKED
        return "**contested**"
    changed = ("ticket", "delivery", "lines", "cancellation", "payment", "run_state")
    same = all(getattr(after.order, name) == getattr(story.order, name) for name in changed)
    return "no effect" if same else "takes effect"


@pytest.mark.parametrize("earlier", BEFORE)
def test_the_page_says_what_every_pair_of_reports_leads_to(earlier):
    """The table in docs/contradicting-reports.md is what the rules do, cell by cell."""
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in PAGE.read_text().splitlines() if line.startswith("|")]
    header, _, *table = rows
    assert header == ["latest report", *REPORTS]
    cells = {name: row for name, *row in table}
    assert cells.keys() == BEFORE.keys()
    assert cells[earlier] == [outcome(earlier, later) for later in REPORTS]


def test_the_table_has_every_pair_of_reports_of_restaurants_and_couriers():
    """All facts about tickets and offers are theirs, except the outcomes of calls to their gateways."""
    outcomes = {CourierOffered, CourierReleased, CourierWrittenOff, PreparationCancelled, PreparationWrittenOff}
    order = given(*COMPLETED).order
    reported = {name: type(report(order).fact) for name, report in REPORTS.items()}
    assert set(reported.values()) == {*get_args(PreparationFact), *get_args(DeliveryFact)} - outcomes
    assert {name.partition(",")[0] for name in BEFORE} == set(REPORTS)
    for name, lines in BEFORE.items():
        facts = [event for event in given(*lines).events if isinstance(event, tuple(reported.values()))]
        assert type(facts[-1]) is reported[name.partition(",")[0]]


DENIALS = {
    "rejected": rejected(),
    "unavailable": unavailable(2),
    "declined": courier_declined("ann"),
    "failed": failed(),
}


@pytest.mark.parametrize("denial", DENIALS.values(), ids=DENIALS)
def test_a_report_that_denies_an_early_delivery_waits_for_a_person(denial):
    """The meal may be gone. The incident names both reports, although the delivery has no effect yet."""
    story = contested(*READY, delivered()).when(denial)
    assert story.added[0] == ReportContested(report=13, contradicts=10)
    detail = story.added[-1]
    assert isinstance(detail, OrderParked)
    assert detail.detail.endswith("contradicts OrderDelivered (event 10)")
    later = story.when(picked_up())
    assert ReportConfirmed not in {type(event) for event in later.added}
    later.when(restart()).being(Status.DELIVERED)
    confirmed = later.when(confirm())
    assert confirmed.added[0] == ReportConfirmed(report=13, by=SUPPORT)


def test_confirming_an_early_delivery_settles_the_report_that_denied_it():
    story = contested(*READY, delivered(), failed())
    after = story.when(ConfirmReport(report=10, by=SUPPORT, reason="the customer has it"))
    after.then(ReportConfirmed, PaymentCaptureRequested, RunStarted).being(Status.DELIVERED, RunState.RUNNING)
    assert after.order.contest == 0


@pytest.mark.parametrize("by", [CUSTOMER, RESTAURANT, SUPPORT], ids=lambda by: by.role)
@pytest.mark.parametrize("later", [(), (failed(),), (restart(),)], ids=["parked", "denied", "continued"])
def test_an_order_with_a_pending_early_delivery_cannot_be_cancelled(by, later):
    """The customer may have the meal. If not, the failure of the delivery is confirmed, with four eyes."""
    story = given(*READY, delivered(), *later)
    story.when(cancel(by)).refused(OrderAlreadyPickedUp)


def test_an_order_whose_early_delivery_is_of_an_earlier_offer_can_be_cancelled():
    """Another courier was requested after a person continued the order."""
    story = given(*ACCEPTED, delivered(), restart(), timeout(Awaited.ASSIGNMENT), assigned("bob")).when(cancel())
    assert isinstance(story.added[0], CancellationRequested)


def test_a_failure_after_a_delivery_claimed_by_another_courier_waits_for_a_person():
    two = (*ASSIGNED, courier_declined("ann"), assigned("bob"), ready(), picked_up(), delivered(to=0))
    story = contested(*two).when(failed())
    assert isinstance(story.added[0], ReportContested)
    story.when(restart()).being(Status.PICKED_UP).when(delivered()).being(Status.DELIVERED)


def test_a_courier_who_denies_a_delivery_waits_for_a_person_although_another_courier_delivered_too():
    """Two couriers reported the delivery, and a person confirmed the one that had been contested."""
    two = (*ASSIGNED, courier_declined("ann"), assigned("bob"), ready(), picked_up(), delivered(to=0), delivered())
    story = given(*two, confirm())
    assert [offer.state for offer in story.order.delivery.offers] == [OfferState.DELIVERED, OfferState.DELIVERED]
    for offer in (0, 1):
        assert isinstance(story.when(failed(to=offer)).added[0], ReportContested)


def contested(*lines: StoryLine) -> Story:
    story = given(*lines)
    assert story.order.run_state is RunState.PARKED
    return story


def test_an_incident_names_both_reports():
    story = given(*COMPLETED).when(failed())
    assert story.added[-1] == OrderParked(
        run=1,
        error="ContradictingReports",
        detail="DeliveryFailed (event 15) contradicts OrderDelivered (event 10)",
    )


def test_a_contested_report_moves_no_money_and_stops_the_waits():
    """The run of the order ends, because only a person can go on."""
    story = contested(*ASSIGNED, delivered())
    assert answer(story.order, Awaited.PICKUP, 6) is Answer.CANCELLING
    contested(*COMPLETED, failed()).with_books(captured="40.00", due="40.00").with_open()
    contested(*COMPLETED, unavailable(1)).with_books(captured="40.00", due="40.00").with_open()


def test_a_person_who_starts_a_run_keeps_to_the_earlier_reports():
    """And the same report again changes nothing."""
    story = contested(*COMPLETED, failed()).when(restart()).then(RunStarted, OrderCompleted())
    story.being(Status.COMPLETED, RunState.ENDED).when(failed()).nothing()
    waiting = contested(*ASSIGNED, delivered()).when(restart()).then(RunStarted)
    assert answer(waiting.order, Awaited.PICKUP, 6) is Answer.NONE


def test_a_person_who_confirms_the_later_report_lets_it_take_effect():
    """Even after a run was started."""
    for so_far in (contested(*COMPLETED, failed()), contested(*COMPLETED, failed()).when(restart())):
        after = so_far.when(confirm())
        assert after.added[0] == ReportConfirmed(report=15, by=SUPPORT)
        assert CancellationRequested in {type(event) for event in after.added}


def test_confirming_a_report_that_costs_more_than_the_limit_needs_a_second_person():
    story = contested(*COMPLETED, failed()).when(confirm(limit="10.00")).then(ApprovalRequested)
    assert ReportConfirmed in {type(event) for event in story.when(approve()).added}
    missing = contested(*COMPLETED, unavailable(2)).when(confirm(limit="6.00"))
    missing.then(ReportConfirmed, PaymentRefundRequested, RunStarted).when(credit("0.01", limit="6.00")).then(
        ApprovalRequested
    )


def test_a_report_that_was_never_contested_cannot_be_confirmed():
    given(*COMPLETED, failed(), confirm()).when(confirm()).nothing()
    line = confirm()
    known = contested(*COMPLETED, failed())
    given(*COMPLETED).when(line(known.order)).refused(NotContested)


def test_a_machine_that_fails_meanwhile_does_not_hide_the_reports():
    story = given(*DELIVERED, failed()).when(park()).nothing()
    assert story.order.contest


def test_an_early_delivery_is_confirmed_by_the_pickup_even_after_a_person_went_on():
    story = given(*READY, delivered(), restart()).when(picked_up())
    assert ReportConfirmed(report=10, by=SYSTEM) in story.added
    story.being(Status.DELIVERED)


def test_a_person_who_gave_the_order_up_is_not_asked_again():
    story = given(*PICKED_UP, abandon()).when(rejected())
    assert ReportContested not in {type(event) for event in story.added}


def test_a_late_delivery_of_a_failed_order_is_seen_by_a_person_and_stays_free():
    story = contested(*PICKED_UP, failed(), delivered()).being(Status.CANCELLING)
    story.when(voided()).when(restart()).being(Status.CANCELLED, RunState.ENDED).with_books()


def test_an_old_history_reads_as_it_did():
    """Only events written by these rules set a report aside: what took effect before stays in effect."""
    marks = (ReportContested, OrderParked)
    for lines in ((*ASSIGNED, delivered()), (*COMPLETED, failed())):
        before_the_rule = [event for event in given(*lines).events if not isinstance(event, marks)]
        delivery = folded(*before_the_rule).order.delivery
        assert delivery.delivered or delivery.failed
