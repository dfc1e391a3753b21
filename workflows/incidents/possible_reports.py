"""Reports of a restaurant or courier that support can pass on about an order as it is now.

A report is possible if the rules would record it: it ends a wait, changes what happens, contradicts an earlier report,
so that a person has to decide, or comes late and only completes the log. An ended order has such reports too: a courier
can admit that a meal was not delivered. Reports that the log has already are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.identifiers import Actor, CourierId, Role
from domain.money import Money
from domain.order.commands import RecordFact
from domain.order.deciding import decide
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    DeliveryFailed,
    Event,
    Fact,
    Fault,
    ItemUnavailable,
    OrderDelivered,
    OrderPickedUp,
    PreparationAccepted,
    PreparationReady,
    PreparationRejected,
    ReportContested,
)
from domain.order.order import Order
from domain.order.refusals import Rejected
from workflows.orders.permissions import Action
from workflows.orders.requests import answered_intent


@dataclass(frozen=True, slots=True, kw_only=True)
class PossibleReport:
    """A report that can be passed on.

    Attributes:
        fact: Its name, as in ``POST /orders/{order_id}/facts``.
        party: Whose report it is.
        awaited: It ends a wait of the order, or would if the parked order went on.
        contradicts: The event that it contradicts, 0 if another report is missing before it: it has no effect until a
            person decides. None if it takes effect.
    """

    fact: str
    party: Role
    awaited: bool
    contradicts: int | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A kind of report: the party that makes it, by which action and route.

    ``examples`` makes reports of this kind from an order, the version of the ticket or offer that they answer and a
    time. If the rules would record one of them, the kind is possible.
    """

    party: Role
    action: Action
    route: str
    examples: Callable[[Order, int, datetime], Iterator[Fact]]


def possible_reports(
    order: Order, actor: Actor, limit: Money, awaited: Collection[str], now: datetime
) -> tuple[PossibleReport, ...]:
    """Return the reports that can be passed on: awaited ones, then those that take effect, then contradicting ones.

    Of the contradicting ones, those about the newest report come first.

    Args:
        limit: The amount up to which one person decides alone.
        awaited: Reports that would end a wait, by the names of their routes.
    """
    reports = []
    for name, reported in FACTS.items():
        intent = answered_intent(order, reported.action)
        for fact in () if intent is None else reported.examples(order, intent, now):
            events = _recorded(RecordFact(fact=fact, by=actor, limit=limit), order)
            if not events:
                continue
            contest = next((event.contradicts for event in events if isinstance(event, ReportContested)), None)
            ends_wait = contest is None and reported.route in awaited
            reports.append(PossibleReport(fact=name, party=reported.party, awaited=ends_wait, contradicts=contest))
            break
    return tuple(sorted(reports, key=_rank))


def _recorded(command: RecordFact, order: Order) -> tuple[Event, ...]:
    try:
        return decide(command, order)
    except Rejected:
        return ()


def _rank(report: PossibleReport) -> tuple[bool, bool, int]:
    return not report.awaited, report.contradicts is not None, -(report.contradicts or 0)


# --- examples ---------------------------------------------------------------------------------------------------------


def _accepted(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield PreparationAccepted(answers=intent, ready_at=at + timedelta(minutes=20), at=at)


def _rejected(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield PreparationRejected(answers=intent, reason="", at=at)


def _item_unavailable(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    for number, line in enumerate(order.lines, start=1):
        if line.quantity:
            yield ItemUnavailable(answers=intent, line=number, available=0, at=at)


def _ready(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield PreparationReady(answers=intent, at=at)


def _assigned(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    """Name the courier who took the offer, because the log has that report already; otherwise any courier."""
    taken_by = next((offer.courier for offer in order.delivery.offers if offer.intent == intent), None)
    yield CourierAssigned(answers=intent, courier=taken_by or CourierId("any"), at=at)


def _declined(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield CourierDeclined(answers=intent, courier=None, reason="", at=at)


def _picked_up(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield OrderPickedUp(answers=intent, at=at)


def _delivered(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield OrderDelivered(answers=intent, at=at)


def _failed(order: Order, intent: int, at: datetime) -> Iterator[Fact]:
    yield DeliveryFailed(answers=intent, reason="", fault=Fault.COURIER, at=at)


FACTS: Mapping[str, Reported] = {
    "accepted": Reported(Role.RESTAURANT, Action.ACCEPT, "preparation/accept", _accepted),
    "rejected": Reported(Role.RESTAURANT, Action.REJECT, "preparation/reject", _rejected),
    "item_unavailable": Reported(
        Role.RESTAURANT, Action.ITEM_UNAVAILABLE, "preparation/item-unavailable", _item_unavailable
    ),
    "ready": Reported(Role.RESTAURANT, Action.READY, "preparation/ready", _ready),
    "assigned": Reported(Role.COURIER, Action.ASSIGN, "delivery/assign", _assigned),
    "declined": Reported(Role.COURIER, Action.DECLINE, "delivery/decline", _declined),
    "picked_up": Reported(Role.COURIER, Action.PICK_UP, "delivery/pick-up", _picked_up),
    "delivered": Reported(Role.COURIER, Action.DELIVER, "delivery/deliver", _delivered),
    "failed": Reported(Role.COURIER, Action.FAIL, "delivery/fail", _failed),
}
"""By the name of the fact."""
