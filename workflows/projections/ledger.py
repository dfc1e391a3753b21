"""The view ``ledger``: one row for each posting of an order's double-entry ledger, and the sums over it by day.

``version`` is that of the event that made the transaction, and names it within the order. A posting is booked on the
day in UTC on which its event was recorded, so a late report changes no earlier day. Postings never change.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Index, MetaData, Table

from domain.order.events import OrderPlaced
from domain.order.ledger import LedgerAccount, Posting, Transaction
from workflows.event_store.commits import History, RecordedEvent
from workflows.event_store.streams import order_id_in
from workflows.orders.booked import booked
from workflows.orders.ledger_view import provider_reference
from workflows.projections.sums import Sums, key_text, sums_table
from workflows.projections.view import Row, View
from workflows.sql.columns import count, optional_text, text, time

LEDGER = Table(
    "ledger",
    MetaData(),
    text("order_id", primary_key=True),
    count("version", primary_key=True),  # of the event: the number of the transaction within the order
    count("entry", primary_key=True),  # 1, 2, ... within the transaction
    text("event"),
    count("commit_version"),  # of the first event in the same commit
    time("recorded_at"),
    text("day"),  # of recording, in UTC: 2026-05-04
    text("restaurant"),
    text("account"),
    optional_text("party"),  # the restaurant or the courier of a payable
    text("currency"),
    count("debit_minor"),
    count("credit_minor"),
    optional_text("reference"),  # the provider's id of an authorization, a capture or a refund
)
_column = LEDGER.c

for _index in (
    Index("day", _column.day, _column.account, _column.currency),
    Index("restaurant", _column.restaurant, _column.day),
):
    assert _index.table is LEDGER

PAYABLE: Final = (LedgerAccount.RESTAURANT_PAYABLE.value, LedgerAccount.COURIER_PAYABLE.value)

_AMOUNTS = ("debit_minor", "credit_minor")
LEDGER_DAYS = sums_table("ledger_days", [key_text("day"), key_text("currency"), key_text("account")], _AMOUNTS)
RESTAURANT_LEDGER_DAYS = sums_table(
    "restaurant_ledger_days",
    [key_text("restaurant"), key_text("day"), key_text("currency"), key_text("account")],
    _AMOUNTS,
)
PAYABLE_DAYS = sums_table(  # in the order in which they are listed
    "payable_days",
    [key_text("day"), key_text("restaurant"), key_text("account"), key_text("party"), key_text("currency")],
    _AMOUNTS,
)
_payable = PAYABLE_DAYS.c

Index("day", RESTAURANT_LEDGER_DAYS.c.day)
for _index in (
    Index("restaurant", _payable.restaurant, _payable.day, _payable.account, _payable.party, _payable.currency),
    Index("currency", _payable.currency, _payable.day, _payable.restaurant, _payable.account, _payable.party),
):
    assert _index.table is PAYABLE_DAYS


def _rows(history: History, since: int) -> list[Row]:
    restaurant = restaurant_of(history)
    return [
        _row(history, restaurant, transaction, entry, posting)
        for transaction in booked(history, since)
        for entry, posting in enumerate(transaction.postings, start=1)
    ]


LEDGER_VIEW = View(
    name="ledger",
    version=2,
    table=LEDGER,
    rows=_rows,
    appends=True,
    sums=(
        Sums(table=LEDGER_DAYS),
        Sums(table=RESTAURANT_LEDGER_DAYS),
        Sums(table=PAYABLE_DAYS, only=("account", frozenset(PAYABLE))),
    ),
)


def restaurant_of(history: History) -> str:
    """Return the restaurant of an order; empty for a history that does not begin with its placing."""
    first = history.recorded[0].event if history.recorded else None
    return first.restaurant if isinstance(first, OrderPlaced) else ""


def day_of(recorded: RecordedEvent) -> str:
    """Return the day in UTC on which an event was recorded."""
    return recorded.ts[:10]


def _row(history: History, restaurant: str, transaction: Transaction, entry: int, posting: Posting) -> Row:
    recorded = history.recorded[transaction.version - 1]
    minor = posting.amount.minor
    return {
        "order_id": order_id_in(history.stream),
        "version": transaction.version,
        "entry": entry,
        "event": type(transaction.event).__name__,
        "commit_version": recorded.commit,
        "recorded_at": recorded.ts,
        "day": day_of(recorded),
        "restaurant": restaurant,
        "account": posting.account.value,
        "party": posting.party,
        "currency": posting.amount.currency,
        "debit_minor": max(minor, 0),
        "credit_minor": max(-minor, 0),
        "reference": provider_reference(transaction.event),
    }
