"""Payments over HTTP: a ``PaymentGateway``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from domain.identifiers import OrderId
from domain.money import Money
from workflows.gateways.http import messages
from workflows.gateways.http.messages import Amount
from workflows.gateways.http.provider import Operation, Provider
from workflows.gateways.payment import (
    Authorized,
    Captured,
    Declined,
    PaymentsUnavailable,
    Refunded,
    Refused,
    Voided,
)

AUTHORIZE = Operation[Authorized | Declined](
    "authorize", "/authorize", messages.Authorize, messages.Held, Authorized, Declined
)
CAPTURE = Operation[Captured | Refused]("capture", "/capture", messages.Capture, messages.Taken, Captured, Refused)
VOID = Operation[Voided | Refused]("void", "/void", messages.Void, messages.LetGo, Voided, Refused)
REFUND = Operation[Refunded | Refused]("refund", "/refund", messages.Refund, messages.GivenBack, Refunded, Refused)
OPERATIONS = (AUTHORIZE, CAPTURE, VOID, REFUND)

REMEMBERS = timedelta(hours=24)
"""The least that the protocol asks of a provider."""

Receipt = TypeVar("Receipt")


class HttpPayments:
    """Every call raises PaymentsUnavailable, CredentialRefused and KeyMisused."""

    def __init__(self, url: str, credential: Callable[[], str], *, remembers: timedelta = REMEMBERS) -> None:
        """Raises ProviderUrlRefused. ``credential`` as ``Provider`` has it."""
        self._provider = Provider(url, credential, PaymentsUnavailable)
        self._remembers = remembers

    @property
    def remembers(self) -> timedelta:
        return self._remembers

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        asked = messages.Authorize(reference=reference, payment_method=payment_method, amount=Amount.of(amount))
        return self._about(amount, key, self._provider.ask(AUTHORIZE, asked, key=key, timeout_s=timeout_s))

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        asked = messages.Capture(authorization_id=authorization_id, amount=Amount.of(amount))
        return self._about(amount, key, self._provider.ask(CAPTURE, asked, key=key, timeout_s=timeout_s))

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        asked = messages.Void(authorization_id=authorization_id)
        return self._provider.ask(VOID, asked, key=key, timeout_s=timeout_s)

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        asked = messages.Refund(capture_id=capture_id, amount=Amount.of(amount))
        return self._about(amount, key, self._provider.ask(REFUND, asked, key=key, timeout_s=timeout_s))

    def _about(self, asked: Money, key: str, receipt: Receipt) -> Receipt:
        """A receipt over another amount than was asked is none for this call, and must not become a fact."""
        moved = getattr(receipt, "amount", asked)
        if moved != asked:
            raise self._provider.not_understood(key, f"it is about {moved}, and {asked} was asked")
        return receipt
