"""Each way in which a provider's statement can differ from the log is named, with order, amounts and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.money import Money
from workflows.books.reconciliation import DifferenceKind, Period, StatementDifference, reconcile
from workflows.books.recorded import RecordedPayment
from workflows.books.statement import LineKind, StatementLine

DAY = date(2026, 5, 4)
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
PERIOD = Period(DAY, DAY)
Lines = list[StatementLine]


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


def line(kind: LineKind, id_: str, amount: Money, *, parent: str = "", order: str = "ord_a") -> StatementLine:
    return StatementLine(kind=kind, id=id_, parent=parent, order=order, amount=amount, at=NOON)


def payment(kind: LineKind, id_: str, amount: Money | None, order: str = "ord_a") -> RecordedPayment:
    return RecordedPayment(kind=kind, order=order, version=1, id=id_, amount=amount, at=NOON)


RECORDED = [
    payment(LineKind.AUTHORIZED, "auth_a", eur("40.00")),
    payment(LineKind.CAPTURED, "cap_a", eur("35.00")),
    payment(LineKind.REFUNDED, "ref_a", eur("5.00")),
    payment(LineKind.AUTHORIZED, "auth_b", eur("20.00"), "ord_b"),
    payment(LineKind.VOIDED, "", None, "ord_b"),
]
"""Order a was captured in part and refunded in part; order b was cancelled."""


def stated() -> Lines:
    return [
        line(LineKind.AUTHORIZED, "auth_a", eur("40.00")),
        line(LineKind.CAPTURED, "cap_a", eur("35.00"), parent="auth_a"),
        line(LineKind.RELEASED, "rel_a", eur("5.00"), parent="auth_a"),
        line(LineKind.REFUNDED, "ref_a", eur("5.00"), parent="cap_a"),
        line(LineKind.AUTHORIZED, "auth_b", eur("20.00"), order="ord_b"),
        line(LineKind.VOIDED, "void_b", eur("20.00"), parent="auth_b", order="ord_b"),
    ]


def differences(lines: Lines, recorded: list[RecordedPayment] = RECORDED) -> list[StatementDifference]:
    return reconcile(lines, recorded, PERIOD).differences


def changed(id_: str, **changes: object) -> Lines:
    return [replace(each, **changes) if each.id == id_ else each for each in stated()]


def without(*ids: str) -> Lines:
    return [each for each in stated() if each.id not in ids]


def test_a_statement_that_agrees_has_no_differences():
    """Both sides add up to the same."""
    result = reconcile(stated(), RECORDED, PERIOD)
    assert result.differences == []
    for kind in ("authorized", "captured", "refunded"):
        assert result.stated_sums[kind, "EUR"] == result.recorded_sums[kind, "EUR"]


PLANTED: dict[DifferenceKind, Callable[[], tuple[Lines, str, str, str | None, str | None]]] = {
    DifferenceKind.CAPTURED_TWICE: lambda: (
        [*stated(), line(LineKind.CAPTURED, "cap_2", eur("35.00"), parent="auth_a")],
        *("ord_a", "cap_2", None, "35.00 EUR"),
    ),
    DifferenceKind.REFUNDED_TWICE: lambda: (
        [*stated(), line(LineKind.REFUNDED, "ref_2", eur("5.00"), parent="cap_a")],
        *("ord_a", "ref_2", None, "5.00 EUR"),
    ),
    DifferenceKind.CAPTURE_MISSING: lambda: (without("cap_a"), "ord_a", "cap_a", "35.00 EUR", None),
    DifferenceKind.REFUND_MISSING: lambda: (without("ref_a"), "ord_a", "ref_a", "5.00 EUR", None),
    DifferenceKind.AUTHORIZATION_MISSING: lambda: (without("auth_a"), "ord_a", "auth_a", "40.00 EUR", None),
    DifferenceKind.ORDER_MISSING: lambda: (
        without("auth_a", "cap_a", "rel_a", "ref_a"),
        *("ord_a", "cap_a", "35.00 EUR", None),
    ),
    DifferenceKind.AMOUNT_DIFFERS: lambda: (
        changed("cap_a", amount=eur("34.99")),
        *("ord_a", "cap_a", "35.00 EUR", "34.99 EUR"),
    ),
    DifferenceKind.CURRENCY_DIFFERS: lambda: (
        changed("cap_a", amount=Money(3500, "USD")),
        *("ord_a", "cap_a", "35.00 EUR", "35.00 USD"),
    ),
    DifferenceKind.HOLD_NOT_RELEASED: lambda: (without("void_b"), "ord_b", "auth_b", None, "20.00 EUR"),
    DifferenceKind.UNKNOWN_AUTHORIZATION: lambda: (
        [*stated(), line(LineKind.AUTHORIZED, "auth_c", eur("9.00"), order="ord_c")],
        *("ord_c", "auth_c", None, "9.00 EUR"),
    ),
    DifferenceKind.UNKNOWN_CAPTURE: lambda: (
        [*stated(), line(LineKind.CAPTURED, "cap_c", eur("9.00"), parent="auth_c", order="ord_c")],
        *("ord_c", "cap_c", None, "9.00 EUR"),
    ),
    DifferenceKind.UNKNOWN_REFUND: lambda: (
        [*stated(), line(LineKind.REFUNDED, "ref_2", eur("3.00"), parent="cap_a")],
        *("ord_a", "ref_2", None, "3.00 EUR"),
    ),
    DifferenceKind.UNKNOWN_RELEASE: lambda: (
        [*stated(), line(LineKind.VOIDED, "void_c", eur("9.00"), parent="auth_c", order="ord_c")],
        *("ord_c", "void_c", None, "9.00 EUR"),
    ),
    DifferenceKind.DUPLICATE_REFERENCE: lambda: (
        [*stated(), line(LineKind.CAPTURED, "cap_a", eur("35.00"), parent="auth_a")],
        *("ord_a", "cap_a", None, "35.00 EUR"),
    ),
    DifferenceKind.ANOTHER_DAY: lambda: (
        changed("cap_a", at=NOON + timedelta(days=1)),
        *("ord_a", "cap_a", "35.00 EUR", "35.00 EUR"),
    ),
    DifferenceKind.ANOTHER_ORDER: lambda: (
        changed("ref_a", order="ord_b"),
        *("ord_a", "ref_a", "5.00 EUR", "5.00 EUR"),
    ),
}


@pytest.mark.parametrize("kind", PLANTED, ids=lambda kind: kind.value)
def test_a_planted_difference_is_named_with_its_order_and_both_amounts(kind: DifferenceKind):
    """It is the only one that is found: one fault is not reported as several."""
    lines, order, id_, recorded, stated_amount = PLANTED[kind]()
    [found] = differences(lines)
    assert found.kind is kind
    assert (found.order, found.id) == (order, id_)
    assert (found.recorded and str(found.recorded), found.stated and str(found.stated)) == (recorded, stated_amount)
    assert found.to_do


def test_a_payment_just_before_midnight_may_be_on_the_next_statement():
    """It is named, so that the next statement is searched for it, and is not called lost."""
    late = replace(RECORDED[2], at=datetime(2026, 5, 4, 23, 59, 58, tzinfo=UTC))
    [found] = differences(without("ref_a"), [*RECORDED[:2], late, *RECORDED[3:]])
    assert found.kind is DifferenceKind.NEAR_CUT_OFF


def test_a_payment_of_the_day_before_that_is_stated_today_is_on_another_day():
    """The statement of yesterday lacked it; the one of today has it."""
    yesterday = replace(RECORDED[1], at=datetime(2026, 5, 3, 23, 59, 59, tzinfo=UTC))
    [found] = differences(stated(), [RECORDED[0], yesterday, *RECORDED[2:]])
    assert (found.kind, found.detail) == (DifferenceKind.ANOTHER_DAY, "recorded 2026-05-03, stated 2026-05-04")


def test_the_rest_of_a_hold_that_was_not_released_after_the_capture_is_named():
    """The customer cannot use that money."""
    [found] = differences(without("rel_a"))
    assert (found.kind, found.id, str(found.stated)) == (DifferenceKind.HOLD_NOT_RELEASED, "auth_a", "5.00 EUR")


def test_payments_outside_the_period_are_no_differences():
    """A statement of one day lacks those of the day before."""
    before = [replace(each, at=NOON - timedelta(days=1)) for each in RECORDED]
    assert differences([], before) == []


def test_every_kind_of_difference_is_planted_by_a_test():
    """A new kind needs its test."""
    assert set(DifferenceKind) == {*PLANTED, DifferenceKind.NEAR_CUT_OFF}
