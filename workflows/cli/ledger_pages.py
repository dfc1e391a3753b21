"""Prints the ledger of an order."""

from __future__ import annotations

from workflows.cli.terminal import data_console, table
from workflows.client.order_json import LedgerJson
from workflows.orders.words import money


def show_ledger(ledger: LedgerJson) -> None:
    """Print the transactions as a table, and below it what is left on each account."""
    booked = table(
        "#", "event", "account", "debit", "credit", "provider's id", right=frozenset({"#", "debit", "credit"})
    )
    for transaction in ledger["transactions"]:
        first = (str(transaction["version"]), transaction["event"])
        reference = transaction["reference"] or ""
        for posting in transaction["postings"]:
            booked.add_row(*first, posting["account"], *sides(money(posting["amount"])), reference)
            first, reference = ("", ""), ""
        booked.add_section()
    left = table("balance", "debit", "credit", right=frozenset({"debit", "credit"}))
    for balance in ledger["balances"]:
        left.add_row(balance["account"], *sides(money(balance["amount"])))
    console = data_console()
    console.print(booked)
    console.print(left)


def sides(amount: str) -> tuple[str, str]:
    """Put an amount on the side of debits or, without its sign, on that of credits."""
    return ("", amount[1:]) if amount.startswith("-") else (amount, "")
