"""Keeps the views of an embedded engine up to date, on a thread of its own.

A commit only sets a flag here. The thread reads the log from its position on, which is stored with the rows in one
transaction, some ten times a second at most: an order that moves through several commits meanwhile is projected once.
Whatever fails here (a full disk, a locked or damaged file, a bug in a view) is logged and tried again with growing
delays. The views fall behind and no order waits for them.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflows.clock import Clock, read_timestamp
from workflows.engine import Views
from workflows.event_store.change_feed import Feed
from workflows.projections.loading import STORE_ERRORS, LoadHistories

if TYPE_CHECKING:  # SQLAlchemy takes long to import: the thread does it
    from workflows.projections.projector import Projector
    from workflows.projections.store import ViewStore

log = logging.getLogger(__name__)

GATHER_S = 0.1
"""How long commits are gathered before they are projected together."""

CHANGES_MAX = 1000
"""Commits that are read at once."""

RETRY_FIRST_S, RETRY_LAST_S = 0.5, 30.0
"""After a failure the thread waits 0.5 s, then twice the last delay, up to 30 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorProgress:
    """How far the views are behind the log, how many streams are parked, and what fails at the moment.

    ``lag_commits`` counts the commits that are not in the views, ``lag_s`` is the age of the oldest of them.
    ``failure`` is empty while nothing fails.
    """

    position: int
    lag_commits: int
    lag_s: float
    parked: int
    failure: str


class ProjectorThread:
    """Follows a log until ``close``."""

    def __init__(self, views: Views, feed: Feed, load: LoadHistories, clock: Clock) -> None:
        """Prepare the thread; ``begin`` starts it."""
        self._views = views
        self._feed = feed
        self._load = load
        self._clock = clock
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._position = 0
        self._parked = 0
        self._failure = "not started"
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    def begin(self) -> None:
        """Continue from the stored position, and follow the log."""
        self._feed.on_commit(lambda _: self._changed.set())
        self._thread.start()

    def close(self) -> None:
        """Finish the transaction under way, and stop. Idempotent."""
        self._closing.set()
        self._changed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def progress(self) -> ProjectorProgress:
        """Return how far the views are. From any thread."""
        position = self._position
        behind = self._feed.changes(position, 1)
        lag_s = 0.0
        if behind:
            recorded_at = read_timestamp(behind[0].commit.ts)
            lag_s = max(0.0, (self._clock.now() - recorded_at).total_seconds())
        return ProjectorProgress(
            position=position,
            lag_commits=self._feed.newest() - position,
            lag_s=lag_s,
            parked=self._parked,
            failure=self._failure,
        )

    # --- on the thread ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        delay_s = RETRY_FIRST_S
        while not self._closing.is_set():
            try:
                store, projector = self._opened()
                self._catch_up(store, projector)
                self._failure, delay_s = "", RETRY_FIRST_S
                self._follow(store, projector)
            except Exception as error:  # nothing that happens here may stop an order
                self._failed(error, delay_s)
                self._closing.wait(delay_s)
                delay_s = min(delay_s * 2, RETRY_LAST_S)

    def _failed(self, error: Exception, delay_s: float) -> None:
        from workflows.sql.database import SqlDamaged, SqlUnavailable

        self._failure = type(error).__name__
        extra = {"error": str(error), "again_in_s": delay_s}
        if isinstance(error, (SqlUnavailable, *STORE_ERRORS)):
            log.warning("the views fall behind", extra=extra)
        else:
            log.critical("the views fall behind, because the projector failed", exc_info=error, extra=extra)
        if isinstance(error, SqlDamaged):
            log.error("the database of the views is damaged: it is deleted and made again", extra=extra)
            self._views.database.discard()

    def _opened(self) -> tuple[ViewStore, Projector]:
        from workflows.projections.projector import Projector
        from workflows.projections.store import ViewStore
        from workflows.projections.views import all_views

        store = ViewStore(self._views.database, all_views(self._views.blind_index), self._clock)
        store.prepare()
        with store.reading() as connection:
            self._position = store.as_of(connection).position
        return store, Projector(store, self._load)

    def _follow(self, store: ViewStore, projector: Projector) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._closing.wait(GATHER_S)
            self._changed.clear()
            self._catch_up(store, projector)

    def _catch_up(self, store: ViewStore, projector: Projector) -> None:
        from workflows.projections.store import AsOf

        while not self._closing.is_set():
            changes = self._feed.changes(self._position, CHANGES_MAX)
            if not changes:
                break
            newest = changes[-1]
            as_of = AsOf(position=newest.position, recorded_at=newest.commit.ts)
            projector.project({change.commit.pk for change in changes}, as_of)
            self._position = newest.position
        with store.reading() as connection:
            self._parked = store.parked_count(connection)
