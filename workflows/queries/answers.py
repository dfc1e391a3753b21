"""What a query answers, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

SECONDS_MAX: Final = 10.0
"""The time limit of a query."""

ROWS_MAX: Final = 1000
"""Rows of an answer."""

BYTES_MAX: Final = 1_000_000
"""Bytes of the rows of an answer, as JSON: what is beyond it is left out, and ``truncated`` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of an answer. ``truncated``: there are more."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool
