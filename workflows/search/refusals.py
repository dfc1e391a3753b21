"""Errors of searches. They are apart from the SQL, so that naming them imports no SQLAlchemy."""

from __future__ import annotations

from domain.picklable import Picklable


class SearchRefused(Picklable, Exception):
    """A search cannot be served now."""


class NoViewsDatabase(SearchRefused):
    """This deployment has no database for views. Retryable: no, until it has one. HTTP: 503."""

    def __init__(self) -> None:
        super().__init__(
            "Lists and searches need a PostgreSQL database. Deploy the stack with the parameter ViewsSecret: the ARN "
            "of a secret with its url and the blind_index_key."
        )


class ViewsUnavailable(SearchRefused):
    """The database of the views did not answer. Retryable: yes. HTTP: 503."""


class SearchTooSlow(SearchRefused):
    """A search was stopped at its time limit. Retryable: with a narrower filter. HTTP: 503."""


class NotACursor(SearchRefused):
    """The cursor is not from a page of this list in this order. Retryable: no. HTTP: 400."""

    def __init__(self) -> None:
        super().__init__(
            "is not a cursor of this list and sort; send `next` of a page unchanged, or leave it out for the first page"
        )


class TooManyMatches(SearchRefused):
    """More orders match a filter than one bulk job takes. Retryable: with a narrower filter. HTTP: 400."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"More than {most:,} orders match, which is the most for one job. Narrow the filter, e.g. by placed_from "
            "and placed_to, and make several jobs."
        )


class TooManyOrders(SearchRefused):
    """Statistics of more orders than are read for one answer. Retryable: with a shorter time. HTTP: 400."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"More than {most:,} orders were placed in this time. Ask for a shorter time, or for one restaurant."
        )
