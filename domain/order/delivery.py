"""The delivery of an order, folded from its events: offers to couriers, one after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from domain.fast_replace import replace
from domain.identifiers import CourierId
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    CourierOffered,
    CourierReleased,
    CourierReleaseRequested,
    CourierRequested,
    CourierTimedOut,
    CourierWrittenOff,
    DeliveryFact,
    DeliveryFailed,
    DeliveryIntent,
    DeliveryOverdue,
    OrderDelivered,
    OrderPickedUp,
)

ATTEMPTS_MAX = 5
"""Offers that an order makes before it is cancelled. A product decision: with 3 minutes each, a quarter of an hour."""


class OfferState(StrEnum):
    """The state of an offer. REQUESTED and TIMED_OUT are in doubt: a courier may be on the way."""

    __hash__ = str.__hash__  # that of Enum is Python code, and folding looks states up several times an event

    REQUESTED = "requested"
    ASSIGNED = "assigned"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"
    PICKED_UP = "picked_up"
    DELIVERED = "delivered"
    FAILED = "failed"
    RELEASED = "released"
    WRITTEN_OFF = "written_off"


IN_DOUBT = frozenset({OfferState.REQUESTED, OfferState.TIMED_OUT})
HELD = IN_DOUBT | {OfferState.ASSIGNED, OfferState.PICKED_UP}
CARRYING = frozenset({OfferState.PICKED_UP, OfferState.DELIVERED, OfferState.FAILED})
LIVE = frozenset({OfferState.REQUESTED, OfferState.ASSIGNED}) | CARRYING
_WITHDRAWABLE = HELD - CARRYING


@dataclass(frozen=True, kw_only=True)
class Offer:
    """``intent`` is the version of the intent that made it, ``undo`` that of an open intent to withdraw it.

    ``made_to``: the couriers it was made to; empty for an open offer, which any courier may accept.
    ``declined_by``: the couriers who declined it without having accepted it.
    """

    intent: int
    attempt: int
    state: OfferState = OfferState.REQUESTED
    courier: CourierId | None = None
    undo: int | None = None
    made_to: frozenset[CourierId] = frozenset()
    declined_by: frozenset[CourierId] = frozenset()

    @property
    def declined_by_all(self) -> bool:
        """Whether all couriers that it was made to declined it. An open offer cannot be declined by all."""
        return bool(self.made_to) and self.made_to <= self.declined_by


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """``picked_up`` is the pivot of the saga. ``failed`` is the last report on the end of the delivery if it failed."""

    offers: tuple[Offer, ...] = ()
    picked_up: bool = False
    delivered: bool = False
    failed: DeliveryFailed | None = None
    overdue: bool = False

    @property
    def current(self) -> Offer | None:
        """The offer whose courier has or had the meal; without one, the latest offer."""
        for offer in reversed(self.offers):
            if offer.state in CARRYING:
                return offer
        return self.offers[-1] if self.offers else None

    def is_carried_by_another(self, intent: int) -> bool:
        """Whether another offer's courier has the meal, or delivered it: one whose offer was withdrawn finds none."""
        carrying = {OfferState.PICKED_UP, OfferState.DELIVERED}
        return any(offer.state in carrying for offer in self.offers if offer.intent != intent)


DeliveryEvent: TypeAlias = DeliveryIntent | DeliveryFact | CourierTimedOut | DeliveryOverdue


def evolve(delivery: Delivery, event: DeliveryEvent, version: int) -> Delivery:
    """Fold the event of that version."""
    match event:
        case CourierRequested():
            return replace(delivery, offers=(*delivery.offers, Offer(intent=version, attempt=event.attempt)))
        case CourierAssigned():
            return _moved(delivery, event.answers, OfferState.ASSIGNED, event.courier)
        case OrderPickedUp():
            return _moved(delivery, event.answers, OfferState.PICKED_UP, picked_up=True)
        case OrderDelivered():
            ended: dict[str, Any] = {"picked_up": True, "delivered": True, "failed": None}
            return _moved(delivery, event.answers, OfferState.DELIVERED, **ended)
        case CourierOffered():
            named = _each(delivery, lambda o: _made_to(o, event) if o.intent == event.answers else o)
            return _lapsed(named, event.answers)
        case CourierDeclined():
            return _declined(delivery, event)
        case CourierTimedOut():
            return _moved(delivery, event.answers, OfferState.TIMED_OUT)
        case DeliveryFailed():
            moved = _moved(delivery, event.answers, OfferState.FAILED)
            return moved if delivery.is_carried_by_another(event.answers) else replace(moved, failed=event)
        case DeliveryOverdue():
            return replace(delivery, overdue=True)
        case CourierReleaseRequested():
            return _each(delivery, lambda o: replace(o, undo=version) if o.intent == event.request else o)
        case CourierReleased():
            return _undone(delivery, event.answers, OfferState.RELEASED)
        case CourierWrittenOff():
            return _undone(delivery, event.answers, OfferState.WRITTEN_OFF)


def write_off(delivery: Delivery, intent: int) -> Delivery:
    """Give up the offer of this intent."""
    return _each(delivery, lambda o: replace(o, state=OfferState.WRITTEN_OFF, undo=None) if o.intent == intent else o)


def _moved(
    delivery: Delivery, intent: int, state: OfferState, courier: CourierId | None = None, **changes: Any
) -> Delivery:
    """Apply a report on an offer.

    A courier who accepts an offer late, after its end, is on the way all the same. A delivery that ended stays ended,
    whatever is reported of the time before. An offer that was declined or picked up needs no withdrawal any more.
    """

    def move(offer: Offer) -> Offer:
        if offer.intent != intent or (offer.state in CARRYING and state not in CARRYING):
            return offer
        if offer.state in CARRYING and state is OfferState.PICKED_UP:
            return offer  # the report of the end came before that of the pickup
        undo = offer.undo if state in _WITHDRAWABLE else None
        return replace(offer, state=state, courier=courier or offer.courier, undo=undo)

    return _each(delivery, move, **changes)


def _made_to(offer: Offer, event: CourierOffered) -> Offer:
    return replace(offer, made_to=frozenset(event.couriers))


def _declined(delivery: Delivery, event: CourierDeclined) -> Delivery:
    """Apply a decline. It ends the offer if it is about the offer as a whole or of the courier who had accepted it.

    Otherwise it counts for one courier alone: the offer ends when all couriers that it was made to have declined.
    """
    offer = next((offer for offer in delivery.offers if offer.intent == event.answers), None)
    if offer is None or event.courier is None or offer.courier == event.courier:
        return _moved(delivery, event.answers, OfferState.DECLINED)
    decliners = offer.declined_by | {event.courier}
    counted = _each(delivery, lambda o: replace(o, declined_by=decliners) if o is offer else o)
    return _lapsed(counted, event.answers)


def _lapsed(delivery: Delivery, intent: int) -> Delivery:
    """End an offer without an answer once all couriers that it was made to have declined."""
    lapses = any(o.intent == intent and o.state in IN_DOUBT and o.declined_by_all for o in delivery.offers)
    return _moved(delivery, intent, OfferState.DECLINED) if lapses else delivery


def _undone(delivery: Delivery, release: int, state: OfferState) -> Delivery:
    def undo(offer: Offer) -> Offer:
        if offer.undo != release:
            return offer
        return replace(offer, undo=None, state=state)

    return _each(delivery, undo)


def _each(delivery: Delivery, change: Callable[[Offer], Offer], **changes: Any) -> Delivery:
    return replace(delivery, offers=tuple([change(offer) for offer in delivery.offers]), **changes)
