"""Fetch what an engine recorded about payments, and compare it with a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.identifiers import parse_order_id
from workflows.books.reconciliation import Period, Reconciliation, reconcile
from workflows.books.recorded import TYPES, RecordedPayment, recorded_payments
from workflows.books.statement import StatementLine
from workflows.cli.failures import InvalidInput

if TYPE_CHECKING:
    from workflows.client import ExpediterClient

MARGIN = timedelta(days=2)
"""Recorded so long before and after the period is read too: outcomes are recorded late after an outage."""


def compare(
    engine: ExpediterClient, lines: Sequence[StatementLine], first: date | None, last: date | None
) -> tuple[Period, Reconciliation]:
    """Compare a statement with the log. The period is that of the lines, unless it is given. Raises InvalidInput."""
    days = [line.at.date() for line in lines]
    if not days and (first is None or last is None):
        raise InvalidInput("the statement has no lines: give its period, --from and --to")
    period = Period(first or min(days), last or max(days))
    if period.first > period.last:
        raise InvalidInput("--from is after --to")
    payments = list(recorded_payments(_events(engine, period)))
    return period, reconcile(lines, [*payments, *_of_unexplained(engine, lines, payments)], period)


def _events(engine: ExpediterClient, period: Period) -> Iterator[Any]:
    begin, end = (datetime(each.year, each.month, each.day, tzinfo=UTC) for each in (period.first, period.last))
    yield from _pages(engine, recorded_from=begin - MARGIN, recorded_to=end + timedelta(days=1) + MARGIN)


def _of_unexplained(
    engine: ExpediterClient, lines: Sequence[StatementLine], payments: Sequence[RecordedPayment]
) -> Iterator[RecordedPayment]:
    """Yield all payments of the orders that a line names and that have an unknown line: it may be recorded much later.

    Those that are known already are left out.
    """
    known = {(each.order, each.version) for each in payments}
    ids = {(each.kind, each.id) for each in payments}
    voided = {each.order for each in payments if not each.id}
    unexplained = {
        line.order
        for line in lines
        if line.kind.value in {kind.value for kind, _ in TYPES.values()}
        and (line.kind, line.id) not in ids
        and line.order not in voided
    }
    for order in sorted(unexplained):
        if _is_order_id(order):
            for payment in recorded_payments(_pages(engine, order=order)):
                if (payment.order, payment.version) not in known:
                    yield payment


def _is_order_id(text: str) -> bool:
    try:
        parse_order_id(text)
    except ValueError:
        return False
    return True


def _pages(engine: ExpediterClient, **wanted: Any) -> Iterator[Any]:
    cursor: str | None = None
    while True:
        page = engine.events(type=list(TYPES), limit=100, cursor=cursor, **wanted)
        yield from page["events"]
        cursor = page["next"]
        if cursor is None:
            return
