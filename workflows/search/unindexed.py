"""Columns and conditions of which the database uses no index, because another index is the right one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func


def hidden(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column so that no index of it is used."""
    return func.coalesce(column, "")


def not_looked_up(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition so that no index is used for it."""
    return func.coalesce(condition, False)
