"""The books as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from domain.money import Money
from workflows.cli.ledger_pages import sides
from workflows.cli.terminal import data_console, printable, say, table
from workflows.cli.wording import lag
from workflows.orders.json_values import money_json
from workflows.orders.words import money

if TYPE_CHECKING:
    from workflows.books.reconciliation import Period, Reconciliation
    from workflows.client.books_json import BooksJson, CurrencyBooksJson, PayableJson


def show_books(books: BooksJson) -> None:
    """Print the trial balance and the taxes of each currency, and the payables."""
    console = data_console()
    if not books["currencies"]:
        console.print("nothing was booked")
    for each in books["currencies"]:
        show_trial_balance(console, each)
        _show_taxes(console, each)
    _show_payables(console, books["payables"])
    if books["more"]:
        say("there are more payables: choose a shorter period (--from, --to) or one restaurant")
    if books["as_of"]["lag_commits"]:
        say(f"the books are {lag(books['as_of'])}")


def show_trial_balance(console: Console, books: CurrencyBooksJson) -> None:
    """Print the accounts of one currency with their two sides."""
    amounts = ("opening", "debit", "credit", "closing debit", "closing credit")
    rows = table(f"account ({books['currency']})", *amounts, right=frozenset(amounts))
    for account in books["accounts"]:
        rows.add_row(
            account["account"],
            money(account["opening"]),
            money(account["debit"]),
            money(account["credit"]),
            *sides(money(account["closing"])),
        )
    rows.add_section()
    rows.add_row("sum of the period", "", money(books["debit"]), money(books["credit"]))
    console.print(rows)
    state = "balanced" if books["balanced"] else "NOT BALANCED"
    console.print(f"{state}; on hold {money(books['holds'])}; platform fees {money(books['revenue'])}\n")


def tax_name(tax_class: str | None, rate_bp: int | None) -> str:
    """Return the class and rate of a tax as text: ``food 7%``."""
    if rate_bp is None:
        return tax_class or "without tax class"
    rate = f"{rate_bp // 100}.{rate_bp % 100:02d}".rstrip("0").rstrip(".")
    return f"{tax_class} {rate}%"


def _show_taxes(console: Console, books: CurrencyBooksJson) -> None:
    if not books["taxes"]:
        return
    rows = table("tax class", "net", "tax", "gross", right=frozenset({"net", "tax", "gross"}))
    for tax in books["taxes"]:
        name = printable(tax_name(tax["tax_class"], tax["rate_bp"]))
        rows.add_row(name, money(tax["net"]), money(tax["tax"]), money(tax["gross"]))
    console.print(rows)
    console.print()


def _show_payables(console: Console, payables: list[PayableJson]) -> None:
    if not payables:
        return
    rows = table("day", "restaurant", "payable to", "id", "amount", right=frozenset({"amount"}))
    for each in payables:
        rows.add_row(each["day"], each["restaurant"], each["to"], each["party"] or "unknown", money(each["amount"]))
    console.print(rows)


def show_reconciliation(period: Period, result: Reconciliation) -> None:
    """Print both sides' sums, and each difference with what to do about it."""
    console = data_console()
    sums = table("", "statement", "log", right=frozenset({"statement", "log"}))
    for kind, currency in sorted(result.stated_sums.keys() | result.recorded_sums.keys()):
        if kind in _IN_BOTH:
            both = (result.stated_sums, result.recorded_sums)
            sums.add_row(kind, *(str(Money(side.get((kind, currency), 0), currency)) for side in both))
    console.print(sums)
    console.print(f"{period.first} to {period.last}: {result.lines} lines, {result.recorded} payments in the log\n")
    for each in result.differences:
        where = f"row {each.row}" if each.row else "not in the statement"
        console.print(f"{each.kind.value}  {printable(each.order or 'no order')}  {printable(each.id)}  ({where})")
        amounts = [
            f"{side} {amount}" for side, amount in (("log", each.recorded), ("statement", each.stated)) if amount
        ]
        console.print(f"    {', '.join([*amounts, *([printable(each.detail)] if each.detail else [])])}")
        console.print(f"    {printable(each.to_do)}")
    if not result.differences:
        console.print("no differences")


def reconciliation_json(period: Period, result: Reconciliation) -> dict[str, Any]:
    """Return the comparison as JSON."""
    return {
        "day_from": period.first.isoformat(),
        "day_to": period.last.isoformat(),
        "lines": result.lines,
        "recorded": result.recorded,
        "differences": [
            {
                "kind": each.kind.value,
                "order": each.order or None,
                "id": each.id or None,
                "recorded": None if each.recorded is None else money_json(each.recorded),
                "stated": None if each.stated is None else money_json(each.stated),
                "detail": each.detail or None,
                "row": each.row or None,
                "to_do": each.to_do,
            }
            for each in result.differences
        ],
    }


_IN_BOTH = frozenset({"authorized", "captured", "refunded"})
"""Kinds of lines that the log has with an amount."""
