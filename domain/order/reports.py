"""Reports of restaurants and couriers that contradict earlier ones.

From the pickup on, a contradicting report is recorded and has no effect: a person decides with both reports in
view. The same holds for a delivery reported before the meal was reported ready and picked up, until both are reported,
and for what contradicts such a delivery: the meal may be gone.
"""

from __future__ import annotations

from domain.order.delivery import CARRYING, Delivery, OfferState
from domain.order.events import (
    CourierDeclined,
    DeliveryFailed,
    Event,
    Fact,
    ItemUnavailable,
    OrderDelivered,
    OrderPickedUp,
    PreparationReady,
    PreparationRejected,
    ReportContested,
)
from domain.order.order import Order

CONTRADICTION = "ContradictingReports"
"""The name of the incident."""


def recorded(fact: Fact, order: Order) -> tuple[Event, ...]:
    """Make the events that record a report: the report alone or, if it contradicts an earlier one, marked as such."""
    earlier = contradicted(fact, order)
    if earlier is None:
        return (fact,)
    return ReportContested(report=order.version + 2, contradicts=earlier), fact


def contradicted(fact: Fact, order: Order) -> int | None:
    """Find the version of the report that a report contradicts; None if it contradicts none.

    Returns:
        0 if the report of another thing is missing: of the pickup before a delivery, or of "ready" before it.
    """
    if order.abandoned is not None:
        return None
    kind = _contradicted_kind(fact, order)
    if kind is not None:
        return order.reports.get(kind, 0)
    return _contradicted_claim(fact, order)


def _contradicted_kind(fact: Fact, order: Order) -> type[Fact] | None:
    """Find the type of the report in effect, or of the missing one, that a report contradicts."""
    delivery = order.delivery
    if isinstance(fact, OrderDelivered):
        return _contradicted_by_delivery(fact, order)
    if not delivery.picked_up:
        return None
    match fact:
        case PreparationRejected():
            return OrderPickedUp
        case ItemUnavailable():
            return OrderPickedUp if _lowers(fact, order) else None
        case CourierDeclined():
            return OrderPickedUp if _gives_up_the_meal(fact, delivery) else None
        case OrderPickedUp():
            return OrderPickedUp if delivery.is_carried_by_another(fact.answers) else None
        case DeliveryFailed():
            return OrderDelivered if _denies_delivery(fact, delivery) else None
        case _:
            return None


def _contradicted_claim(fact: Fact, order: Order) -> int | None:
    """Find the contested delivery that a report contradicts: it has no effect yet, but the meal may be gone."""
    if order.cancellation is not None:
        return None
    for version, claim in reversed(order.contested.items()):
        if isinstance(claim, OrderDelivered) and _denies(fact, version, claim, order):
            return version
    return None


def is_delivery_claimed(order: Order) -> bool:
    """Whether a contested delivery is pending: the customer may have the meal."""
    return any(
        isinstance(claim, OrderDelivered) and _is_pending(version, claim, order)
        for version, claim in order.contested.items()
    )


def _is_pending(version: int, claim: OrderDelivered, order: Order) -> bool:
    """Whether a contested delivery waits for a person, or for missing reports on the current offer."""
    offer = order.delivery.current
    return version == order.contest or (offer is not None and offer.intent == claim.answers)


def _denies(fact: Fact, version: int, claim: OrderDelivered, order: Order) -> bool:
    pending = _is_pending(version, claim, order)
    match fact:
        case DeliveryFailed():
            same = fact.answers == claim.answers
            return same or (pending and not order.delivery.is_carried_by_another(fact.answers))
        case PreparationRejected():
            return pending
        case ItemUnavailable():
            return pending and _lowers(fact, order)
        case CourierDeclined():
            offer = next((offer for offer in order.delivery.offers if offer.intent == claim.answers), None)
            of_offer = offer is not None and fact.answers == claim.answers and fact.courier in {None, offer.courier}
            return pending and of_offer
        case _:
            return False


def contest_detail(order: Order) -> str:
    """Describe the open contest for a person: both reports by event number."""
    later = f"{type(order.contested[order.contest]).__name__} (event {order.contest})"
    if not order.contradicts:
        return f"{later} came before the meal was reported ready and picked up"
    kinds = {version: type(fact) for version, fact in order.contested.items()}
    kinds |= {version: kind for kind, version in order.reports.items()}
    earlier = kinds[order.contradicts].__name__ if order.contradicts in kinds else "an earlier report"
    return f"{later} contradicts {earlier} (event {order.contradicts})"


def _contradicted_by_delivery(fact: OrderDelivered, order: Order) -> type[Fact] | None:
    delivery = order.delivery
    if delivery.failed is not None:
        return DeliveryFailed
    if delivery.is_carried_by_another(fact.answers):
        return OrderDelivered if delivery.delivered else OrderPickedUp
    if not _was_picked_up(fact.answers, order):
        return OrderPickedUp
    return None if PreparationReady in order.reports else PreparationReady


def _was_picked_up(offer: int, order: Order) -> bool:
    """Whether a pickup was reported for this offer and took effect."""
    contested = any(isinstance(fact, OrderPickedUp) and fact.answers == offer for fact in order.contested.values())
    return (OrderPickedUp, offer, None) in order.facts and not contested


def _lowers(fact: ItemUnavailable, order: Order) -> bool:
    return 1 <= fact.line <= len(order.lines) and max(fact.available, 0) < order.lines[fact.line - 1].quantity


def _gives_up_the_meal(fact: CourierDeclined, delivery: Delivery) -> bool:
    offer = next((offer for offer in delivery.offers if offer.intent == fact.answers), None)
    return offer is not None and offer.state in CARRYING and fact.courier in {None, offer.courier}


def _denies_delivery(fact: DeliveryFailed, delivery: Delivery) -> bool:
    """Whether a failure denies a delivery in effect: that of its own offer, or the only one there can have been."""
    if any(offer.intent == fact.answers and offer.state is OfferState.DELIVERED for offer in delivery.offers):
        return True
    return delivery.delivered and not delivery.is_carried_by_another(fact.answers)
