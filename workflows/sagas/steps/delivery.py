"""The steps of the delivery: offer it, withdraw an offer. Both raise CouriersUnavailable; the machine retries."""

from __future__ import annotations

from domain.order.events import (
    CourierOffered,
    CourierReleased,
    CourierReleaseRequested,
    CourierRequested,
    CourierWrittenOff,
)
from domain.order.order import Order
from workflows.gateways.courier import CourierGateway
from workflows.gateways.receipts import TooLate
from workflows.sagas.steps.payment import TIMEOUT_S, call_key


def offer_delivery(
    intent: CourierRequested, version: int, order: Order, couriers: CourierGateway
) -> CourierOffered | None:
    """Offer the delivery to couriers. Undone by withdrawing the offer.

    Safe to repeat: the dispatcher identifies the offer by its key. The courier's answer arrives through the delivery
    API, and the intent stays open until then.

    Returns:
        The couriers that the offer was made to; None if any courier may accept it.
    """
    assert order.placed is not None  # an order with an intent was placed
    offered = couriers.offer(
        reference=order.order_id,
        restaurant=order.placed.restaurant,
        attempt=intent.attempt,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
    )
    if offered is None or not offered.couriers:
        return None
    return CourierOffered(answers=version, couriers=offered.couriers, at=offered.at)


def withdraw_offer(
    intent: CourierReleaseRequested, version: int, order: Order, couriers: CourierGateway
) -> CourierReleased | CourierWrittenOff:
    """Withdraw the offer, whether it arrived or not, and release its courier. Safe to repeat: it is withdrawn once.

    A courier who is under way already is written off.
    """
    receipt = couriers.withdraw(
        offer_key=call_key(order, intent.request), key=call_key(order, version), timeout_s=TIMEOUT_S
    )
    if isinstance(receipt, TooLate):
        return CourierWrittenOff(answers=version, reason=receipt.reason, at=receipt.at)
    return CourierReleased(answers=version, at=receipt.at)
