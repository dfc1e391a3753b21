"""The end of the demo: the receipt of a delivered order, and the trial balance of all orders."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from workflows.client import ExpediterClient
from workflows.client.books_json import BooksJson
from workflows.client.receipt_json import ReceiptJson

VIEWS_FOLLOW_WITHIN_S = 10
"""The books come from the views, which follow the log within a second, or later on a busy machine."""

_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Closing:
    """``receipt`` is None if no order was delivered."""

    receipt: ReceiptJson | None
    books: BooksJson


def close(support: ExpediterClient, delivered: Sequence[str]) -> Closing:
    """Read a receipt, and the books once every commit is in them."""
    receipt = support.receipt(delivered[0]) if delivered else None
    deadline = time.monotonic() + VIEWS_FOLLOW_WITHIN_S
    while (books := support.books())["as_of"]["lag_commits"] and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_S)
    return Closing(receipt, books)


def show_closing(closing: Closing, console: Console) -> None:
    """Print the receipt and the trial balance."""
    from workflows.cli.books_pages import show_trial_balance
    from workflows.receipts.sheet import sheet_of
    from workflows.receipts.text import receipt_text

    if closing.receipt is not None:
        console.print("\nreceipt", style="bold")
        console.print(receipt_text(sheet_of(closing.receipt)))
    for books in closing.books["currencies"]:
        console.print(f"trial balance, {books['currency']}", style="bold")
        show_trial_balance(console, books)
