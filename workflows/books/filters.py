"""Which postings the books add up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BooksFilter:
    """A period of whole days in UTC, both included, as ``2026-05-04``. ``None``: from the beginning, or until now."""

    day_from: str | None = None
    day_to: str | None = None
    restaurant: str | None = None
    currency: str | None = None
