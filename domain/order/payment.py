"""The payment of an order, folded from its events: one authorization, its capture, and the refunds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from domain.fast_replace import replace
from domain.money import Money
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


class Hold(StrEnum):
    """The state of an authorization. ASKED is in doubt: the call may have succeeded."""

    __hash__ = str.__hash__  # that of Enum is Python code, and folding looks states up several times an event

    ASKED = "asked"
    HELD = "held"
    DECLINED = "declined"
    CAPTURED = "captured"
    VOIDED = "voided"
    WRITTEN_OFF = "written_off"


class Transfer(StrEnum):
    """The state of a capture or refund. ASKED is in doubt. LAPSED was refused in an earlier run."""

    __hash__ = str.__hash__  # that of Enum is Python code, and folding looks states up several times an event

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WRITTEN_OFF = "written_off"


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """``intent`` is the version of the intent that requested it, ``void`` that of an open intent to release it."""

    intent: int
    amount: Money
    state: Hold = Hold.ASKED
    authorization_id: str = ""
    void: int | None = None
    void_refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Money that was captured or is being captured.

    ``amount`` is the requested amount (``asked``) until the provider reports what it took. ``forgiven``: the
    uncollected part was written off.
    """

    intent: int
    asked: Money
    amount: Money
    state: Transfer = Transfer.ASKED
    capture_id: str = ""
    forgiven: bool = False

    @property
    def waived_minor(self) -> int:
        """The uncollected part, in minor units, if it was written off."""
        if not self.forgiven:
            return 0
        return max(self.asked.minor - (self.amount.minor if self.state is Transfer.DONE else 0), 0)


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A part of one capture that was refunded or is being refunded."""

    intent: int
    amount: Money
    capture_id: str
    state: Transfer = Transfer.ASKED


_Movement = TypeVar("_Movement", Capture, Refund)
_States: TypeAlias = tuple[Transfer, ...]
_ANY: _States = tuple(Transfer)


@dataclass(frozen=True, kw_only=True)
class Payment:
    """There is more than one capture only if an earlier one was refused or the provider contradicts itself.

    Amounts are added up without comparing currencies, which could raise: reports in another currency are refused.
    """

    currency: str = ""
    authorization: Authorization | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()

    def taken(self, *states: Transfer) -> Money:
        """Add up the captures in these states."""
        if not self.captures:  # as for most of an order's life
            return Money.zero(self.currency)
        return Money(sum(capture.amount.minor for capture in self.captures if capture.state in states), self.currency)

    @property
    def waived(self) -> Money:
        """What was written off of all captures."""
        if not self.captures:
            return Money.zero(self.currency)
        return Money(sum(capture.waived_minor for capture in self.captures), self.currency)

    def returned(self, *states: Transfer) -> Money:
        """Add up the refunds in these states."""
        if not self.refunds:
            return Money.zero(self.currency)
        return Money(sum(refund.amount.minor for refund in self.refunds if refund.state in states), self.currency)

    @property
    def capture_in_doubt(self) -> bool:
        return any(capture.state is Transfer.ASKED for capture in self.captures)

    def refundable(self) -> tuple[str, Money] | None:
        """Find a capture that can still be refunded: its id and the amount left."""
        left: dict[str, Money] = {}  # by id: a provider may give two captures the same one
        for capture in self.captures:
            if capture.state is Transfer.DONE:
                left[capture.capture_id] = left.get(capture.capture_id, Money.zero(self.currency)) + capture.amount
        for refund in self.refunds:
            if refund.capture_id in left and refund.state is not Transfer.LAPSED:
                left[refund.capture_id] -= refund.amount
        return next(((capture_id, amount) for capture_id, amount in left.items() if amount.minor > 0), None)


def evolve(payment: Payment, event: PaymentIntent | PaymentFact, version: int) -> Payment:
    """Fold the event of that version."""
    match event:
        case PaymentAuthorizationRequested():
            return replace(payment, authorization=Authorization(intent=version, amount=event.amount))
        case PaymentAuthorized():
            return _hold(payment, state=Hold.HELD, authorization_id=event.authorization_id, amount=event.amount)
        case PaymentCaptureRequested():
            capture = Capture(intent=version, asked=event.amount, amount=event.amount)
            return replace(payment, captures=(*payment.captures, capture))
        case PaymentCaptured():
            took: dict[str, Any] = {"state": Transfer.DONE, "capture_id": event.capture_id, "amount": event.amount}
            captures = _changed(payment.captures, event.answers, _ANY, took)
            return replace(payment, captures=captures, authorization=_held(payment, state=Hold.CAPTURED, void=None))
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
    """Let a new run request again what was refused before it."""

    def lapsed(state: Transfer) -> Transfer:
        return Transfer.LAPSED if state is Transfer.REFUSED else state

    return replace(
        payment if payment.authorization is None else _hold(payment, void_refused=False),
        captures=tuple(replace(capture, state=lapsed(capture.state)) for capture in payment.captures),
        refunds=tuple(replace(refund, state=lapsed(refund.state)) for refund in payment.refunds),
    )


def write_off(payment: Payment, intent: int) -> Payment:
    """Give up what this intent holds or still has to move. Money that was moved stays moved."""
    if payment.authorization is not None and payment.authorization.intent == intent:
        return _hold(payment, state=Hold.WRITTEN_OFF, void=None)
    unmoved = (Transfer.ASKED, Transfer.REFUSED, Transfer.LAPSED)
    payment = _refund(payment, intent, only_if=unmoved, state=Transfer.WRITTEN_OFF)
    payment = _capture(payment, intent, only_if=unmoved, state=Transfer.WRITTEN_OFF)
    return _capture(payment, intent, forgiven=True)


def _authorization_is(payment: Payment, state: Hold) -> bool:
    return payment.authorization is not None and payment.authorization.state is state


def _hold(payment: Payment, **changes: Any) -> Payment:
    return payment if payment.authorization is None else replace(payment, authorization=_held(payment, **changes))


def _held(payment: Payment, **changes: Any) -> Authorization | None:
    return None if payment.authorization is None else replace(payment.authorization, **changes)


def _capture(payment: Payment, intent: int, *, only_if: _States = _ANY, **changes: Any) -> Payment:
    return replace(payment, captures=_changed(payment.captures, intent, only_if, changes))


def _refund(payment: Payment, intent: int, *, only_if: _States = _ANY, **changes: Any) -> Payment:
    return replace(payment, refunds=_changed(payment.refunds, intent, only_if, changes))


def _changed(
    movements: tuple[_Movement, ...], intent: int, only_if: _States, changes: dict[str, Any]
) -> tuple[_Movement, ...]:
    """Change the movement of this intent, if it is in one of these states."""
    return tuple([replace(m, **changes) if m.intent == intent and m.state in only_if else m for m in movements])
