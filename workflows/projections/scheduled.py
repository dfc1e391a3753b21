"""What a schedule does for the views where no process runs all the time: build them, or compare them with the log.

Each call works for some seconds and records how far it is, so that the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from workflows.clock import Clock
from workflows.event_store.event_log import EventLog
from workflows.projections.comparison import DailyComparison
from workflows.projections.rebuild import BuildProgress, BuildStopped, RebuildFrom, rebuild
from workflows.projections.store import ViewStore
from workflows.sql.database import HeldElsewhere, SqlDatabase


def look_after(
    database: SqlDatabase, source: RebuildFrom, log: EventLog, clock: Clock, *, for_s: float
) -> dict[str, int]:
    """Go on building the views that are of another version; without any, compare the views with the log if it is due.

    Returns:
        How many views were ``outdated`` before, and how many streams were ``mended``.

    Raises:
        SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes.
    """
    until = clock.now() + timedelta(seconds=for_s)
    store = ViewStore(database, source.views, clock)
    store.prepare()
    with store.reading() as connection:
        outdated = [view.name for view in store.outdated(connection)]
    if outdated:
        _build(store, source, outdated, lambda: clock.now() >= until)
        return {"outdated": len(outdated), "mended": 0}
    comparison = DailyComparison(store, log, clock)
    while comparison.advance() and clock.now() < until:
        pass
    return {"outdated": 0, "mended": comparison.mended}


def _build(store: ViewStore, source: RebuildFrom, names: list[str], is_over: Callable[[], bool]) -> None:
    def stop_in_time(_: BuildProgress) -> None:
        if is_over():
            raise BuildStopped

    with suppress(BuildStopped, HeldElsewhere):  # the next call goes on, or another one does already
        rebuild(store, source, names, cores=1, on_progress=stop_in_time)
