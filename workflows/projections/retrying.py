"""Try a parked stream again: compute its rows of the views that lack it, and store them unless it is a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.event_store.commits import History
from workflows.projections.projector import Projector
from workflows.projections.store import ParkedStream, ViewStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RetriedView:
    """A view that lacked a stream. ``error`` is the class of the error if it still does."""

    view: str
    error: str | None


def retry_parked(
    store: ViewStore, stream: str, history: History | Exception, *, dry_run: bool = False
) -> list[RetriedView]:
    """Compute the rows of a parked stream again. Without effect on a stream that is not parked.

    Args:
        history: What the log holds of the stream, or the error that makes it unreadable.
        dry_run: Compute the rows and store nothing. A row that the database would refuse is not noticed then.

    Returns:
        The views in which the stream was parked before.

    Raises:
        SqlUnavailable: Retryable: yes.
    """
    before = _parked(store, stream)
    if dry_run:
        return [RetriedView(view=each.view, error=_error_of(store, each.view, history)) for each in before]
    if before:
        Projector(store, lambda streams: dict.fromkeys(streams, history)).mend([stream])
    still = {each.view: each.error for each in _parked(store, stream)}
    return [RetriedView(view=each.view, error=still.get(each.view)) for each in before]


def _parked(store: ViewStore, stream: str) -> Sequence[ParkedStream]:
    with store.reading() as connection:
        return [each for each in store.parked(connection) if each.stream == stream]


def _error_of(store: ViewStore, view: str, history: History | Exception) -> str | None:
    if isinstance(history, Exception):
        return type(history).__name__
    try:
        store.views[view].rows(history, 0)
    except Exception as error:  # as the projector parks a stream for any error of its views
        return type(error).__name__
    return None
