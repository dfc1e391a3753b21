"""Cursors: the keys of the last row of a page, so that the next page begins behind it whatever was written."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, or_

from workflows.search.refusals import NotACursor

Keys: TypeAlias = tuple[str | int, ...]


def encode(list_name: str, keys: Sequence[str | int]) -> str:
    """Return the cursor behind a row.

    Args:
        list_name: The list and its order; ``decode`` refuses a cursor of another.
    """
    text = json.dumps([list_name, *keys], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(list_name: str, cursor: str, kinds: Sequence[type]) -> Keys:
    """Return the keys in a cursor. ``kinds``: their types. Raises NotACursor."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        name, *keys = json.loads(text)
    except (binascii.Error, ValueError, TypeError):
        raise NotACursor from None
    if name != list_name or [type(key) for key in keys] != list(kinds) or not all(map(_is_storable, keys)):
        raise NotACursor
    return tuple(keys)


def _is_storable(key: str | int) -> bool:
    return key.isprintable() if isinstance(key, str) else abs(key) < 2**31


def behind(columns: Sequence[ColumnElement[Any]], keys: Keys, *, descending: bool) -> ColumnElement[bool]:
    """Return the condition that a row comes after these keys in the order of the columns."""
    steps = []
    for number, (column, key) in enumerate(zip(columns, keys, strict=True)):
        same = [earlier == value for earlier, value in zip(columns[:number], keys[:number], strict=True)]
        steps.append(and_(*same, column < key if descending else column > key))
    return and_(columns[0] <= keys[0] if descending else columns[0] >= keys[0], or_(*steps))
