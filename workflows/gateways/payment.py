"""The payment provider, as the order sees it: hold money, take it, let go of it, give it back.

Each call is named by its key (``order id / version of the intent``), and every attempt under a key is the same call. It
ends in one of three ways: a receipt that says done, a receipt that says no and is final, or ``PaymentsUnavailable``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.identifiers import OrderId
from domain.money import Money
from workflows.gateways.errors import Unavailable


class PaymentsUnavailable(Unavailable):
    """The provider did not answer, or the key is in use. Retryable: yes, the same call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """The provider holds ``amount`` since ``at``."""

    authorization_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The provider, or the customer's bank, holds nothing and says why, e.g. ``insufficient_funds``."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """The provider took ``amount``."""

    capture_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """The provider holds nothing any more, since ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """The provider gave ``amount`` back."""

    refund_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider will not do it, now or later; nothing changed.

    Every adapter says ``already_captured``, ``already_voided``, ``authorization_expired``, ``amount_too_high``,
    ``amount_invalid``, ``currency_mismatch``, ``unknown_authorization`` and ``unknown_capture`` for what they name;
    other reasons are the provider's own words.
    """

    reason: str
    at: datetime


class PaymentGateway(Protocol):
    """A payment provider. Every call raises ``PaymentsUnavailable`` (ask again) and ``KeyMisused`` (our bug).

    ``timeout_s`` is how long the caller waits for an answer. After it the call may still take effect.
    """

    @property
    def remembers(self) -> timedelta:
        """How long the provider answers a repeated key with its first receipt.

        Past that the adapter finds what the key did by our reference and key, which it left with the provider. So a
        repeat has no second effect at any age; only the guard against another call under the same key ends here.
        """

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        """Hold the whole amount for the order ``reference``, or nothing."""

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        """Take up to what is held. One capture closes the authorization; the provider releases the rest."""

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        """Let go of what is held. What is voided or expired already is ``Voided``, since then; captured is refused."""

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        """Give back up to what was captured and not given back yet. A capture may have several refunds."""
