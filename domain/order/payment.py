"""The payment of an order, folded from its events: one authorization, its capture, and the refunds."""

from __future__ import annotations

from collections.abc import Mapping
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
    PaymentFound,
    PaymentIntent,
    PaymentLookupRequested,
    PaymentNotFound,
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

    ``extras`` are captures that the order did not ask for. They never pay for it: each is looked up at the provider and
    refunded. Its intent is that of the look-up; REFUSED means that the provider does not have it.

    Amounts are added up without comparing currencies, which could raise: reports in another currency are refused.
    """

    currency: str = ""
    authorization: Authorization | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    extras: tuple[Capture, ...] = ()

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
    def captured(self) -> Money:
        """All that the provider took: for the order, and as extra captures."""
        extra = sum(extra.amount.minor for extra in self.extra_captures.values())
        return Money(self.taken(Transfer.DONE).minor + extra, self.currency)

    @property
    def extra_captures(self) -> Mapping[str, Capture]:
        """The extra captures that the provider has, by their id. One that is reported as the order's own is not one."""
        if not self.extras:
            return {}
        own = {capture.capture_id for capture in self.captures if capture.state is Transfer.DONE}
        found = {extra.capture_id: extra for extra in self.extras if extra.state is Transfer.DONE}
        return {capture_id: extra for capture_id, extra in found.items() if capture_id not in own}

    def extra_returned(self, capture_id: str, *states: Transfer) -> Money:
        """Add up the refunds of this extra capture in these states."""
        refunds = (each for each in self.refunds if each.capture_id == capture_id and each.state in states)
        return Money(sum(refund.amount.minor for refund in refunds), self.currency)

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


_Lookup: TypeAlias = PaymentLookupRequested | PaymentFound | PaymentNotFound


def evolve(payment: Payment, event: PaymentIntent | PaymentFact, version: int) -> Payment:
    """Fold the event of that version."""
    if isinstance(event, _Lookup):
        return replace(payment, extras=_looked_up(payment.extras, event, version))
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
        case PaymentCaptureRefused() | PaymentRefundRefused():
            refuse = _capture if isinstance(event, PaymentCaptureRefused) else _refund
            return refuse(payment, event.answers, only_if=(Transfer.ASKED,), state=Transfer.REFUSED)
        case PaymentRefundRequested():
            refund = Refund(intent=version, amount=event.amount, capture_id=event.capture_id)
            return replace(payment, refunds=(*payment.refunds, refund))
        case PaymentRefunded():
            return _refund(payment, event.answers, state=Transfer.DONE, amount=event.amount)


def _looked_up(extras: tuple[Capture, ...], event: _Lookup, version: int) -> tuple[Capture, ...]:
    match event:
        case PaymentLookupRequested():
            reported = Capture(intent=version, asked=event.amount, amount=event.amount, capture_id=event.capture_id)
            return (*extras, reported)
        case PaymentFound():
            took = {"state": Transfer.DONE, "capture_id": event.capture_id, "amount": event.amount}
            return _changed(extras, event.answers, _ANY, took)
        case PaymentNotFound():
            return _changed(extras, event.answers, (Transfer.ASKED,), {"state": Transfer.REFUSED})


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
    extras = _changed(payment.extras, intent, (Transfer.ASKED,), {"state": Transfer.WRITTEN_OFF})
    payment = replace(payment, extras=extras)
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
