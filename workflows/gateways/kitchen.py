"""The restaurants' order system as a port: send a ticket, cancel it.

The restaurant's reports (accepted, ready, ...) arrive through the preparation API. A ticket is identified by the key of
the call that sent it. The order system keeps these keys for good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identifiers import OrderId, RestaurantId
from domain.order.events import Line
from workflows.gateways.errors import Unavailable
from workflows.gateways.receipts import TooLate


class KitchenUnavailable(Unavailable):
    """The order system did not answer, or the first call under the key is still running.

    Retryable: yes, the same call.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The ticket was taken off the board at ``at`` and will not be cooked."""

    at: datetime


class KitchenGateway(Protocol):
    """Calls raise ``KitchenUnavailable`` (repeat the call) and ``KeyMisused`` (our bug)."""

    def send_ticket(
        self,
        *,
        reference: OrderId,
        restaurant: RestaurantId,
        lines: Sequence[Line],
        key: str,
        timeout_s: float,
        note: str = "",
    ) -> None:
        """Put a ticket on the restaurant's board. Returns when it is there.

        Args:
            note: What the customer wrote for the kitchen; empty if nothing.

        The contract: a ticket that was cancelled before it arrived is accepted and **never cooked**. The note does not
        identify the call: a repeat may lack it, because the customer was erased meanwhile, and is the same ticket.
        """

    def cancel_ticket(self, *, ticket_key: str, key: str, timeout_s: float) -> Cancelled | TooLate:
        """Take the ticket that was sent under ``ticket_key`` off the board.

        The contract: a ticket that the order system does not have (yet) is recorded as cancelled, and the answer is
        ``Cancelled``. So a ticket in doubt can be cancelled without knowing whether it arrived. Cancelling it again
        gives the same ``Cancelled``.
        """
