"""Add up the books of a period: trial balance, holds, revenue, tax by class and rate, and payables by day.

It reads sums by day, which the store keeps equal to the sums over the rows, so the books of a year cost as much with a
million orders as with a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, Table, case, func, literal, select

from domain.money import Money
from domain.order.ledger import LedgerAccount
from workflows.books.filters import BooksFilter
from workflows.orders.json_values import money_json
from workflows.projections.ledger import LEDGER_DAYS, PAYABLE_DAYS, RESTAURANT_LEDGER_DAYS
from workflows.projections.sums import NO_COUNT, NO_TEXT
from workflows.projections.taxes import RESTAURANT_TAX_DAYS, TAX_DAYS

if TYPE_CHECKING:
    from workflows.client.books_json import AccountJson, CurrencyBooksJson, PayableJson, TaxJson

PAYABLES_MAX: Final = 1_000
"""Payables in one answer, by day, restaurant and party."""

_ORDER = {account.value: place for place, account in enumerate(LedgerAccount)}


def summarize_books(connection: Connection, wanted: BooksFilter) -> list[CurrencyBooksJson]:
    """Return the books of each currency, in the order of their codes."""
    accounts: dict[str, list[Any]] = defaultdict(list)
    for row in _accounts(connection, wanted):
        accounts[row.currency].append(row)
    taxes: dict[str, list[Any]] = defaultdict(list)
    for row in _taxes(connection, wanted):
        taxes[row.currency].append(row)
    return [_shown(currency, accounts[currency], taxes[currency]) for currency in sorted(accounts)]


def payables(connection: Connection, wanted: BooksFilter) -> tuple[list[PayableJson], bool]:
    """Return what became payable to restaurants and couriers, by day, and whether there is more than was returned."""
    column = PAYABLE_DAYS.c
    rows = connection.execute(
        select(PAYABLE_DAYS)
        .where(*_within(PAYABLE_DAYS, wanted), *_until(PAYABLE_DAYS, wanted))
        .order_by(column.day, column.restaurant, column.account, column.party, column.currency)
        .limit(PAYABLES_MAX + 1)
    ).all()
    return [_payable(row) for row in rows[:PAYABLES_MAX]], len(rows) > PAYABLES_MAX


def _accounts(connection: Connection, wanted: BooksFilter) -> Iterable[Any]:
    table = LEDGER_DAYS if wanted.restaurant is None else RESTAURANT_LEDGER_DAYS
    column = table.c
    is_before: ColumnElement[bool] = literal(False) if wanted.day_from is None else column.day < wanted.day_from
    change = column.debit_minor - column.credit_minor
    return connection.execute(
        select(
            column.account,
            column.currency,
            func.sum(case((is_before, change), else_=0)).label("opening"),
            func.sum(case((is_before, 0), else_=column.debit_minor)).label("debit"),
            func.sum(case((is_before, 0), else_=column.credit_minor)).label("credit"),
        )
        .where(*_until(table, wanted))
        .group_by(column.account, column.currency)
    )


def _taxes(connection: Connection, wanted: BooksFilter) -> Iterable[Any]:
    table = TAX_DAYS if wanted.restaurant is None else RESTAURANT_TAX_DAYS
    column = table.c
    key = (column.tax_class, column.rate_bp, column.currency)
    return connection.execute(
        select(*key, func.sum(column.gross_minor).label("gross"), func.sum(column.tax_minor).label("tax"))
        .where(*_within(table, wanted), *_until(table, wanted))
        .group_by(*key)
    )


def _until(table: Table, wanted: BooksFilter) -> list[ColumnElement[bool]]:
    conditions = [] if wanted.day_to is None else [table.c.day <= wanted.day_to]
    if wanted.restaurant is not None:
        conditions.append(table.c.restaurant == wanted.restaurant)
    if wanted.currency is not None:
        conditions.append(table.c.currency == wanted.currency)
    return conditions


def _within(table: Table, wanted: BooksFilter) -> list[ColumnElement[bool]]:
    return [] if wanted.day_from is None else [table.c.day >= wanted.day_from]


def _shown(currency: str, rows: list[Any], taxes: list[Any]) -> CurrencyBooksJson:
    accounts = [_account(row) for row in sorted(rows, key=lambda row: _ORDER[row.account])]
    debit, credit = (sum(int(getattr(row, side)) for row in rows) for side in ("debit", "credit"))
    closing = {row.account: _closing(row) for row in rows}
    fees = [row for row in rows if row.account == LedgerAccount.PLATFORM_FEES.value]
    return {
        "currency": currency,
        "balanced": debit == credit and sum(closing.values()) == 0,
        "accounts": accounts,
        "debit": _money(debit, currency),
        "credit": _money(credit, currency),
        "holds": _money(closing.get(LedgerAccount.HOLDS.value, 0), currency),
        "revenue": _money(sum(int(row.credit) - int(row.debit) for row in fees), currency),
        "taxes": [_tax(row) for row in sorted(taxes, key=lambda row: (row.tax_class, row.rate_bp)) if row.gross],
    }


def _closing(row: Any) -> int:
    return int(row.opening) + int(row.debit) - int(row.credit)


def _account(row: Any) -> AccountJson:
    return {
        "account": row.account,
        "opening": _money(row.opening, row.currency),
        "debit": _money(row.debit, row.currency),
        "credit": _money(row.credit, row.currency),
        "closing": _money(_closing(row), row.currency),
    }


def _tax(row: Any) -> TaxJson:
    return {
        "tax_class": None if row.tax_class == NO_TEXT else row.tax_class,
        "rate_bp": None if row.rate_bp == NO_COUNT else row.rate_bp,
        "gross": _money(row.gross, row.currency),
        "net": _money(int(row.gross) - int(row.tax), row.currency),
        "tax": _money(row.tax, row.currency),
    }


def _payable(row: Any) -> PayableJson:
    return {
        "day": row.day,
        "restaurant": row.restaurant,
        "to": "restaurant" if row.account == LedgerAccount.RESTAURANT_PAYABLE.value else "courier",
        "party": None if row.party == NO_TEXT else row.party,
        "amount": _money(row.credit_minor - row.debit_minor, row.currency),
    }


def _money(minor: int, currency: str) -> Any:
    return money_json(Money(int(minor), currency))
