"""Open intents of an order (``open_intents``) and what it holds that must be given back (``owed``).

Both are read from the fold of the events, never from where a run of the state machine is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.money import Money
from domain.order import delivery, preparation
from domain.order.books import excess_taken, extras_left, shortage
from domain.order.events import Intent
from domain.order.order import Order
from domain.order.payment import Hold, Transfer
from domain.order.preparation import TicketState


@dataclass(frozen=True, slots=True)
class OpenIntent:
    """An intent without an outcome, and its version."""

    version: int
    intent: Intent


def open_intents(order: Order) -> tuple[OpenIntent, ...]:
    """List the intents to perform now, oldest first.

    Requested money movements stay open during a cancellation, because they may have happened. A ticket or an offer
    without an answer is not sent again during a cancellation: its undo takes it back whether it arrived or not.
    """
    versions = {
        *(capture.intent for capture in order.payment.captures if capture.state is Transfer.ASKED),
        *(refund.intent for refund in order.payment.refunds if refund.state is Transfer.ASKED),
        *(extra.intent for extra in order.payment.extras if extra.state is Transfer.ASKED),
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
    versions = set()
    if order.ticket is not None and order.ticket.state is TicketState.REQUESTED:
        versions.add(order.ticket.intent)
    offer = order.delivery.current
    if offer is not None and offer.state is delivery.OfferState.REQUESTED:
        versions.add(offer.intent)
    return versions


class Holding(StrEnum):
    """What an order can hold at a provider, a restaurant or a courier."""

    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    TICKET = "ticket"
    OFFER = "offer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """Something that the order holds and has not given back.

    ``intent``: version of the intent that took it. ``undo``: version of an open intent that gives it back.
    ``in_doubt``: it may not be held at all, because the outcome is not known yet. ``refused``: giving it back was
    refused in this run.
    """

    holding: Holding
    intent: int
    amount: Money | None = None
    in_doubt: bool = False
    undo: int | None = None
    refused: bool = False


def owed(order: Order) -> tuple[Owed, ...]:
    """List what is held and neither earned, nor given back, nor written off. Empty for every order that has ended."""
    return (
        *_owed_authorization(order),
        *_owed_captures(order),
        *_owed_extras(order),
        *_owed_ticket(order),
        *_owed_couriers(order),
    )


def _owed_authorization(order: Order) -> Iterator[Owed]:
    authorization = order.payment.authorization
    if authorization is None or authorization.state not in {Hold.ASKED, Hold.HELD} or order.payment.capture_in_doubt:
        return
    yield Owed(
        holding=Holding.AUTHORIZATION,
        intent=authorization.intent,
        amount=authorization.amount,
        in_doubt=authorization.state is Hold.ASKED,
        undo=authorization.void,
        refused=authorization.void_refused,
    )


def _owed_captures(order: Order) -> Iterator[Owed]:
    payment = order.payment
    for capture in payment.captures:
        if capture.state is Transfer.ASKED:
            yield Owed(holding=Holding.CAPTURE, intent=capture.intent, amount=capture.amount, in_doubt=True)
    for refund in payment.refunds:
        if refund.state is Transfer.ASKED:
            yield Owed(holding=Holding.CAPTURE, intent=refund.intent, amount=refund.amount, undo=refund.intent)
        elif refund.state is Transfer.REFUSED:
            yield Owed(holding=Holding.CAPTURE, intent=refund.intent, amount=refund.amount, refused=True)
    if (excess := excess_taken(order)) and not payment.capture_in_doubt:
        latest = next(capture.intent for capture in reversed(payment.captures) if capture.state is Transfer.DONE)
        yield Owed(holding=Holding.CAPTURE, intent=latest, amount=excess)


def _owed_extras(order: Order) -> Iterator[Owed]:
    """List extra captures that are being looked up, and what of them has no refund yet."""
    for extra in order.payment.extras:
        if extra.state is Transfer.ASKED:
            yield Owed(holding=Holding.CAPTURE, intent=extra.intent, amount=extra.amount, in_doubt=True)
    for intent, left in extras_left(order).items():
        if left.minor > 0:
            yield Owed(holding=Holding.CAPTURE, intent=intent, amount=left)


def _owed_ticket(order: Order) -> Iterator[Owed]:
    ticket = order.ticket
    if ticket is not None and ticket.state in preparation.HELD:
        in_doubt = ticket.state in preparation.IN_DOUBT
        yield Owed(holding=Holding.TICKET, intent=ticket.intent, in_doubt=in_doubt, undo=ticket.undo)


def _owed_couriers(order: Order) -> Iterator[Owed]:
    for offer in order.delivery.offers:
        if offer.state in delivery.HELD:
            in_doubt = offer.state in delivery.IN_DOUBT
            yield Owed(holding=Holding.OFFER, intent=offer.intent, in_doubt=in_doubt, undo=offer.undo)


def at_stake(order: Order) -> Money:
    """Work out the money that is lost if nothing more is done for the order: all that is owed and all still to be paid.

    A hold and the payment that it is for count once.
    """
    held, moved = Money.zero(order.currency), shortage(order)
    for item in owed(order):
        if item.holding is Holding.AUTHORIZATION and item.amount is not None:
            held = item.amount
        elif item.amount is not None:
            moved += item.amount
    return max(held, moved)
