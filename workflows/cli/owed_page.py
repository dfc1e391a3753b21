"""What is owed, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.cli.incident_pages import clock
from workflows.cli.terminal import data_console, table
from workflows.orders.words import money, plain


def show_owed(listed: Mapping[str, Any]) -> None:
    """Print a page of what is owed, and the totals of all pages."""
    console = data_console()
    if not listed["items"]:
        console.print("nothing is owed")
        return
    rows = table("order", "status", "held", "event", "amount", "since", "", right=frozenset({"event", "amount"}))
    for item in listed["items"]:
        amount = "" if item["amount"] is None else money(item["amount"])
        held, order = plain(item["holding"]), "parked" if item["parked"] else plain(item["order_status"])
        rows.add_row(item["order_id"], order, held, str(item["intent"]), amount, clock(item["since"]), _state(item))
    console.print(rows)
    totals = table("total of", "age", "items", "amount", right=frozenset({"items", "amount"}))
    for each in listed["totals"]:
        amount = "" if each["holding"] in {"ticket", "offer"} else money(each["amount"])
        totals.add_row(plain(each["holding"]), plain(each["age"]), str(each["items"]), amount)
    console.print(totals)
    if listed["next"]:
        console.print(f"and more: --cursor {listed['next']}", soft_wrap=True)


def _state(item: Mapping[str, Any]) -> str:
    words = {"refused": "refused", "in_doubt": "in doubt", "needed": "still needed"}
    return ", ".join(text for name, text in words.items() if item[name])
