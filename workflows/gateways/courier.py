"""The couriers' dispatcher as a port: offer a delivery, withdraw the offer.

Reports about the courier and the delivery arrive through the delivery API. An offer is identified by the key of the
call that made it. The dispatcher keeps these keys for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identifiers import CourierId, OrderId, RestaurantId
from workflows.gateways.errors import Unavailable
from workflows.gateways.receipts import TooLate


class CouriersUnavailable(Unavailable):
    """The dispatcher did not answer, or the first call under the key is still running.

    Retryable: yes, the same call.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The offer was withdrawn at ``at``, and no courier is under way for it."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The offer was made to these couriers and to no others."""

    couriers: tuple[CourierId, ...]
    at: datetime


class CourierGateway(Protocol):
    """Calls raise ``CouriersUnavailable`` (repeat the call) and ``KeyMisused`` (our bug)."""

    def offer(
        self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float
    ) -> Offered | None:
        """Offer the delivery to couriers. Returns when the dispatcher has the offer: None if any courier may accept it.

        The contract: an offer that was withdrawn before it arrived is accepted and **never shown to a courier**.

        Args:
            attempt: The number of the offer within the order, from 1.
        """

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        """Withdraw the offer that was made under ``offer_key``, and release the courier who accepted it.

        The contract: an offer that the dispatcher does not have (yet) is recorded as withdrawn, and the answer is
        ``Released``. So an offer in doubt can be withdrawn without knowing whether it arrived. Withdrawing it again
        gives the same ``Released``.
        """
