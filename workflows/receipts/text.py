"""A receipt as plain text, for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from workflows.receipts.sheet import RowKind, Sheet

WIDTH = 60
"""Columns."""


def receipt_text(sheet: Sheet) -> str:
    """Return the receipt, one row a line, amounts on the right."""
    return "\n".join(_lines(sheet)) + "\n"


def _lines(sheet: Sheet) -> Iterator[str]:
    yield sheet.title
    if sheet.address:
        yield sheet.address
    yield ""
    for label, value in sheet.facts:
        yield f"{label:<12} {value}"
    yield ""
    for row in sheet.rows:
        if row.kind is RowKind.TOTAL:
            yield "-" * WIDTH
        yield _sides("    " + row.label if row.kind is RowKind.DETAIL else row.label, row.amount)
    if sheet.taxes:
        yield ""
        yield f"{'tax included':<24}{'net':>12}{'tax':>12}{'gross':>12}"
        for name, *amounts in sheet.taxes:
            yield f"{name:<24}" + "".join(f"{each:>12}" for each in amounts)


def _sides(label: str, amount: str) -> str:
    return label + " " * max(1, WIDTH - _columns(label) - len(amount)) + amount if amount else label


def _columns(text: str) -> int:
    """Return how wide a terminal shows the text."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )
