"""Column types with the same values, comparison and order in SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.types import TypeEngine

TEXT: Final[TypeEngine[str]] = Text().with_variant(Text(collation="C"), "postgresql")
"""Sorted by bytes in both, so that a cursor has the same meaning and an index finds a prefix."""

COUNT: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number: a version, minor units of money, milliseconds, or 0 and 1 for no and yes."""

TIME = TEXT
"""RFC 3339 in UTC with microseconds, as in the log: ``2026-05-04T12:00:00.000000Z``. Sorts by time as text."""


def text(name: str, **options: Any) -> Column[str]:
    """Return a column of text that is always set."""
    return Column(name, TEXT, nullable=False, **options)


def optional_text(name: str) -> Column[str]:
    """Return a column of text that may be NULL."""
    return Column(name, TEXT)


def count(name: str, **options: Any) -> Column[int]:
    """Return a column of a whole number that is always set."""
    return Column(name, COUNT, nullable=False, **options)


def optional_count(name: str) -> Column[int]:
    """Return a column of a whole number that may be NULL."""
    return Column(name, COUNT)


def time(name: str) -> Column[str]:
    """Return a column with a time that is always set."""
    return Column(name, TIME, nullable=False)


def optional_time(name: str) -> Column[str]:
    """Return a column with a time that may be NULL."""
    return Column(name, TIME)
