"""What is to be performed now (``open_intents``), what must be given back (``owed``), and whether the books balance.

All three are read from the fold, never from where a saga stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money
from domain.order import delivery, preparation
from domain.order.events import (
    CourierReleaseRequested,
    Intent,
    PaymentRefundRequested,
    PaymentVoidRequested,
    PreparationCancellationRequested,
)
from domain.order.order import Order
from domain.order.payment import Hold, Transfer
from domain.order.preparation import TicketState

UNDO = (
    PaymentVoidRequested,
    PaymentRefundRequested,
    PreparationCancellationRequested,
    CourierReleaseRequested,
)
"""Intents that give back. All others are forward."""


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent without an outcome, and its version."""

    version: int
    intent: Intent


def open_intents(order: Order) -> tuple[OpenIntent, ...]:
    """What is to be performed now, oldest first.

    Money asked for is settled even when the order is being cancelled: it may have moved. A ticket or an offer nobody
    answered is not sent again then; its undo takes it back, whether it arrived or not.
    """
    versions = {
        *(capture.intent for capture in order.payment.captures if capture.state is Transfer.ASKED),
        *(refund.intent for refund in order.payment.refunds if refund.state is Transfer.ASKED),
        *(offer.undo for offer in order.delivery.offers if offer.undo is not None),
    }
    if (authorization := order.payment.authorization) is not None:
        versions |= {authorization.intent} if authorization.state is Hold.ASKED else set()
        versions |= {authorization.void} if authorization.void is not None else set()
    if order.ticket is not None and order.ticket.undo is not None:
        versions.add(order.ticket.undo)
    if order.cancellation is None:
        versions |= _unanswered(order)
    return tuple(OpenIntent(version, order.intents[version]) for version in sorted(versions))


def _unanswered(order: Order) -> set[int]:
    found = set()
    if order.ticket is not None and order.ticket.state is TicketState.REQUESTED:
        found.add(order.ticket.intent)
    offer = order.delivery.current
    if offer is not None and offer.state is delivery.OfferState.REQUESTED:
        found.add(offer.intent)
    return found


