"""The delivery of an order: offers to couriers, one after the other, as the events tell it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from domain.identifiers import CourierId
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
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
from domain.replacing import replace

ATTEMPTS_MAX = 5
"""Offers an order makes before it gives up; a product decision: with 3 minutes each, a quarter of an hour."""


class OfferState(StrEnum):
    """Where an offer is. REQUESTED and TIMED_OUT are in doubt: a courier may be under way."""

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
_WITHDRAWN_IF_ASKED = HELD - CARRYING


@dataclass(frozen=True, kw_only=True)
class Offer:
    """``intent`` is the version of the intent that made it, ``undo`` that of an open intent to withdraw it."""

    intent: int
    attempt: int
    state: OfferState = OfferState.REQUESTED
    courier: CourierId | None = None
    undo: int | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """``picked_up`` is the pivot of the saga. ``failed`` is what was said last of the delivery's end."""

    offers: tuple[Offer, ...] = ()
    picked_up: bool = False
    delivered: bool = False
    failed: DeliveryFailed | None = None
    overdue: bool = False

    @property
    def current(self) -> Offer | None:
        """The offer that counts: that of the courier who carries the meal, else the last one made."""
        for offer in reversed(self.offers):
            if offer.state in CARRYING:
                return offer
        return self.offers[-1] if self.offers else None


DeliveryEvent: TypeAlias = DeliveryIntent | DeliveryFact | CourierTimedOut | DeliveryOverdue


def evolve(delivery: Delivery, event: DeliveryEvent, version: int) -> Delivery:
    """The delivery after the event of that version."""
    match event:
        case CourierRequested():
            return replace(delivery, offers=(*delivery.offers, Offer(intent=version, attempt=event.attempt)))
        case CourierAssigned():
            return _moved(delivery, event.answers, OfferState.ASSIGNED, event.courier)
        case CourierDeclined():
            return _moved(delivery, event.answers, OfferState.DECLINED)
        case CourierTimedOut():
            return _moved(delivery, event.answers, OfferState.TIMED_OUT)
        case OrderPickedUp():
            return _moved(delivery, event.answers, OfferState.PICKED_UP, picked_up=True)
        case OrderDelivered():
            told: dict[str, Any] = {"picked_up": True, "delivered": True, "failed": None}
            return _moved(delivery, event.answers, OfferState.DELIVERED, **told)
        case DeliveryFailed():
            moved = _moved(delivery, event.answers, OfferState.FAILED)
            return moved if _carried_by_another(delivery, event.answers) else replace(moved, failed=event)
        case DeliveryOverdue():
            return replace(delivery, overdue=True)
        case CourierReleaseRequested():
            return _each(delivery, lambda o: replace(o, undo=version) if o.intent == event.request else o)
        case CourierReleased():
            return _undone(delivery, event.answers, OfferState.RELEASED)
        case CourierWrittenOff():
            return _undone(delivery, event.answers, OfferState.WRITTEN_OFF)


def write_off(delivery: Delivery, intent: int) -> Delivery:
    """The offer of this intent is not pursued any more."""
    return _each(delivery, lambda o: replace(o, state=OfferState.WRITTEN_OFF, undo=None) if o.intent == intent else o)


def _moved(
    delivery: Delivery, intent: int, state: OfferState, courier: CourierId | None = None, **changes: Any
) -> Delivery:
    """What is said of an offer. A courier who takes an offer late, after its end, is under way all the same; a delivery
    that ended stays so, whatever is said of the time before. Who declines, or carries the meal, need not be withdrawn.
    """

    def move(offer: Offer) -> Offer:
        if offer.intent != intent or (offer.state in CARRYING and state not in CARRYING):
            return offer
        if offer.state in CARRYING and state is OfferState.PICKED_UP:
            return offer  # how it ended was told before how it began
        undo = offer.undo if state in _WITHDRAWN_IF_ASKED else None
        return replace(offer, state=state, courier=courier or offer.courier, undo=undo)

    return _each(delivery, move, **changes)


def _carried_by_another(delivery: Delivery, intent: int) -> bool:
    """A courier whose offer was withdrawn finds no meal and says that it failed: it is on its way with another."""
    carrying = {OfferState.PICKED_UP, OfferState.DELIVERED}
    return any(offer.state in carrying for offer in delivery.offers if offer.intent != intent)


def _undone(delivery: Delivery, release: int, state: OfferState) -> Delivery:
    def undo(offer: Offer) -> Offer:
        if offer.undo != release:
            return offer
        return replace(offer, undo=None, state=state)

    return _each(delivery, undo)


def _each(delivery: Delivery, change: Callable[[Offer], Offer], **changes: Any) -> Delivery:
    return replace(delivery, offers=tuple([change(offer) for offer in delivery.offers]), **changes)
