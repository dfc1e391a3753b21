"""The payment of an order: one authorization, its capture, and what was given back, as the events tell it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeAlias

from domain.events import (
    PaymentAuthorizationRequested,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentCaptureRefused,
    PaymentCaptureRequested,
    PaymentDeclined,
    PaymentFact,
    PaymentIntent,
    PaymentRefunded,
    PaymentRefundRefused,
    PaymentRefundRequested,
    PaymentVoided,
    PaymentVoidRefused,
    PaymentVoidRequested,
)
from domain.money import Money, total


class Hold(StrEnum):
    """Where an authorization is. ASKED is in doubt: it may have happened."""

    ASKED = "asked"
    HELD = "held"
    DECLINED = "declined"
    CAPTURED = "captured"
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"


class Transfer(StrEnum):
    """Where a capture or a refund is. ASKED is in doubt; LAPSED was refused, and a later run asks anew."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """``intent`` is the version of the intent that asked for it, ``void`` that of an open intent to let go of it."""

    intent: int
    amount: Money
    state: Hold = Hold.ASKED
    authorization_id: str = ""
    void: int | None = None
    void_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Money taken, or asked to be."""

    intent: int
    amount: Money
    state: Transfer = Transfer.ASKED
    capture_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back, or asked to be, of one capture."""

    intent: int
    amount: Money
    capture_id: str
    state: Transfer = Transfer.ASKED


Movement: TypeAlias = Capture | Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """More than one capture happens only where one was refused before, or the provider contradicts itself."""

    currency: str = ""
    authorization: Authorization | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()

    def taken(self, *states: Transfer) -> Money:
        return total((capture.amount for capture in self.captures if capture.state in states), self.currency)

    def returned(self, *states: Transfer) -> Money:
        return total((refund.amount for refund in self.refunds if refund.state in states), self.currency)

    @property
    def capture_in_doubt(self) -> bool:
        return any(capture.state is Transfer.ASKED for capture in self.captures)

    def refundable(self) -> tuple[str, Money] | None:
        """A capture of which something can still be given back, and how much."""
        for capture in self.captures:
            if capture.state is not Transfer.DONE:
                continue
            gone = total(
                (
                    r.amount
                    for r in self.refunds
                    if r.capture_id == capture.capture_id and r.state is not Transfer.LAPSED
                ),
                self.currency,
            )
            if capture.amount > gone:
                return capture.capture_id, capture.amount - gone
        return None


def evolve(payment: Payment, event: PaymentIntent | PaymentFact, version: int) -> Payment:
    """The payment after the event of that version."""
    match event:
        case PaymentAuthorizationRequested():
            return replace(payment, authorization=Authorization(intent=version, amount=event.amount))
        case PaymentAuthorized():
            return _hold(payment, state=Hold.HELD, authorization_id=event.authorization_id, amount=event.amount)
        case PaymentDeclined():
            return _hold(payment, state=Hold.DECLINED) if _authorization_is(payment, Hold.ASKED) else payment
        case PaymentVoidRequested():
            return _hold(payment, void=version)
        case PaymentVoided():
            return _hold(
                payment, void=None, **({"state": Hold.VOIDED} if _authorization_is(payment, Hold.HELD) else {})
            )
        case PaymentVoidRefused():
            return _hold(payment, void=None, void_refused=True)
        case PaymentCaptureRequested():
            return replace(payment, captures=(*payment.captures, Capture(intent=version, amount=event.amount)))
        case PaymentCaptured():
            captured = _capture(payment, event.answers, Transfer.DONE, event.capture_id)
            return _hold(captured, state=Hold.CAPTURED, void=None)
        case PaymentCaptureRefused():
            return _capture(payment, event.answers, Transfer.REFUSED, "")
        case PaymentRefundRequested():
            refund = Refund(intent=version, amount=event.amount, capture_id=event.capture_id)
            return replace(payment, refunds=(*payment.refunds, refund))
        case PaymentRefunded():
            return _refund(payment, event.answers, Transfer.DONE)
        case PaymentRefundRefused():
            return _refund(payment, event.answers, Transfer.REFUSED)


def lapse_refusals(payment: Payment) -> Payment:
    """A new run asks again for what was refused before it."""

    def lapsed(state: Transfer) -> Transfer:
        return Transfer.LAPSED if state is Transfer.REFUSED else state

    return replace(
        payment if payment.authorization is None else _hold(payment, void_refused=False),
        captures=tuple(replace(capture, state=lapsed(capture.state)) for capture in payment.captures),
        refunds=tuple(replace(refund, state=lapsed(refund.state)) for refund in payment.refunds),
    )


def write_off(payment: Payment, intent: int) -> Payment:
    """Nothing that this intent holds or owes is pursued any more."""
    if payment.authorization is not None and payment.authorization.intent == intent:
        return _hold(payment, state=Hold.WRITTEN_OFF, void=None)
    return _refund(_capture(payment, intent, Transfer.WRITTEN_OFF, ""), intent, Transfer.WRITTEN_OFF)


def _authorization_is(payment: Payment, state: Hold) -> bool:
    return payment.authorization is not None and payment.authorization.state is state


def _hold(payment: Payment, **changes: Any) -> Payment:
    if payment.authorization is None:
        return payment
    return replace(payment, authorization=replace(payment.authorization, **changes))


def _capture(payment: Payment, intent: int, state: Transfer, capture_id: str) -> Payment:
    return replace(
        payment,
        captures=tuple(
            replace(capture, state=state, capture_id=capture_id) if capture.intent == intent else capture
            for capture in payment.captures
        ),
    )


def _refund(payment: Payment, intent: int, state: Transfer) -> Payment:
    return replace(
        payment,
        refunds=tuple(
            replace(refund, state=state) if refund.intent == intent and refund.state is not Transfer.DONE else refund
            for refund in payment.refunds
        ),
    )
