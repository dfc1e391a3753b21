"""Run a query of an auditor on the views of a deployment, away from the engine's thread, and few at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from workflows.engine import Engine
from workflows.queries.answers import Table
from workflows.queries.refusals import QueriesBusy
from workflows.search.reading import age_of, views_of, with_store

if TYPE_CHECKING:  # SQLAlchemy takes long to import
    from workflows.client.search_json import AsOfJson
    from workflows.projections.store import ViewStore

AT_ONCE: Final = 2
"""Queries of one process: each may take a core for its whole time."""

_running = threading.BoundedSemaphore(AT_ONCE)


def run_query(engine: Engine, sql: str, *, as_of: str | None, limit: int) -> tuple[Table, AsOfJson]:
    """Return the answer of a query, and the age of the views before it ran.

    Raises:
        QueryRefused, QueryTooLarge: HTTP 422.
        QueriesBusy, QueriesUnavailable, NoViewsDatabase, ViewsUnavailable: HTTP 503.
    """

    def run(store: ViewStore) -> tuple[Table, AsOfJson]:
        with store.reading() as connection:
            age: dict[str, Any] = age_of(engine, store, connection)
        database = store.database
        if database.is_sqlite:
            from workflows.queries.sqlite import query_file

            table = query_file(Path(str(database.url.database)), sql, as_of=as_of, limit=limit)
        else:
            from workflows.queries.postgres import query_postgres

            table = query_postgres(database, sql, as_of=as_of, limit=limit)
        return table, cast("AsOfJson", {**age, "complete": True, "includes": None})

    views = views_of(engine)
    if not _running.acquire(blocking=False):
        raise QueriesBusy
    try:
        return with_store(engine, views, run)
    finally:
        _running.release()
