"""The couriers, as the order sees them: offer a delivery, take the offer back.

Who takes the offer, and what becomes of the delivery, comes on its own through the delivery API. An offer is named by
the key of the call that made it, for as long as there are offers: no dispatcher forgets a key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identifiers import OrderId, RestaurantId
from workflows.gateways.errors import Unavailable


class CouriersUnavailable(Unavailable):
    """The dispatcher did not answer, or the key is in use. Retryable: yes, the same call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The offer is gone since ``at``, and no courier is under way for it."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLate:
    """A courier is under way and will be paid."""

    reason: str
    at: datetime


class CourierGateway(Protocol):
    """The couriers' dispatcher. Calls raise ``CouriersUnavailable`` (ask again) and ``KeyMisused`` (our bug)."""

    def offer(self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float) -> None:
        """Offer the delivery to couriers; returns when the offer stands. ``attempt`` counts the order's offers from 1.

        An offer that was withdrawn before it arrived is taken in and **never shown to a courier**, however late it is.
        """

    def withdraw(self, *, offer_key: str, key: str, timeout_s: float) -> Released | TooLate:
        """Withdraw the offer that was, or may have been, made under ``offer_key``, and release who took it.

        Part of the contract: an offer that is not there (yet) is remembered as withdrawn, and the answer is
        ``Released``. So an offer in doubt can be withdrawn without knowing whether it arrived. Withdrawing what is
        withdrawn is ``Released``, since then.
        """
