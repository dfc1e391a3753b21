"""The payment provider as a port: authorize, capture, void, refund, and find a capture.

Each call is identified by its key (``order id / version of the intent``), and every attempt under a key is the same
call. It ends in one of three ways: a receipt of success, a final receipt of refusal, or ``PaymentsUnavailable``.

A provider answers a repeated key with its first receipt for at least 24 hours. After that its adapter must find the
effect of a key by the reference and key that it sent to the provider. So a repeat never has a second effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.identifiers import OrderId
from domain.money import Money
from workflows.gateways.errors import Unavailable


class PaymentsUnavailable(Unavailable):
    """The provider did not answer, or the first call under the key is still running. Retryable: yes, the same call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """The provider holds ``amount`` since ``at``."""

    authorization_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The provider or the customer's bank refused to hold the amount. ``reason`` is e.g. ``insufficient_funds``."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """The provider captured ``amount``, and released the rest of the hold."""

    capture_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """The provider released the hold at ``at``."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """The provider refunded ``amount``."""

    refund_id: str
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider refused the call for good. It had no effect.

    ``reason`` is, in every adapter, ``already_captured``, ``already_voided``, ``authorization_expired``,
    ``amount_too_high``, ``amount_invalid``, ``currency_mismatch``, ``unknown_authorization``, ``unknown_capture`` or
    ``already_refunded``; any other reason is the provider's own text.
    """

    reason: str
    at: datetime


class PaymentGateway(Protocol):
    """Every call raises ``PaymentsUnavailable`` (repeat the call) and ``KeyMisused`` (our bug).

    ``timeout_s`` is how long the caller waits for an answer. After that the call may still take effect.
    """

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        """Hold the whole amount for the order ``reference``, or nothing."""

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        """Capture up to the held amount. One capture closes the authorization; the provider releases the rest."""

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        """Release the hold. ``Voided`` also if it was voided or has expired before; ``Refused`` if it was captured."""

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        """Refund up to what was captured and not refunded yet. A capture may have several refunds."""

    def find_capture(self, *, reference: OrderId, capture_id: str, key: str, timeout_s: float) -> Captured | Refused:
        """Look up a capture that was made for the order ``reference`` under any key. It moves no money.

        ``Captured`` has its amount and time. ``Refused``: it is unknown or was made for another order
        (``unknown_capture``), or some of it was refunded (``already_refunded``).
        """
