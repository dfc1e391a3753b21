"""The restaurants, as the order sees them: send a ticket, take it back.

The restaurant's own answers (accepted, ready, ...) come on their own, through the preparation API. A ticket is named by
the key of the call that sent it, for as long as there are tickets: no kitchen forgets a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identifiers import OrderId, RestaurantId
from domain.order.events import Line
from workflows.gateways.errors import Unavailable


class KitchenUnavailable(Unavailable):
    """The restaurant's system did not answer, or the key is in use. Retryable: yes, the same call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The ticket is off the board since ``at`` and will not be cooked."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """The meal is cooked already."""

    reason: str
    at: datetime


class KitchenGateway(Protocol):
    """The restaurants' order system. Calls raise ``KitchenUnavailable`` (ask again) and ``KeyMisused`` (our bug)."""

    def send_ticket(
        self, *, reference: OrderId, restaurant: RestaurantId, lines: Sequence[Line], key: str, timeout_s: float
    ) -> None:
        """Put a ticket on the restaurant's board; returns when it is there.

        A ticket that was cancelled before it arrived is taken in and **never cooked**, however late it comes.
        """

    def cancel_ticket(self, *, ticket_key: str, key: str, timeout_s: float) -> Cancelled | TooLate:
        """Take the ticket that was, or may have been, sent under ``ticket_key`` off the board.

        Part of the contract: a ticket that is not there (yet) is remembered as cancelled, and the answer is
        ``Cancelled``. So a ticket whose sending is in doubt can be cancelled without knowing whether it arrived.
        Cancelling what is cancelled is ``Cancelled``, since then.
        """
