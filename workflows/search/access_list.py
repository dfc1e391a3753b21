"""Pages of reads of personal data, the newest first. A read never changes, so it is in one page, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, select

from workflows.projections.access import ACCESSES
from workflows.search.cursors import behind, decode
from workflows.search.filters import AccessFilter
from workflows.search.pages import page_of, read_page

if TYPE_CHECKING:
    from workflows.client.search_json import ListedReadJson

_LIST = "access"
_column = ACCESSES.c
_KEYS = (_column.read_at, _column.access, _column.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPage:
    """Some reads as the API shows them, and the cursor of the next page; None on the last."""

    reads: list[ListedReadJson]
    next: str | None


def list_reads(connection: Connection, wanted: AccessFilter, *, limit: int, cursor: str | None) -> AccessPage:
    """Return a page of the reads of all callers. Raises NotACursor."""
    conditions = [
        column == value
        for column, value in (
            (_column.actor_id, wanted.actor),
            (_column.order_id, wanted.order),
            (_column.customer, wanted.customer),
        )
        if value is not None
    ]
    if wanted.read_from is not None:
        conditions.append(_column.read_at >= wanted.read_from)
    if wanted.read_to is not None:
        conditions.append(_column.read_at < wanted.read_to)
    if cursor is not None:
        conditions.append(behind(_KEYS, decode(_LIST, cursor, (str, str, int)), descending=True))
    statement = page_of(select(ACCESSES), conditions, _KEYS, limit, descending=True)
    page, following = read_page(connection, statement, limit, _LIST, _KEYS)
    return AccessPage(reads=[_shown(row) for row in page], next=following)


def _shown(row: RowMapping) -> ListedReadJson:
    return {
        "at": row["read_at"],
        "actor": {"role": row["actor_role"], "id": row["actor_id"]},
        "route": row["route"],
        "order_id": row["order_id"],
        "customer": row["customer"],
        "fields": row["fields"].split(",") if row["fields"] else [],
        "reason": row["reason"],
        "request": row["request"],
        "trace": row["correlation"],
    }
