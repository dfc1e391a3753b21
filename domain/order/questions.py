"""What a run waits for, as questions to the log: each is about one intent, and only its answer settles it."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from domain.order.commands import Awaited
from domain.order.delivery import CARRYING, OfferState
from domain.order.order import Order
from domain.order.preparation import ACCEPTED, TicketState


class Answer(StrEnum):
    """What the log says to a question. NONE: nothing yet, go on waiting."""

    NONE = "none"
    ACCEPTED = "accepted"
    READY = "ready"
    ASSIGNED = "assigned"
    DECLINED = "declined"
    PICKED_UP = "picked_up"
    DELIVERED = "delivered"
    OVERDUE = "overdue"
    CANCELLING = "cancelling"


def awaited_intent(order: Order, awaited: Awaited) -> int | None:
    """The version of the intent that the order waits on for this, None if it did not open one yet."""
    if awaited in {Awaited.ACCEPTANCE, Awaited.READINESS}:
        return None if order.ticket is None else order.ticket.intent
    offer = order.delivery.current
    return None if offer is None else offer.intent


def answer(order: Order, awaited: Awaited, asked: int) -> Answer:
    """The log's answer to the question that intent ``asked`` put. A cancellation answers them all, and so does giving
    the order up: nobody needs to wait any more."""
    if order.cancellation is not None or order.given_up:
        return Answer.CANCELLING
    match awaited:
        case Awaited.ACCEPTANCE:
            return Answer.ACCEPTED if _ticket(order, asked) in ACCEPTED else Answer.NONE
        case Awaited.READINESS:
            ready = {TicketState.READY, TicketState.COLLECTED}
            return Answer.READY if _ticket(order, asked) in ready else Answer.NONE
        case Awaited.ASSIGNMENT:
            return _assignment(order, asked)
        case Awaited.PICKUP:
            found = _assignment(order, asked)
            return Answer.NONE if found is Answer.ASSIGNED else found
        case Awaited.DELIVERY:
            if order.delivery.delivered:
                return Answer.DELIVERED
            return Answer.OVERDUE if order.delivery.overdue else Answer.NONE
        case _:
            assert_never(awaited)


def _ticket(order: Order, asked: int) -> TicketState | None:
    return order.ticket.state if order.ticket is not None and order.ticket.intent == asked else None


def _assignment(order: Order, asked: int) -> Answer:
    if order.delivery.picked_up:  # by whichever courier: the meal is gone, no other offer counts
        return Answer.PICKED_UP
    state = next((offer.state for offer in order.delivery.offers if offer.intent == asked), None)
    if state is None or state is OfferState.REQUESTED:
        return Answer.NONE
    return Answer.ASSIGNED if state is OfferState.ASSIGNED or state in CARRYING else Answer.DECLINED
