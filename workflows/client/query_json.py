"""Answers of queries with SQL in JSON."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from msgspec import Meta

from .search_json import AsOfJson


class QueryResultJson(TypedDict):
    """The rows of a query, each with one value for each column."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: Annotated[bool, Meta(description="Whether there are more rows than were asked for, or than 1 MB.")]
    as_of: AsOfJson
