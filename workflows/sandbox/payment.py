"""Simulates a payment provider, with the rules of a bank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from domain.identifiers import OrderId
from domain.money import Money, total
from workflows.gateways.payment import (
    Authorized,
    Captured,
    Declined,
    PaymentsUnavailable,
    Refunded,
    Refused,
    Voided,
)
from workflows.sandbox.counterparty import Counterparty, Receipt, Surroundings
from workflows.sandbox.ledger import Entry, Ledger, ProviderCall
from workflows.sandbox.payment_rules import Teller, expires_at, moved
from workflows.sandbox.settings import PaymentSettings
from workflows.sqlite.database import Database

_RECEIPTS = (Authorized, Declined, Captured, Voided, Refunded, Refused)
_RELEASING = frozenset({"released", "voided", "expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPosition:
    """An order's money at the provider: ``authorized == held + captured + released``, ``refunded <= captured``.

    A payment that was taken twice is in ``captured`` twice.
    """

    authorized: Money
    held: Money
    captured: Money
    released: Money
    refunded: Money


class SandboxPayments(Counterparty):
    """A ``PaymentGateway``. Its rules and the test payment methods are in ``payment_rules``."""

    def __init__(self, database: Database, settings: PaymentSettings, surroundings: Surroundings) -> None:
        ledger = Ledger(database, "payment", _RECEIPTS, remembers=settings.remembers)
        super().__init__(ledger, settings.network, surroundings, PaymentsUnavailable)
        self._settings = settings

    def authorize(
        self, *, reference: OrderId, payment_method: str, amount: Money, key: str, timeout_s: float
    ) -> Authorized | Declined:
        # The file of the sandbox is in the engine's folder, and must not name a customer who was erased.
        fingerprint = sha256(f"{key}/{payment_method}".encode()).hexdigest()
        parameters = {"reference": reference, "payment_method": fingerprint, "amount": amount}
        call = ProviderCall(key, "authorize", parameters)
        return self._serve(call, timeout_s, lambda teller: teller.authorize(reference, payment_method, amount))

    def capture(self, *, authorization_id: str, amount: Money, key: str, timeout_s: float) -> Captured | Refused:
        call = ProviderCall(key, "capture", {"authorization_id": authorization_id, "amount": amount})
        return self._serve(call, timeout_s, lambda teller: teller.capture(authorization_id, amount))

    def void(self, *, authorization_id: str, key: str, timeout_s: float) -> Voided | Refused:
        call = ProviderCall(key, "void", {"authorization_id": authorization_id})
        return self._serve(call, timeout_s, lambda teller: teller.void(authorization_id))

    def refund(self, *, capture_id: str, amount: Money, key: str, timeout_s: float) -> Refunded | Refused:
        call = ProviderCall(key, "refund", {"capture_id": capture_id, "amount": amount})
        return self._serve(call, timeout_s, lambda teller: teller.refund(capture_id, amount))

    def find_capture(self, *, reference: OrderId, capture_id: str, key: str, timeout_s: float) -> Captured | Refused:
        call = ProviderCall(key, "find_capture", {"reference": reference, "capture_id": capture_id})
        return self._serve(call, timeout_s, lambda teller: teller.find_capture(reference, capture_id))

    def position(self, reference: str) -> PaymentPosition | None:
        """Return where the money of an order is now; None if it was never authorized.

        An expired hold counts as released from that moment, although its line is only written by the next call for it.
        """
        lines = self.entries(reference)
        holds = [line for line in lines if line.kind == "authorized"]
        if not holds:
            return None
        closed, now = {line.parent for line in lines}, self._clock.now()
        open_holds = [hold for hold in holds if hold.id not in closed]
        expired = [hold for hold in open_holds if now >= expires_at(hold, self._settings.holds)]
        currency = moved(holds[0]).currency
        return PaymentPosition(
            authorized=_sum(holds, currency),
            held=_sum([hold for hold in open_holds if hold not in expired], currency),
            captured=_sum([line for line in lines if line.kind == "captured"], currency),
            released=_sum([*(line for line in lines if line.kind in _RELEASING), *expired], currency),
            refunded=_sum([line for line in lines if line.kind == "refunded"], currency),
        )

    def _serve(self, call: ProviderCall, timeout_s: float, serve: Callable[[Teller], Receipt]) -> Receipt:
        return self._call(call, timeout_s, lambda lines, at: serve(Teller(lines, at, call.key, self._settings)))


def _sum(lines: Sequence[Entry], currency: str) -> Money:
    return total((moved(line) for line in lines), currency)