class Holding(StrEnum):
    """What can be held of others."""

    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    TICKET = "ticket"
    OFFER = "offer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Something held and not given back. ``intent`` took it; ``undo`` is an open intent to give it back; ``in_doubt``:
    it may not be held at all, nobody knows yet. ``refused``: giving it back was refused in this run."""

    holding: Holding
    intent: int
    amount: Money | None = None
    in_doubt: bool = False
    undo: int | None = None
    refused: bool = False


def owed(order: Order) -> tuple[Owed, ...]:
    """What is held and neither earned, nor given back, nor written off. Empty on every order that has ended."""
    return (*_owed_money(order), *_owed_ticket(order), *_owed_couriers(order))


def _owed_money(order: Order) -> list[Owed]:
    found = []
    payment = order.payment
    authorization = payment.authorization
    if authorization is not None and authorization.state in {Hold.ASKED, Hold.HELD} and not payment.capture_in_doubt:
        found.append(
            Owed(
                holding=Holding.AUTHORIZATION,
                intent=authorization.intent,
                amount=authorization.amount,
                in_doubt=authorization.state is Hold.ASKED,
                undo=authorization.void,
                refused=authorization.void_refused,
            )
        )
    for capture in payment.captures:
        if capture.state is Transfer.ASKED:
            found.append(Owed(holding=Holding.CAPTURE, intent=capture.intent, amount=capture.amount, in_doubt=True))
    for refund in payment.refunds:
        if refund.state in {Transfer.ASKED, Transfer.REFUSED}:
            asked = refund.state is Transfer.ASKED
            undo = refund.intent if asked else None
            found.append(
                Owed(holding=Holding.CAPTURE, intent=refund.intent, amount=refund.amount, undo=undo, refused=not asked)
            )
    if (excess := excess_taken(order)) and not payment.capture_in_doubt:
        latest = next(c.intent for c in reversed(payment.captures) if c.state is Transfer.DONE)
        found.append(Owed(holding=Holding.CAPTURE, intent=latest, amount=excess))
    return found


def _owed_ticket(order: Order) -> list[Owed]:
    ticket = order.ticket
    if ticket is None or ticket.state not in preparation.HELD:
        return []
    in_doubt = ticket.state in preparation.IN_DOUBT
    return [Owed(holding=Holding.TICKET, intent=ticket.intent, in_doubt=in_doubt, undo=ticket.undo)]


def _owed_couriers(order: Order) -> list[Owed]:
    return [
        Owed(holding=Holding.OFFER, intent=offer.intent, in_doubt=offer.state in delivery.IN_DOUBT, undo=offer.undo)
        for offer in order.delivery.offers
        if offer.state in delivery.HELD
    ]


def at_stake(order: Order) -> Money:
    """What is given up when nothing more is done for the order: all that is owed, and what is still to be paid. What is
    held for a payment is not counted beside that payment."""
    held, moved = Money.zero(order.currency), shortage(order)
    for item in owed(order):
        if item.holding is Holding.AUTHORIZATION and item.amount is not None:
            held = item.amount
        elif item.amount is not None:
            moved += item.amount
    return max(held, moved)


# --- books ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """At every version ``captured + still_to_capture + over_refunded`` is ``due + refunded + still_to_refund +
    unreturned``.

    ``due`` is what the customer has to pay for what was delivered, less what was credited or written off.
    ``unreturned`` is what a person decided not to give back through the provider. ``over_refunded`` is what was given
    back, or is about to be, and nobody owed: zero unless the provider contradicts itself.
    """

    captured: Money
    still_to_capture: Money
    due: Money
    refunded: Money
    still_to_refund: Money
    unreturned: Money
    over_refunded: Money

    @property
    def balanced(self) -> bool:
        right = self.due + self.refunded + self.still_to_refund + self.unreturned
        return self.captured + self.still_to_capture + self.over_refunded == right

    @property
    def settled(self) -> bool:
        return self.balanced and not (self.still_to_capture or self.still_to_refund or self.over_refunded)


def books(order: Order) -> Books:
    """The money of an order, as its log has it."""
    payment = order.payment
    return Books(
        captured=payment.taken(Transfer.DONE),
        still_to_capture=payment.taken(Transfer.ASKED) + shortage(order),
        due=due(order),
        refunded=payment.returned(Transfer.DONE),
        still_to_refund=payment.returned(Transfer.ASKED, Transfer.REFUSED) + excess_taken(order),
        unreturned=payment.returned(Transfer.WRITTEN_OFF) + Money(order.unreturned, order.currency),
        over_refunded=max(_given_back(order) - _overpaid(order), Money.zero(order.currency)),
    )


def due(order: Order) -> Money:
    """What the customer has to pay: nothing before delivery, nothing once the order is being cancelled, and of an order
    that was abandoned no more than was taken."""
    nothing = Money.zero(order.currency)
    if order.cancellation is not None or not order.delivery.delivered:
        return nothing
    price = max(order.total - order.payment.waived, nothing)
    return price if order.abandoned is None else min(price, _taken(order))


def shortage(order: Order) -> Money:
    """What is due, and neither captured nor asked to be: not asked yet, or refused."""
    return max(due(order) - _taken(order), Money.zero(order.currency))


def excess_taken(order: Order) -> Money:
    """What is captured or asked to be, not due, and not asked to be given back yet."""
    return max(_overpaid(order) - _given_back(order), Money.zero(order.currency))


def _overpaid(order: Order) -> Money:
    return max(_taken(order) - due(order), Money.zero(order.currency))


def _taken(order: Order) -> Money:
    return order.payment.taken(Transfer.ASKED, Transfer.DONE)


def _given_back(order: Order) -> Money:
    by_refunds = order.payment.returned(Transfer.ASKED, Transfer.DONE, Transfer.REFUSED, Transfer.WRITTEN_OFF)
    return by_refunds + Money(order.unreturned, order.currency)
