"""The steps of the preparation: send the ticket, cancel it. Both raise KitchenUnavailable; the machine retries."""

from __future__ import annotations

from domain.order.events import (
    PreparationCancellationRequested,
    PreparationCancelled,
    PreparationRequested,
    PreparationWrittenOff,
)
from domain.order.order import Order
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.receipts import TooLate
from workflows.sagas.steps.payment import TIMEOUT_S, call_key


def send_ticket(
    intent: PreparationRequested, version: int, order: Order, kitchen: KitchenGateway, *, note: str
) -> None:
    """Put the ticket on the restaurant's board. Undone by cancelling it.

    Safe to repeat: the kitchen identifies the ticket by its key. The restaurant's answer arrives through the
    preparation API, so there is no fact to record here, and the intent stays open until then. A repeat lacks the
    customer's note if the customer was erased meanwhile, and is still the same ticket.
    """
    assert order.placed is not None  # an order with an intent was placed
    kitchen.send_ticket(
        reference=order.order_id,
        restaurant=order.placed.restaurant,
        lines=order.placed.lines,
        key=call_key(order, version),
        timeout_s=TIMEOUT_S,
        note=note,
    )


def cancel_ticket(
    intent: PreparationCancellationRequested, version: int, order: Order, kitchen: KitchenGateway
) -> PreparationCancelled | PreparationWrittenOff:
    """Cancel the ticket, whether it arrived or not. Safe to repeat: it is cancelled once.

    A meal that is cooked already is written off.
    """
    receipt = kitchen.cancel_ticket(
        ticket_key=call_key(order, intent.request), key=call_key(order, version), timeout_s=TIMEOUT_S
    )
    if isinstance(receipt, TooLate):
        return PreparationWrittenOff(answers=version, reason=receipt.reason, at=receipt.at)
    return PreparationCancelled(answers=version, at=receipt.at)
