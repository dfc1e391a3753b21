"""Texts in CSV that no spreadsheet runs as a formula: another person chose the text than the one who opens the file."""

from __future__ import annotations

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula for a spreadsheet, e.g. ``=HYPERLINK(...)``."""


def as_text(text: str) -> str:
    """Return the cell for a text: with an apostrophe before a formula, so that no spreadsheet runs it."""
    return f"'{text}" if _is_formula(text) else text


def from_text(cell: str) -> str:
    """Return the text of a cell that ``as_text`` made."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    """Whether a text begins as a formula does, or with apostrophes before one, so that writing and reading agree."""
    return text.lstrip("'").startswith(_FORMULA)
