"""Compare what the log recorded with the provider's statement, line by line, and name each difference.

A line and an event are the same if they are of the same kind and have the same id of the provider. What remains on
either side is a difference. Days are in UTC.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from domain.money import Money
from workflows.books.recorded import RecordedPayment
from workflows.books.statement import LineKind, StatementLine
from workflows.clock import timestamp

CUT_OFF: Final = timedelta(minutes=15)
"""How near to the end of the period a payment may be on the provider's next statement. A guess: clocks and batches."""


class DifferenceKind(StrEnum):
    """How the two sides differ."""

    CAPTURED_TWICE = "captured_twice"
    REFUNDED_TWICE = "refunded_twice"
    CAPTURE_MISSING = "capture_missing"
    REFUND_MISSING = "refund_missing"
    AUTHORIZATION_MISSING = "authorization_missing"
    ORDER_MISSING = "order_missing"
    AMOUNT_DIFFERS = "amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    HOLD_NOT_RELEASED = "hold_not_released"
    UNKNOWN_AUTHORIZATION = "unknown_authorization"
    UNKNOWN_CAPTURE = "unknown_capture"
    UNKNOWN_REFUND = "unknown_refund"
    UNKNOWN_RELEASE = "unknown_release"
    DUPLICATE_REFERENCE = "duplicate_reference"
    ANOTHER_DAY = "another_day"
    ANOTHER_ORDER = "another_order"
    NEAR_CUT_OFF = "near_cut_off"


_TO_DO: Mapping[DifferenceKind, str] = {
    DifferenceKind.CAPTURED_TWICE: "The customer paid twice. {refund} Ask the provider how it came about.",
    DifferenceKind.REFUNDED_TWICE: "The customer was refunded twice. Ask the provider to take {id} back.",
    DifferenceKind.CAPTURE_MISSING: "The order counts as paid. Ask the provider for capture {id}.",
    DifferenceKind.REFUND_MISSING: "The customer may still be waiting for the money. Ask the provider for refund {id}.",
    DifferenceKind.AUTHORIZATION_MISSING: "Ask the provider for authorization {id}.",
    DifferenceKind.ORDER_MISSING: "No payment of the order is in the statement. Ask whether it is on another account.",
    DifferenceKind.AMOUNT_DIFFERS: "Have the provider correct {id}; until then the difference is on provider_clearing.",
    DifferenceKind.CURRENCY_DIFFERS: "The provider used another currency. Have {id} reversed and made again.",
    DifferenceKind.HOLD_NOT_RELEASED: "The customer's money is still held. Have the provider release {id}.",
    DifferenceKind.UNKNOWN_AUTHORIZATION: "If the order is parked, retry it; else have {id} released.",
    DifferenceKind.UNKNOWN_CAPTURE: "If the order is parked, retry it: that records {id}. Otherwise: {refund}",
    DifferenceKind.UNKNOWN_REFUND: "If the order is parked, retry it: that records {id}. Else ask who made it.",
    DifferenceKind.UNKNOWN_RELEASE: "The hold is gone, and the log still counts on it. A capture will be refused.",
    DifferenceKind.DUPLICATE_REFERENCE: "One id stands on several lines. Ask the provider which of them moved money.",
    DifferenceKind.ANOTHER_DAY: "No money is missing. Book the difference between the two days as in transit.",
    DifferenceKind.ANOTHER_ORDER: "The money is booked on the wrong order at the provider. Have {id} corrected.",
    DifferenceKind.NEAR_CUT_OFF: "Look for {id} at the beginning of the next statement.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDifference:
    """One difference. ``recorded`` is the log's amount and ``stated`` the statement's; None if that side has none.

    ``row`` is that of the statement, 0 without one.
    """

    kind: DifferenceKind
    order: str
    id: str
    recorded: Money | None
    stated: Money | None
    detail: str = ""
    row: int = 0

    @property
    def to_do(self) -> str:
        extra = f"expediter order refund-extra {self.order or 'ORDER'} {self.id} --amount '{self.stated}' --reason WHY"
        return _TO_DO[self.kind].format(id=self.id or "the payment", refund=f"Refund it: {extra}.")


@dataclass(slots=True)
class Reconciliation:
    """The result: how many lines and events were compared, sums by kind and currency, and the differences."""

    lines: int
    recorded: int
    stated_sums: dict[tuple[str, str], int] = field(default_factory=dict)
    recorded_sums: dict[tuple[str, str], int] = field(default_factory=dict)
    differences: list[StatementDifference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def reconcile(lines: Sequence[StatementLine], recorded: Iterable[RecordedPayment], period: Period) -> Reconciliation:
    """Compare a statement of a period with what was recorded.

    Args:
        recorded: Of the period, and of some time before and after it: a payment outside the period counts only if a
            line names it.
    """
    payments = list(recorded)
    sides = _TwoSides(lines, payments, period)
    counted = [each for each in payments if each.at.date() in period]
    return Reconciliation(
        lines=len(lines),
        recorded=len(counted),
        stated_sums=_sums((line.kind, line.amount) for line in lines),
        recorded_sums=_sums((each.kind, each.amount) for each in counted if each.amount is not None),
        differences=sorted(sides.differences(), key=lambda each: (each.order, each.kind, each.id, each.row)),
    )


def _sums(amounts: Iterable[tuple[LineKind, Money]]) -> dict[tuple[str, str], int]:
    sums = Counter[tuple[str, str]]()
    for kind, amount in amounts:
        sums[kind.value, amount.currency] += amount.minor
    return dict(sums)


_UNKNOWN = {
    LineKind.AUTHORIZED: DifferenceKind.UNKNOWN_AUTHORIZATION,
    LineKind.CAPTURED: DifferenceKind.UNKNOWN_CAPTURE,
    LineKind.REFUNDED: DifferenceKind.UNKNOWN_REFUND,
}
_MISSING = {
    LineKind.AUTHORIZED: DifferenceKind.AUTHORIZATION_MISSING,
    LineKind.CAPTURED: DifferenceKind.CAPTURE_MISSING,
    LineKind.REFUNDED: DifferenceKind.REFUND_MISSING,
}
_TWICE = {
    LineKind.CAPTURED: DifferenceKind.CAPTURED_TWICE,
    LineKind.REFUNDED: DifferenceKind.REFUNDED_TWICE,
}
_ENDS_A_HOLD = frozenset({LineKind.VOIDED, LineKind.EXPIRED})


class _TwoSides:
    """Both sides, indexed by what they are matched by."""

    def __init__(self, lines: Sequence[StatementLine], recorded: Sequence[RecordedPayment], period: Period) -> None:
        self._period = period
        self._lines: dict[tuple[LineKind, str], list[StatementLine]] = defaultdict(list)
        for line in lines:
            self._lines[line.kind, line.id].append(line)
        self._recorded = {(each.kind, each.id): each for each in recorded if each.id}
        self._voids = {each.order: each for each in recorded if each.kind is LineKind.VOIDED}
        self._of_order: dict[str, list[RecordedPayment]] = defaultdict(list)
        for each in recorded:
            self._of_order[each.order].append(each)
        self._stated_orders = {line.order for line in lines if line.order}
        self._children: dict[str, list[StatementLine]] = defaultdict(list)
        for line in lines:
            self._children[line.parent].append(line)

    def differences(self) -> Iterator[StatementDifference]:
        for (kind, id_), lines in self._lines.items():
            yield from self._repeated(lines)
            payment = self._recorded.get((kind, id_))
            if payment is not None:
                yield from self._compared(lines[0], payment)
            elif kind in _UNKNOWN:
                yield self._unknown(lines[0])
            elif kind is LineKind.VOIDED and lines[0].order not in self._voids:
                yield _of_line(DifferenceKind.UNKNOWN_RELEASE, lines[0])
        yield from self._missing()
        yield from self._not_released()

    def _repeated(self, lines: Sequence[StatementLine]) -> Iterator[StatementDifference]:
        for line in lines[1:]:
            yield _of_line(DifferenceKind.DUPLICATE_REFERENCE, line, detail=f"also in row {lines[0].row}")

    def _compared(self, line: StatementLine, payment: RecordedPayment) -> Iterator[StatementDifference]:
        assert payment.amount is not None
        if line.amount.currency != payment.amount.currency:
            yield _of_both(DifferenceKind.CURRENCY_DIFFERS, line, payment)
        elif line.amount != payment.amount:
            yield _of_both(DifferenceKind.AMOUNT_DIFFERS, line, payment)
        if line.order and line.order != payment.order:
            yield _of_both(DifferenceKind.ANOTHER_ORDER, line, payment, detail=f"stated for {line.order}")
        if line.at.date() != payment.at.date():
            days = f"recorded {payment.at.date()}, stated {line.at.date()}"
            yield _of_both(DifferenceKind.ANOTHER_DAY, line, payment, detail=days)

    def _unknown(self, line: StatementLine) -> StatementDifference:
        """Name a line that no event explains: a second one of its kind for the same parent, or one by itself."""
        siblings = [other for other in self._children[line.parent] if other.kind is line.kind and other is not line]
        explained = [other for other in siblings if (other.kind, other.id) in self._recorded]
        if line.parent and line.kind in _TWICE and any(_repeats(line, other) for other in explained):
            detail = f"{explained[0].id} was recorded"
            return _of_line(_TWICE[line.kind], line, detail=detail)
        detail = "" if self._of_order.get(line.order) else "the log has no payment of this order"
        return _of_line(_UNKNOWN[line.kind], line, detail=detail)

    def _missing(self) -> Iterator[StatementDifference]:
        for order, payments in self._of_order.items():
            expected = [each for each in payments if each.id and each.at.date() in self._period]
            missing = [each for each in expected if (each.kind, each.id) not in self._lines]
            late = [each for each in missing if self._is_near_cut_off(each)]
            for each in late:
                yield _of_payment(DifferenceKind.NEAR_CUT_OFF, each, detail=f"recorded {timestamp(each.at)}")
            lost = [each for each in missing if each not in late]
            if lost and lost == expected and order not in self._stated_orders:
                captured = [each for each in lost if each.kind is LineKind.CAPTURED]
                kinds = ", ".join(each.kind.value for each in lost)
                yield _of_payment(DifferenceKind.ORDER_MISSING, (captured or lost)[0], detail=f"recorded: {kinds}")
            else:
                for each in lost:
                    yield _of_payment(_MISSING[each.kind], each)

    def _not_released(self) -> Iterator[StatementDifference]:
        """Find holds of which the log says that they ended, and the statement does not."""
        for (kind, id_), lines in self._lines.items():
            payment = self._recorded.get((kind, id_))
            if kind is not LineKind.AUTHORIZED or payment is None:
                continue
            left = self._still_held(lines[0], payment.order)
            if left is not None and left.minor > 0:
                yield _of_line(DifferenceKind.HOLD_NOT_RELEASED, lines[0], stated=left, order=payment.order)

    def _still_held(self, hold: StatementLine, order: str) -> Money | None:
        """Return what the statement still holds although the log ended it in the period; None if the log did not."""
        children = self._children[hold.id]
        if any(child.kind in _ENDS_A_HOLD for child in children):
            return None
        captured = [child for child in children if child.kind is LineKind.CAPTURED]
        void = self._voids.get(order)
        if void is not None and void.at.date() in self._period and not self._is_near_cut_off(void):
            ended = captured == []
        else:
            ended = any((child.kind, child.id) in self._recorded for child in captured)
        if not ended:
            return None
        closed = [self._closing(child) for child in children if child.kind in (LineKind.CAPTURED, LineKind.RELEASED)]
        same = {child.currency for child in closed} <= {hold.amount.currency}
        return Money(hold.amount.minor - sum(each.minor for each in closed), hold.amount.currency) if same else None

    def _closing(self, child: StatementLine) -> Money:
        """Return what a capture or release takes from its hold. An amount that differs is a difference of its own."""
        payment = self._recorded.get((child.kind, child.id))
        return child.amount if payment is None or payment.amount is None else payment.amount

    def _is_near_cut_off(self, payment: RecordedPayment) -> bool:
        """Whether a payment was made so late on the last day that the provider may state it on the next."""
        return payment.at.date() == self._period.last < (payment.at + CUT_OFF).date()


def _repeats(line: StatementLine, other: StatementLine) -> bool:
    """Whether a line is one too many: a hold is captured once; a refund of the same amount is a repetition."""
    return line.kind is LineKind.CAPTURED or line.amount == other.amount


def _of_line(
    kind: DifferenceKind, line: StatementLine, *, detail: str = "", stated: Money | None = None, order: str = ""
) -> StatementDifference:
    return StatementDifference(
        kind=kind,
        order=order or line.order,
        id=line.id,
        recorded=None,
        stated=stated or line.amount,
        detail=detail,
        row=line.row,
    )


def _of_payment(kind: DifferenceKind, payment: RecordedPayment, *, detail: str = "") -> StatementDifference:
    return StatementDifference(
        kind=kind, order=payment.order, id=payment.id, recorded=payment.amount, stated=None, detail=detail
    )


def _of_both(
    kind: DifferenceKind, line: StatementLine, payment: RecordedPayment, *, detail: str = ""
) -> StatementDifference:
    return StatementDifference(
        kind=kind,
        order=payment.order,
        id=line.id,
        recorded=payment.amount,
        stated=line.amount,
        detail=detail,
        row=line.row,
    )
