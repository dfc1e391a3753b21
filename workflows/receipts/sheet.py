"""A receipt as rows of text, the same for every form in which it is printed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from workflows.boundary.plain_text import DIRECTION_CONTROLS
from workflows.clock import read_timestamp

if TYPE_CHECKING:
    from workflows.client.order_json import MoneyJson
    from workflows.client.receipt_json import ReceiptJson, ReceiptLineJson


class RowKind(Enum):
    """How a row is shown."""

    PLAIN = "plain"
    DETAIL = "detail"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A label and an amount, which may be empty."""

    label: str
    amount: str = ""
    kind: RowKind = RowKind.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A receipt ready to print. ``taxes`` has rows of class, net, tax and gross."""

    title: str
    address: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[SheetRow, ...]
    taxes: tuple[tuple[str, str, str, str], ...]
    order_id: str
    version: int
    issued_at: str


def sheet_of(receipt: ReceiptJson) -> Sheet:
    """Return the sheet of a receipt. Times are in the restaurant's time zone."""
    zone = ZoneInfo(receipt["time_zone"])

    def local(at: str) -> str:
        return read_timestamp(at).astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")

    facts = [
        ("Receipt for", "a completed order" if receipt["made_for"] == "completion" else "a refund"),
        ("Order", receipt["order_id"]),
        ("Version", str(receipt["version"])),
        ("Ordered", local(receipt["ordered_at"])),
    ]
    if receipt["delivered_at"] is not None:
        facts.append(("Delivered", local(receipt["delivered_at"])))
    facts.append(("Issued", local(receipt["issued_at"])))
    refunds = [SheetRow(f"Refunded {local(each['at'])}", minus(each["amount"])) for each in receipt["refunds"]]
    return Sheet(
        title=shown_text(receipt["restaurant"]["name"]),
        address=shown_text(receipt["restaurant"]["address"]),
        facts=tuple(facts),
        rows=(
            *(row for line in receipt["lines"] for row in _line_rows(line)),
            *_price_rows(receipt),
            SheetRow("Charged", amount(receipt["captured"])),
            *refunds,
            SheetRow("Paid", amount(receipt["paid"]), RowKind.TOTAL),
        ),
        taxes=tuple(
            (tax_name(each["tax_class"], each["rate_bp"]), *map(amount, (each["net"], each["tax"], each["gross"])))  # type: ignore[misc]  # three amounts
            for each in receipt["taxes"]
        ),
        order_id=receipt["order_id"],
        version=receipt["version"],
        issued_at=receipt["issued_at"],
    )


def amount(money: MoneyJson) -> str:
    """Return ``12.50 EUR``."""
    return f"{money['amount']} {money['currency']}"


def minus(money: MoneyJson) -> str:
    """Return ``-12.50 EUR``."""
    return f"-{amount(money)}"


def tax_name(tax_class: str | None, rate_bp: int | None) -> str:
    """Return the class and rate of a tax as text: ``food 7%``."""
    if rate_bp is None:
        return tax_class or "without tax class"
    rate = f"{rate_bp // 100}.{rate_bp % 100:02d}".rstrip("0").rstrip(".")
    return f"{tax_class} {rate}%"


def shown_text(text: str) -> str:
    """Return other people's text without characters that could move or hide the rest of a line.

    Control characters become spaces; marks that change the direction of text are dropped, because the label is set in
    its own direction anyway. Joiners stay: scripts and emoji need them.
    """
    kept = (" " if unicodedata.category(each) == "Cc" else each for each in text if each not in _DIRECTION)
    return "".join(kept).strip()


_DIRECTION = frozenset(f"{DIRECTION_CONTROLS}\u200e\u200f\u061c")


def _line_rows(line: ReceiptLineJson) -> Iterator[SheetRow]:
    yield SheetRow(f"{line['quantity']} \N{MULTIPLICATION SIGN} {shown_text(line['name'])}", amount(line["total"]))
    if line["options"] or line["quantity"] != 1:
        yield SheetRow(f"each {amount(line['unit_price'])}", kind=RowKind.DETAIL)
    for option in line["options"]:
        yield SheetRow(f"+ {shown_text(option['name'])}, {amount(option['price'])} each", kind=RowKind.DETAIL)
    if line["quantity"] < line["ordered"]:
        missing = line["ordered"] - line["quantity"]
        yield SheetRow(f"{missing} of {line['ordered']} not available, not charged", kind=RowKind.DETAIL)


def _price_rows(receipt: ReceiptJson) -> Iterator[SheetRow]:
    for label, money in (
        ("Delivery fee", receipt["delivery_fee"]),
        ("Service fee", receipt["service_fee"]),
        ("Tip", receipt["tip"]),
    ):
        if not is_zero(money):
            yield SheetRow(label, amount(money))
    for label, money in (("Credit", receipt["credit"]), ("Order cancelled", receipt["cancelled"])):
        if not is_zero(money):
            yield SheetRow(label, minus(money))
    yield SheetRow("Total", amount(receipt["total"]), RowKind.TOTAL)


def is_zero(money: MoneyJson) -> bool:
    """Whether an amount is zero."""
    return not any(each in "123456789" for each in money["amount"])
