"""Errors of queries."""

from __future__ import annotations

from domain.picklable import Picklable


class QueryRefused(Picklable, Exception):
    """The statement is not one that may be run, or the database refused it. Retryable: no. HTTP: 422."""


class QueryTooLarge(Picklable, Exception):
    """The query used up its time, memory or space. Retryable: with a smaller one. HTTP: 422."""


class QueriesBusy(Picklable, Exception):
    """As many queries run as may. Retryable: yes. HTTP: 503."""

    def __init__(self) -> None:
        super().__init__("Other queries are running. Send the same query again.")


class QueriesUnavailable(Picklable, Exception):
    """The database cannot run queries of auditors. Retryable: after what the text names. HTTP: 503."""
