"""The steps of the preparation: send the ticket, take it back. Both raise KitchenUnavailable: then ask again."""

from __future__ import annotations

from domain.order.events import (
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationRequested,
    PreparationWrittenOff,
)
from domain.order.order import Order
from workflows.gateways.kitchen import KitchenGateway, TooLate
from workflows.sagas.steps.payment import TIMEOUT_S, call_key


def send_ticket(intent: PreparationRequested, version: int, order: Order, kitchen: KitchenGateway) -> None:
    """Put the ticket on the restaurant's board. Undone by taking it back.

    Safe to repeat: the kitchen knows the ticket by its key. The restaurant's answer comes through the API, so there is
    no fact to record here, and the intent stays open until it does.
    """
    assert order.placed is not None  # an order with an intent was placed
    kitchen.send_ticket(
        reference=order.order_id,
        restaurant=order.placed.restaurant,
        lines=order.placed.lines,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
    )


def cancel_ticket(
    intent: PreparationCancellationRequested, version: int, order: Order, kitchen: KitchenGateway
) -> PreparationCancelled | PreparationWrittenOff:
    """Take the ticket back, whether it arrived or not. Safe to repeat: a ticket is cancelled once.

    A meal that is cooked already is written off.
    """
    receipt = kitchen.cancel_ticket(
        ticket_key=call_key(order, intent.request), key=call_key(order, version), timeout_s=TIMEOUT_S
    )
    if isinstance(receipt, TooLate):
        return PreparationWrittenOff(answers=version, reason=receipt.reason, at=receipt.at)
    return PreparationCancelled(answers=version, at=receipt.at)
