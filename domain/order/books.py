"""The books of an order: what was captured, what is due, what was refunded. Read from the fold of its events."""

from __future__ import annotations

from dataclasses import dataclass

from domain.money import Money, total
from domain.order.order import Order
from domain.order.payment import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The money of an order. At every version ``captured + still_to_capture + over_refunded`` equals
    ``due + refunded + still_to_refund + unreturned``.

    ``due``: the price of a delivered order, less what was credited or written off.
    ``unreturned``: captured, not due, and by decision of a person not refunded.
    ``over_refunded``: refunded, or about to be, beyond what was to be refunded; zero unless the provider contradicts
    itself.
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
        """Balanced, and no money is left to move."""
        return self.balanced and not (self.still_to_capture or self.still_to_refund or self.over_refunded)


def books(order: Order) -> Books:
    """Work out the books from the order's state."""
    payment, extras = order.payment, extras_left(order)
    nothing = Money.zero(order.currency)
    return Books(
        captured=payment.captured,
        still_to_capture=payment.taken(Transfer.ASKED) + shortage(order),
        due=due(order),
        refunded=payment.returned(Transfer.DONE),
        still_to_refund=total(
            (
                payment.returned(Transfer.ASKED, Transfer.REFUSED),
                excess_taken(order),
                *(max(left, nothing) for left in extras.values()),
            ),
            order.currency,
        ),
        unreturned=payment.returned(Transfer.WRITTEN_OFF) + Money(order.unreturned, order.currency),
        over_refunded=total(
            (
                max(_given_back(order) - _overpaid(order), nothing),
                *(max(nothing - left, nothing) for left in extras.values()),
            ),
            order.currency,
        ),
    )


def is_sold(order: Order) -> bool:
    """Whether the meal was delivered and the sale not taken back: only then are price and tax in the books."""
    return order.placed is not None and order.delivery.delivered and order.cancellation is None


def due(order: Order) -> Money:
    """Work out what the customer has to pay.

    Nothing before delivery and nothing once a cancellation began. Of an abandoned order, no more than was taken.
    """
    nothing = Money.zero(order.currency)
    if not is_sold(order):
        return nothing
    return price(order) if order.abandoned is None else min(price(order), _taken(order))


def price(order: Order) -> Money:
    """Work out what the customer pays if the order is delivered, or was: nothing once a cancellation began."""
    nothing = Money.zero(order.currency)
    return nothing if order.cancellation is not None else max(order.total - order.payment.waived, nothing)


def shortage(order: Order) -> Money:
    """Work out what is due and has no capture: none was requested yet, or it was refused."""
    return max(due(order) - _taken(order), Money.zero(order.currency))


def uncollected(order: Order) -> int | None:
    """Return the intent of the last capture, if it was refused or took less than is due."""
    captures = order.payment.captures
    return captures[-1].intent if captures and shortage(order) else None


def excess_taken(order: Order) -> Money:
    """Work out what was captured, or is being captured, is not due, and has no refund yet."""
    if not order.payment.captures:
        return Money.zero(order.currency)
    return max(_overpaid(order) - _given_back(order), Money.zero(order.currency))


def extras_left(order: Order) -> dict[int, Money]:
    """Work out what is left to refund of each extra capture, by the intent of its look-up.

    It is below zero if the provider refunded more than it took.
    """
    payment = order.payment
    return {
        extra.intent: extra.amount - payment.extra_returned(capture_id, *_GIVEN_BACK)
        for capture_id, extra in payment.extra_captures.items()
    }


_GIVEN_BACK = (Transfer.ASKED, Transfer.DONE, Transfer.REFUSED, Transfer.WRITTEN_OFF)


def _overpaid(order: Order) -> Money:
    return max(_taken(order) - due(order), Money.zero(order.currency))


def _taken(order: Order) -> Money:
    return order.payment.taken(Transfer.ASKED, Transfer.DONE)


def _given_back(order: Order) -> Money:
    """Add up what was given back, or is about to be, of the order's own captures."""
    payment = order.payment
    of_extras = total(
        (payment.extra_returned(capture_id, *_GIVEN_BACK) for capture_id in payment.extra_captures), order.currency
    )
    return payment.returned(*_GIVEN_BACK) - of_extras + Money(order.unreturned, order.currency)
