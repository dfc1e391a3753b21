"""The view ``taxes``: the taxed parts of sales, by class and rate, one row for each change of a part by an event.

A sale is booked on delivery. A credit afterwards, or a sale that is taken back, adds rows below zero. ``gross_minor``
includes ``tax_minor``. The rows are booked on the same days as those of the view ``ledger``.
"""

from __future__ import annotations

from sqlalchemy import Index, MetaData, Table

from domain.order.ledger import Transaction
from domain.order.tax import TaxPart
from workflows.event_store.commits import History
from workflows.event_store.streams import order_id_in
from workflows.orders.booked import booked
from workflows.projections.ledger import day_of, restaurant_of
from workflows.projections.sums import Sums, key_count, key_text, sums_table
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_count, optional_text, text, time

TAXES = Table(
    "taxes",
    MetaData(),
    text("order_id", primary_key=True),
    count("version", primary_key=True),  # of the event
    count("entry", primary_key=True),  # 1, 2, ... within the event
    time("recorded_at"),
    text("day"),
    text("restaurant"),
    optional_text("tax_class"),  # NULL for tips, and for lines that have no class
    optional_count("rate_bp"),  # in hundredths of a percent
    text("currency"),
    count("gross_minor"),
    count("tax_minor"),
)
_column = TAXES.c

for _index in (
    Index("day", _column.day, _column.restaurant),
    Index("restaurant", _column.restaurant, _column.day),
):
    assert _index.table is TAXES

_KEY = ("currency", "tax_class")
_AMOUNTS = ("gross_minor", "tax_minor")
TAX_DAYS = sums_table("tax_days", [*map(key_text, ("day", *_KEY)), key_count("rate_bp")], _AMOUNTS)
RESTAURANT_TAX_DAYS = sums_table(
    "restaurant_tax_days", [*map(key_text, ("restaurant", "day", *_KEY)), key_count("rate_bp")], _AMOUNTS
)
Index("day", RESTAURANT_TAX_DAYS.c.day)


def _rows(history: History, since: int) -> list[Row]:
    restaurant = restaurant_of(history)
    return [
        _row(history, restaurant, transaction, entry, part)
        for transaction in booked(history, since)
        for entry, part in enumerate(transaction.taxes, start=1)
    ]


TAXES_VIEW = View(
    name="taxes",
    version=1,
    table=TAXES,
    rows=_rows,
    appends=True,
    sums=(Sums(table=TAX_DAYS), Sums(table=RESTAURANT_TAX_DAYS)),
)


def _row(history: History, restaurant: str, transaction: Transaction, entry: int, part: TaxPart) -> Row:
    recorded = history.recorded[transaction.version - 1]
    return {
        "order_id": order_id_in(history.stream),
        "version": transaction.version,
        "entry": entry,
        "recorded_at": recorded.ts,
        "day": day_of(recorded),
        "restaurant": restaurant,
        "tax_class": part.tax_class,
        "rate_bp": part.rate_bp,
        "currency": part.gross.currency,
        "gross_minor": part.gross.minor,
        "tax_minor": part.tax.minor,
    }
