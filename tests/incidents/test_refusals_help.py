"""A refusal is never a dead end: its sentence, which the API and the command line show, says what would help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import domain.order.refusals
import workflows.erasure.refusals
import workflows.incidents.refusals
from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order import refusals as order
from domain.order.refusals import Rejected
from domain.picklable import Picklable
from workflows.erasure import refusals as erasure
from workflows.incidents import refusals as incidents
from workflows.incidents.plans import Plan
from workflows.orders.permissions import Action, NotAllowed

ID: Any = "ord_1"
FIVE, TWO = Money(500, "EUR"), Money(200, "EUR")

HELPS: list[tuple[Exception, str]] = [
    (order.OrderAlreadyPlaced(ID), "Use a new Idempotency-Key"),
    (order.OrderAlreadyPickedUp(ID), "Grant a credit instead"),
    (order.OrderAlreadyEnded(ID), "a credit if it was completed"),
    (order.OrderAlreadyCancelling(ID), "order why"),
    (order.CancellationNotAllowed(Role.COURIER), "Customers, restaurants and support can"),
    (order.NotAsked("OrderDelivered", 4), "order why"),
    (order.UnknownLine(9, 2), "The order has lines 1 to 2"),
    (order.ImplausibleAmount(FIVE, "EUR"), "use an amount in EUR above zero"),
    (order.NotTheNextRun(ID, 5, 2), "The next run is 3"),
    (order.CreditExceedsDue(FIVE, TWO), "Credit at most that"),
    (order.CaptureRecorded("cap_1", 7), "Grant a credit instead"),
    (order.CaptureInDoubt("cap_1", 7), "Retry the order first"),
    (order.SecondPersonNeeded(4, "sue"), "a second person has to approve it"),
    (order.NoSuchApproval(4), "incidents approvals"),
    (order.ApprovalOutdated(4, TWO, FIVE), "Make the request again"),
    (order.NotContested(4), "The incident's plans name"),
    (order.NothingOwed(4), "The incident lists"),
    (order.StillNeeded(4), "Cancel the order first"),
    (incidents.NotAnIncident(ID), "order why"),
    (incidents.PlanOutdated("The plan has expired. Make it again, with dry_run or without --token."), "Make it again"),
    (incidents.PlanBegun("bulk_1"), "make a new plan"),
    (incidents.NoOrderPossible("retry"), "The plan says why"),
    (incidents.WriteOffNeedsIntent([2]), "Name the event to write off"),
    (incidents.NoSuchJob("bulk_1"), "Its id is in the answer"),
    (incidents.NoSuchGroup("KeyError"), "List the incidents"),
    (erasure.NothingToErase("ada"), "a search by phone or name"),
    (erasure.CustomerHasOpenOrders("ada", [(ID, "delivery")]), "They must end first"),
    (erasure.NoErasureProposed("ada"), "Propose it first"),
    (erasure.ErasureNeedsSecondPerson("ada", "sue"), "a second person has to approve it"),
    (NotAllowed(Actor(Role.AUDITOR, "bea"), Action.CREDIT), "Allowed: support"),
]
"""Each refusal that support can meet, and the words that say what helps instead."""

NOT_MET = {
    "InvalidOrder": "of a customer who places an order; it names the field",
    "OrderNotFound": "says no more, because an order of others does not exist for a caller",
    "RunSuperseded": "of a machine whose run is older",
}


def refusals_of(module: Any) -> Iterator[str]:
    for name, kind in vars(module).items():
        if isinstance(kind, type) and kind.__module__ == module.__name__ and issubclass(kind, Exception):
            yield name


@pytest.mark.parametrize(("refusal", "words"), HELPS, ids=lambda value: type(value).__name__)
def test_a_refusal_says_what_would_help_instead(refusal: Exception, words: str) -> None:
    assert words in str(refusal)


@pytest.mark.parametrize(
    "module",
    [domain.order.refusals, workflows.incidents.refusals, workflows.erasure.refusals],
    ids=lambda m: m.__name__,
)
def test_every_refusal_has_its_place_in_the_table(module: Any) -> None:
    """A new refusal needs words of its own, or a reason why support cannot meet it."""
    listed = {type(refusal).__name__ for refusal, _ in HELPS} | set(NOT_MET)
    assert set(refusals_of(module)) - {Rejected.__name__, Picklable.__name__} <= listed


def test_the_sentence_stands_in_the_plan_of_a_dry_run_and_on_the_command_line() -> None:
    """Both show the refusal's own words."""
    from workflows.cli.plan_wording import plan_sentence
    from workflows.incidents.views import plan_view

    refusal = order.OrderAlreadyCancelling(ID)
    planned = plan_view(Plan(status=order_status(), refused=(type(refusal).__name__, str(refusal))))
    assert planned["refused"] == {"rule": "OrderAlreadyCancelling", "detail": str(refusal)}
    assert str(refusal) in plan_sentence("credit", planned)


def order_status() -> Any:
    from domain.order.order import Status

    return Status.CANCELLING
