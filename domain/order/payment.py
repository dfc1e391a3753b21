"""The payment of an order: one authorization, its capture, and what was given back, as the events tell it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from domain.money import Money, total
from domain.order.events import (
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
from domain.replacing import replace


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


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """``intent`` is the version of the intent that asked for it, ``void`` that of an open intent to let go of it."""

    intent: int
    amount: Money
    state: Hold = Hold.ASKED
    authorization_id: str = ""
    void: int | None = None
    void_refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Money taken, or asked to be. ``amount`` is what was asked until the provider says what it took; ``forgiven``:
    what of the claim is not had is not pursued any more."""

    intent: int
    asked: Money
    amount: Money
    state: Transfer = Transfer.ASKED
    capture_id: str = ""
    forgiven: bool = False

    @property
    def waived(self) -> Money:
        """What a person let go of this claim."""
        if not self.forgiven:
            return Money.zero(self.asked.currency)
        missing = self.asked - self.amount if self.state is Transfer.DONE else self.asked
        return max(missing, Money.zero(self.asked.currency))


@dataclass(frozen=True, kw_only=True)
class Refund:
    """Money given back, or asked to be, of one capture."""

    intent: int
    amount: Money
    capture_id: str
    state: Transfer = Transfer.ASKED


_Movement = TypeVar("_Movement", Capture, Refund)
_States: TypeAlias = tuple[Transfer, ...]
_ANY: _States = tuple(Transfer)


@dataclass(frozen=True, kw_only=True)
class Payment:
    """More than one capture happens only where one was refused before, or the provider contradicts itself."""

    currency: str = ""
    authorization: Authorization | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()

    def taken(self, *states: Transfer) -> Money:
        return total((capture.amount for capture in self.captures if capture.state in states), self.currency)

    @property
    def waived(self) -> Money:
        return total((capture.waived for capture in self.captures), self.currency)

    def returned(self, *states: Transfer) -> Money:
        return total((refund.amount for refund in self.refunds if refund.state in states), self.currency)

    @property
    def capture_in_doubt(self) -> bool:
        return any(capture.state is Transfer.ASKED for capture in self.captures)

    def refundable(self) -> tuple[str, Money] | None:
        """A capture of which something can still be given back, and how much."""
        left: dict[str, Money] = {}  # by name: a provider may give two captures the same one
        for capture in self.captures:
            if capture.state is Transfer.DONE:
                left[capture.capture_id] = left.get(capture.capture_id, Money.zero(self.currency)) + capture.amount
        for refund in self.refunds:
            if refund.capture_id in left and refund.state is not Transfer.LAPSED:
                left[refund.capture_id] -= refund.amount
        return next(((capture_id, amount) for capture_id, amount in left.items() if amount.minor > 0), None)


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
            asked = payment.authorization is not None and payment.authorization.void == event.answers
            return _hold(payment, void=None, void_refused=True) if asked else payment
        case PaymentCaptureRequested():
            capture = Capture(intent=version, asked=event.amount, amount=event.amount)
            return replace(payment, captures=(*payment.captures, capture))
        case PaymentCaptured():
            took: dict[str, Any] = {"state": Transfer.DONE, "capture_id": event.capture_id, "amount": event.amount}
            return _hold(_capture(payment, event.answers, **took), state=Hold.CAPTURED, void=None)
        case PaymentCaptureRefused():
            return _capture(payment, event.answers, only_if=(Transfer.ASKED,), state=Transfer.REFUSED)
        case PaymentRefundRequested():
            refund = Refund(intent=version, amount=event.amount, capture_id=event.capture_id)
            return replace(payment, refunds=(*payment.refunds, refund))
        case PaymentRefunded():
            return _refund(payment, event.answers, state=Transfer.DONE, amount=event.amount)
        case PaymentRefundRefused():
            return _refund(payment, event.answers, only_if=(Transfer.ASKED,), state=Transfer.REFUSED)


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
    """Nothing that this intent holds or owes is pursued any more. Money that moved stays moved."""
    if payment.authorization is not None and payment.authorization.intent == intent:
        return _hold(payment, state=Hold.WRITTEN_OFF, void=None)
    unmoved = (Transfer.ASKED, Transfer.REFUSED, Transfer.LAPSED)
    payment = _refund(payment, intent, only_if=unmoved, state=Transfer.WRITTEN_OFF)
    payment = _capture(payment, intent, only_if=unmoved, state=Transfer.WRITTEN_OFF)
    return _capture(payment, intent, forgiven=True)


def _authorization_is(payment: Payment, state: Hold) -> bool:
    return payment.authorization is not None and payment.authorization.state is state


def _hold(payment: Payment, **changes: Any) -> Payment:
    if payment.authorization is None:
        return payment
    return replace(payment, authorization=replace(payment.authorization, **changes))


def _capture(payment: Payment, intent: int, *, only_if: _States = _ANY, **changes: Any) -> Payment:
    return replace(payment, captures=tuple([_changed(c, intent, only_if, changes) for c in payment.captures]))


def _refund(payment: Payment, intent: int, *, only_if: _States = _ANY, **changes: Any) -> Payment:
    return replace(payment, refunds=tuple([_changed(r, intent, only_if, changes) for r in payment.refunds]))


def _changed(movement: _Movement, intent: int, only_if: _States, changes: dict[str, Any]) -> _Movement:
    matches = movement.intent == intent and movement.state in only_if
    return replace(movement, **changes) if matches else movement
