"""The state of the views for operators: versions, lag, and streams that could not be projected; their retry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.engine import Engine
from workflows.projections.loading import loads_from
from workflows.search.reading import age_of, views_of, with_store

if TYPE_CHECKING:
    from workflows.client.search_json import RetriedStreamJson, RetriedViewJson, ViewsJson
    from workflows.projections.store import ViewStore


class _NoPositions:
    """Stands for a log whose commits have no positions."""

    def newest(self) -> int:
        return 0


def views_state(engine: Engine) -> ViewsJson:
    """Return the state as JSON. Raises NoViewsDatabase, ViewsUnavailable."""
    views = views_of(engine)

    def read(store: ViewStore) -> ViewsJson:
        from workflows.projections.summary import summarize

        summary = summarize(store, views.feed or _NoPositions())
        with store.reading() as connection:
            age = age_of(engine, store, connection)
        return {**age, "views": summary["views"], "parked": summary["parked"]}  # type: ignore[typeddict-item]  # of age

    return with_store(engine, views, read)


def retry_stream(engine: Engine, stream: str, *, dry_run: bool) -> RetriedStreamJson:
    """Compute the rows of a parked stream again. Raises NoViewsDatabase, ViewsUnavailable, StreamUnavailable."""
    views = views_of(engine)
    history = loads_from(engine.log_with_keys)([stream])[stream]  # here, because the log belongs to this thread

    def retry(store: ViewStore) -> RetriedStreamJson:
        from workflows.projections.retrying import retry_parked

        retried = retry_parked(store, stream, history, dry_run=dry_run)
        tried: list[RetriedViewJson] = [{"view": each.view, "error": each.error} for each in retried]
        return {"stream": stream, "dry_run": dry_run, "views": tried}

    return with_store(engine, views, retry)
