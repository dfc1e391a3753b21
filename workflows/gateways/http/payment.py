"""Payments over HTTP: a ``PaymentGateway``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from domain.identifiers import OrderId
from domain.money import Money
from workflows.clock import Clock
from workflows.gateways.http import messages
from workflows.gateways.http.messages import MoneyMessage
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
    "authorize", "/authorize", messages.AuthorizeMessage, messages.AuthorizeAnswer, Authorized, Declined
)
CAPTURE = Operation[Captured | Refused](
    "capture", "/capture", messages.CaptureMessage, messages.CaptureAnswer, Captured, Refused
)
VOID = Operation[Voided | Refused]("void", "/void", messages.VoidMessage, messages.VoidAnswer, Voided, Refused)
REFUND = Operation[Refunded | Refused](
    "refund", "/refund", messages.RefundMessage, messages.RefundAnswer, Refunded, Refused
)
FIND_CAPTURE = Operation[Captured | Refused](
    "find_capture", "/find-capture", messages.FindCaptureMessage, messages.CaptureAnswer, Captured, Refused
)
OPERATIONS = (AUTHORIZE, CAPTURE, VOID, REFUND, FIND_CAPTURE)

Receipt = TypeVar("Receipt")


class HttpPayments:
    """Every call may raise PaymentsUnavailable, CredentialRefused and KeyMisused."""

    def __init__(self, url: str, credential: Callable[[], str], clock: Clock | None = None) -> None:
        """Raises ProviderUrlRefused. ``credential`` and ``clock`` as in ``Provider``."""
        self._provider = Provider(url, credential, PaymentsUnavailable, clock=clock)

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        request = messages.AuthorizeMessage(
            reference=reference, payment_method=payment_method, amount=MoneyMessage.of(amount)
        )
        return self._checked(amount, key, self._provider.ask(AUTHORIZE, request, key=key, timeout_s=timeout_s))

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        request = messages.CaptureMessage(authorization_id=authorization_id, amount=MoneyMessage.of(amount))
        return self._checked(amount, key, self._provider.ask(CAPTURE, request, key=key, timeout_s=timeout_s))

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        request = messages.VoidMessage(authorization_id=authorization_id)
        return self._provider.ask(VOID, request, key=key, timeout_s=timeout_s)

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        request = messages.RefundMessage(capture_id=capture_id, amount=MoneyMessage.of(amount))
        return self._checked(amount, key, self._provider.ask(REFUND, request, key=key, timeout_s=timeout_s))

    def find_capture(self, *, reference: OrderId, capture_id: str, key: str, timeout_s: float) -> Captured | Refused:
        request = messages.FindCaptureMessage(reference=reference, capture_id=capture_id)
        receipt = self._provider.ask(FIND_CAPTURE, request, key=key, timeout_s=timeout_s)
        if isinstance(receipt, Captured) and receipt.capture_id != capture_id:
            raise self._provider.unusable_answer(key, "it is about another capture than was asked for")
        return receipt

    def _checked(self, requested: Money, key: str, receipt: Receipt) -> Receipt:
        """Return the receipt. One over another amount than was requested must not become a fact."""
        amount = getattr(receipt, "amount", requested)
        if amount != requested:
            raise self._provider.unusable_answer(key, f"it is about {amount}, and {requested} was requested")
        return receipt
