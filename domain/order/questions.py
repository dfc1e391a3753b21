"""What a run waits for: the answer to one intent, looked up in the log. Answers to other intents do not count."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from domain.order.commands import Awaited
from domain.order.delivery import CARRYING, OfferState
from domain.order.order import Order, RunState
from domain.order.preparation import ACCEPTED, TicketState


class Answer(StrEnum):
    """The answer that the log has for a wait. NONE: no answer yet, so the run keeps waiting."""

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
    """Find the version of the intent whose answer the order waits for; None if there is no such intent yet."""
    if awaited in {Awaited.ACCEPTANCE, Awaited.READINESS}:
        return None if order.ticket is None else order.ticket.intent
    offer = order.delivery.current
    return None if offer is None else offer.intent


def answer(order: Order, awaited: Awaited, intent_version: int) -> Answer:
    """Look up the answer to the intent of version ``intent_version``.

    A cancellation answers every wait, and so do abandoning the order and parking it for contradicting reports.
    """
    contested = order.contest != 0 and order.run_state is RunState.PARKED
    if order.cancellation is not None or order.given_up or contested:
        return Answer.CANCELLING
    match awaited:
        case Awaited.ACCEPTANCE:
            return Answer.ACCEPTED if _ticket(order, intent_version) in ACCEPTED else Answer.NONE
        case Awaited.READINESS:
            ready = {TicketState.READY, TicketState.COLLECTED}
            return Answer.READY if _ticket(order, intent_version) in ready else Answer.NONE
        case Awaited.ASSIGNMENT:
            return _assignment(order, intent_version)
        case Awaited.PICKUP:
            assignment = _assignment(order, intent_version)
            return Answer.NONE if assignment is Answer.ASSIGNED else assignment
        case Awaited.DELIVERY:
            if order.delivery.delivered:
                return Answer.DELIVERED
            return Answer.OVERDUE if order.delivery.overdue else Answer.NONE
        case _:
            assert_never(awaited)


def _ticket(order: Order, intent_version: int) -> TicketState | None:
    return order.ticket.state if order.ticket is not None and order.ticket.intent == intent_version else None


def _assignment(order: Order, intent_version: int) -> Answer:
    if order.delivery.picked_up:  # by any courier: no other offer counts any more
        return Answer.PICKED_UP
    state = next((offer.state for offer in order.delivery.offers if offer.intent == intent_version), None)
    if state is None or state is OfferState.REQUESTED:
        return Answer.NONE
    return Answer.ASSIGNED if state is OfferState.ASSIGNED or state in CARRYING else Answer.DECLINED
