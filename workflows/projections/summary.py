"""A summary of the views for operators: version, rows, lag, parked streams, and the builds under way."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, select

from workflows.projections.bookkeeping import SHARES
from workflows.projections.store import ViewStore
from workflows.projections.view import View


class NumberedLog(Protocol):
    """A log whose commits have positions."""

    def newest(self) -> int:
        """Return the position of the newest durable commit; 0 if there is none."""
        ...


def summarize(store: ViewStore, log: NumberedLog, *, parked_max: int = 100) -> dict[str, Any]:
    """Return the summary as JSON. Raises SqlUnavailable, StreamUnavailable.

    Args:
        parked_max: Parked streams that are listed, the oldest first; ``parked`` of each view counts all.
    """
    newest = log.newest()
    with store.reading() as connection:
        as_of = store.as_of(connection)
        parked, by_view = store.parked(connection, parked_max), store.parked_by_view(connection)
        return {
            "position": as_of.position,
            "recorded_at": as_of.recorded_at or None,
            "lag_commits": max(0, newest - as_of.position),
            "views": [
                _view(store, connection, view) | {"parked": by_view.get(view.name, 0)} for view in store.views.values()
            ],
            "parked": [
                {"view": each.view, "stream": each.stream, "error": each.error, "since": each.since} for each in parked
            ],
        }


def _view(store: ViewStore, connection: Connection, view: View) -> dict[str, Any]:
    built = store.built(connection, view)
    build = store.builds(connection).get(view.name)
    return {
        "name": view.name,
        "version": built.version,
        "outdated": not built.is_of(view),
        "rows": store.count(connection, view),
        "building": None if build is None else _built_part(connection),
    }


def _built_part(connection: Connection) -> float:
    """The part of the log that a build has read, from 0 to 1."""
    done = [row.done for row in connection.execute(select(SHARES.c.done))]
    return round(sum(done) / len(done), 3) if done else 0.0
