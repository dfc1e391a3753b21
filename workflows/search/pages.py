"""One page of a list: its statement, and its rows with the cursor of the next page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, true

from workflows.search.cursors import encode


def page_of(
    statement: Any, conditions: Sequence[ColumnElement[bool]], keys: Sequence[Any], limit: int, *, descending: bool
) -> Any:
    """Return the statement of a page: the first rows in the order of the keys, and one more if there is a next page."""
    order = [key.desc() if descending else key for key in keys]
    return statement.where(and_(true(), *conditions)).order_by(*order).limit(limit + 1)


def union_page(
    union: Callable[..., Any], pages: Sequence[Any], keys: Sequence[Any], limit: int, *, descending: bool
) -> Any:
    """Return the statement of a page that begins with the first rows of several.

    Args:
        union: ``sqlalchemy.union`` if a row may be in two of the pages, else ``union_all``.
    """
    every = union(*(select(page.subquery()) for page in pages)).subquery()
    return page_of(select(every), [], [every.c[key.name] for key in keys], limit, descending=descending)


def read_page(
    connection: Connection, statement: Any, limit: int, list_name: str, keys: Sequence[ColumnElement[Any]]
) -> tuple[list[RowMapping], str | None]:
    """Return the rows of a statement of ``page_of``, and the cursor of the next page; None on the last."""
    rows = list(connection.execute(statement).mappings())
    page = rows[:limit]
    return page, encode(list_name, [page[-1][key.name] for key in keys]) if len(rows) > limit else None
