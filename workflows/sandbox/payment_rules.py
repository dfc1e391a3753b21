"""The rules of the simulated payment provider: what it does, and what it refuses.

A payment method behaves like the one it begins with, so ``pm_declined_lost_card`` is declined:

| payment method            | what it does                                                                           |
|---------------------------|----------------------------------------------------------------------------------------|
| ``pm_ok``, any other      | everything works                                                                       |
| ``pm_declined``           | declined: ``card_declined``                                                            |
| ``pm_insufficient_funds`` | declined: ``insufficient_funds``                                                       |
| ``pm_expires``            | the hold expires at once: capture refused, ``authorization_expired``; a void works     |
| ``pm_capture_refused``    | capture refused: ``capture_declined``; the money stays held until it is voided         |
| ``pm_void_refused``       | void refused: ``void_declined``; the money stays held until it expires                 |
| ``pm_refund_refused``     | refund refused: ``account_closed``                                                     |
| ``pm_taken_twice``        | captures twice, and answers with the first capture alone                               |

Amounts above the limit of their currency are declined with ``amount_too_high``, those of zero or less with
``amount_invalid``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.money import Money, total
from workflows.gateways.payment import Authorized, Captured, Declined, Refunded, Refused, Voided
from workflows.sandbox.ledger import Entry, Lines, made_id
from workflows.sandbox.settings import PaymentSettings

_DECLINES = {"pm_declined": "card_declined", "pm_insufficient_funds": "insufficient_funds"}
_BEHAVIOURS = ("pm_expires", "pm_capture_refused", "pm_void_refused", "pm_refund_refused", "pm_taken_twice")
_CLOSED_AS = {"captured": "already_captured", "voided": "already_voided", "expired": "authorization_expired"}


def expires_at(hold: Entry, holds: timedelta) -> datetime:
    """Return when the hold of an ``authorized`` line expires."""
    return hold.at if _method(hold, "pm_expires") else hold.at + holds


def moved(line: Entry) -> Money:
    """Return the amount of a payment line; each has one."""
    assert line.amount is not None
    return line.amount


@dataclass(frozen=True, slots=True)
class Teller:
    """Serves the call under ``key`` at ``at``.

    The ids of what the call makes follow from its key, so that a call whose key was forgotten still finds what it made.
    """

    lines: Lines
    at: datetime
    key: str
    settings: PaymentSettings

    def authorize(self, reference: str, payment_method: str, amount: Money) -> Authorized | Declined:
        """Hold the amount, or decline with a reason."""
        line = self._made("auth")
        if line is None:
            reason = _why_declined(payment_method, amount, self.settings.limit(amount.currency))
            line = self.lines.append(
                Entry(
                    kind="declined" if reason else "authorized",
                    reference=reference,
                    id=made_id("auth", self.key),
                    key=self.key,
                    amount=amount,
                    detail=reason or _behaviour(payment_method),
                    at=self.at,
                )
            )
        if line.kind == "declined":
            return Declined(reason=line.detail, at=line.at)
        return Authorized(authorization_id=line.id, amount=moved(line), at=line.at)

    def capture(self, authorization_id: str, amount: Money) -> Captured | Refused:
        """Capture the amount and release the rest of the hold."""
        line = self._made("cap")
        if line is None:
            hold = self._hold(authorization_id)
            reason = self._why_not_captured(hold, amount)
            if hold is None or reason:
                return self._refused(reason)
            line = self._append("cap", "captured", hold, amount)
            if amount != moved(hold):
                self._append("rel", "released", hold, moved(hold) - amount)
            if _method(hold, "pm_taken_twice"):
                Teller(self.lines, self.at, f"{self.key}/again", self.settings)._append("cap", "captured", hold, amount)
        return Captured(capture_id=line.id, amount=moved(line), at=line.at)

    def void(self, authorization_id: str) -> Voided | Refused:
        """Release the hold, unless it was captured."""
        hold = self._hold(authorization_id)
        if hold is None:
            return self._refused("unknown_authorization")
        closing = self._closing(hold)
        if closing is None and _method(hold, "pm_void_refused"):
            return self._refused("void_declined")
        closing = closing or self._append("void", "voided", hold, moved(hold))
        if closing.kind == "captured":
            return self._refused("already_captured")
        return Voided(at=closing.at)

    def refund(self, capture_id: str, amount: Money) -> Refunded | Refused:
        """Refund from what was captured and not yet refunded."""
        line = self._made("ref")
        if line is None:
            capture = self.lines.find(capture_id)
            reason = self._why_not_refunded(capture, amount)
            if capture is None or reason:
                return self._refused(reason)
            line = self._append("ref", "refunded", capture, amount)
        return Refunded(refund_id=line.id, amount=moved(line), at=line.at)

    def find_capture(self, reference: str, capture_id: str) -> Captured | Refused:
        """Look up a capture of an order of which nothing was refunded."""
        line = self.lines.find(capture_id)
        if line is None or line.kind != "captured" or line.reference != reference:
            return self._refused("unknown_capture")
        if self.lines.changes(line.id):
            return self._refused("already_refunded")
        return Captured(capture_id=line.id, amount=moved(line), at=line.at)

    def _hold(self, authorization_id: str) -> Entry | None:
        line = self.lines.find(authorization_id)
        return line if line is not None and line.kind == "authorized" else None

    def _closing(self, hold: Entry) -> Entry | None:
        """Return the line that closed a hold. An expired hold gets its line now, under the key of this call."""
        closing = next((line for line in self.lines.changes(hold.id) if line.kind in _CLOSED_AS), None)
        expired_at = expires_at(hold, self.settings.holds)
        if closing is None and self.at >= expired_at:
            return self._append("exp", "expired", hold, moved(hold), at=expired_at)
        return closing

    def _why_not_captured(self, hold: Entry | None, amount: Money) -> str:
        if hold is None:
            return "unknown_authorization"
        closing = self._closing(hold)
        if closing is not None:
            return _CLOSED_AS[closing.kind]
        refused = _method(hold, "pm_capture_refused")
        return _why_not_from(moved(hold), amount) or ("capture_declined" if refused else "")

    def _why_not_refunded(self, capture: Entry | None, amount: Money) -> str:
        if capture is None or capture.kind != "captured":
            return "unknown_capture"
        refunded = total((moved(line) for line in self.lines.changes(capture.id)), moved(capture).currency)
        hold = self._hold(capture.parent)
        refused = hold is not None and _method(hold, "pm_refund_refused")
        return _why_not_from(moved(capture) - refunded, amount) or ("account_closed" if refused else "")

    def _made(self, prefix: str) -> Entry | None:
        return self.lines.find(made_id(prefix, self.key))

    def _append(self, prefix: str, kind: str, parent: Entry, amount: Money, *, at: datetime | None = None) -> Entry:
        return self.lines.append(
            Entry(
                kind=kind,
                reference=parent.reference,
                id=made_id(prefix, self.key),
                parent=parent.id,
                key=self.key,
                amount=amount,
                at=at or self.at,
            )
        )

    def _refused(self, reason: str) -> Refused:
        return Refused(reason=reason, at=self.at)


def _why_declined(payment_method: str, amount: Money, limit: Money) -> str:
    if amount.minor <= 0:
        return "amount_invalid"
    if amount > limit:
        return "amount_too_high"
    return next((reason for start, reason in _DECLINES.items() if payment_method.startswith(start)), "")


def _behaviour(payment_method: str) -> str:
    """Return what is kept of a payment method: the beginning that decides what it does, and nothing that names it."""
    return next((start for start in _BEHAVIOURS if payment_method.startswith(start)), "")


def _why_not_from(available: Money, amount: Money) -> str:
    if amount.currency != available.currency:
        return "currency_mismatch"
    if amount.minor <= 0:
        return "amount_invalid"
    return "amount_too_high" if amount > available else ""


def _method(hold: Entry, start: str) -> bool:
    return hold.detail.startswith(start)
