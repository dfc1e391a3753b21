"""Keeps the views of an embedded engine up to date: the loop of its projector, wherever that runs.

``wake`` only sets a flag. The loop reads the log from its position on, which is stored with the rows in one
transaction, four times a second at most: an order that moves through several commits meanwhile is projected once.
Every failure here (a full disk, a locked or damaged file, a bug in a view) is logged, and the work is tried again with
growing delays. The views fall behind and no order waits for them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from workflows.clock import Clock
from workflows.engine import Views
from workflows.event_store.change_feed import Feed, FeedEntry
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import CUSTOMER, category_of
from workflows.projections.loading import STORE_ERRORS, LoadHistories
from workflows.projections.progress import NOT_STARTED, ProjectorState

if TYPE_CHECKING:  # SQLAlchemy takes long to import: ``run`` does it
    from workflows.projections.comparison import DailyComparison
    from workflows.projections.projector import Projector
    from workflows.projections.store import AsOf, ViewStore

log = logging.getLogger(__name__)

GATHER_S = 0.25
"""How long commits are gathered before they are projected together: what a view lags, and what an order costs."""

CHANGES_MAX = 1000
"""Commits that are read together."""

RETRY_FIRST_S, RETRY_LAST_S = 0.5, 30.0
"""After a failure the projector waits 0.5 s, then twice the last delay, up to 30 s."""

LOOK_FOR_COMMITS_EVERY_S = 5.0
"""How often the log is read without being woken, so that a lost wake-up delays the views and does not stop them."""


BUILD_FROM = 20_000
"""New views of a log with more commits are built from a scan of it, in a process of its own."""

LOOK_EVERY_S, BUILD_AGAIN_S = 1.0, 60.0
"""How often the projector looks whether a build has ended, and how long it waits after one that failed."""

COMPARING_PART, COMPARE_LOOK_EVERY_S = 0.1, 60.0
"""The part of its time that the projector compares at most, and how often it looks whether a comparison is due."""


class FollowedLog(EventLog, Feed, Protocol):
    """A log that is read by position and by stream."""


class Builder(Protocol):
    """The process that builds views, as ``multiprocessing.Process`` is one. ``exitcode`` is None while it runs."""

    @property
    def exitcode(self) -> int | None: ...

    def terminate(self) -> None: ...

    def join(self) -> None: ...


class LogFollower:
    """Projects a log to its views, from ``run`` until ``stop``."""

    def __init__(
        self,
        views: Views,
        log_: FollowedLog,
        load: LoadHistories,
        clock: Clock,
        build: Callable[[Sequence[str]], Builder],
        *,
        forget_keys: Callable[[], None] = lambda: None,
        report: Callable[[ProjectorState], None] = lambda _: None,
        on_work: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare the loop.

        Args:
            build: Starts the process that builds these views from the whole log.
            forget_keys: Called before commits of a customer are projected: one of them may record that the customer's
                data key was destroyed, by another process, so no key may be used that was read before.
            report: Called whenever the state may have changed, and after each attempt.
            on_work: Called with each statement on the views, and while it proceeds: as of ``SqlDatabase``.
        """
        self._views = views
        self._log = log_
        self._load = load
        self._clock = clock
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._build = build
        self._forget_keys = forget_keys
        self._report = report
        self._on_work = on_work
        self._builder: Builder | None = None
        self._build_again_s = 0.0
        self._position = 0
        self._parked = 0
        self._comparison: DailyComparison | None = None
        self._compare_again_s = 0.0
        self._failure = NOT_STARTED

    # --- from any thread -------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Note that the log has new commits."""
        self._changed.set()

    def stop(self) -> None:
        """Let ``run`` finish the transaction under way, and return. Idempotent."""
        self._closing.set()
        self._changed.set()

    @property
    def state(self) -> ProjectorState:
        """How far the views are."""
        return ProjectorState(
            position=self._position,
            parked=self._parked,
            mended=self._comparison.mended if self._comparison is not None else 0,
            failure=self._failure,
        )

    # --- the loop --------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Continue from the stored position, and follow the log until ``stop``."""
        try:
            self._run()
        finally:
            if self._builder is not None:
                self._builder.terminate()  # the next projector continues where it stopped
                self._builder.join()

    def _run(self) -> None:
        delay_s = RETRY_FIRST_S
        while not self._closing.is_set():
            try:
                store, projector = self.open()
                self.catch_up(store, projector)
                self._call_built(store)
                self._failure, delay_s = "", RETRY_FIRST_S
                self._report(self.state)
                self._follow(store, projector)
            except Exception as error:  # no failure here may stop an order
                self._failed(error, delay_s)
                self._closing.wait(delay_s)
                delay_s = min(delay_s * 2, RETRY_LAST_S)

    def _failed(self, error: Exception, delay_s: float) -> None:
        from workflows.sql.database import SqlDamaged, SqlUnavailable

        self._failure = type(error).__name__
        self._report(self.state)
        extra = {"error": str(error), "again_in_s": delay_s}
        if isinstance(error, (SqlUnavailable, *STORE_ERRORS)):
            log.warning("the views fall behind", extra=extra)
        else:
            log.critical("the views fall behind, because the projector failed", exc_info=error, extra=extra)
        if isinstance(error, SqlDamaged):
            log.error("the database of the views cannot be used: it is deleted and made again", extra=extra)
            self._views.database.discard()

    def open(self) -> tuple[ViewStore, Projector]:
        """Open the views at their stored position. The simulation calls this and ``catch_up`` at its own times."""
        from workflows.projections.projector import Projector
        from workflows.projections.store import AsOf, ViewStore
        from workflows.projections.views import all_views

        store = ViewStore(self._views.database, all_views(self._views.blind_index), self._clock)
        store.database.on_work = self._on_work
        store.prepare()
        with store.writing() as connection:
            as_of = store.as_of(connection)
            self._check_log(as_of)
            newest = self._log.newest()
            if as_of.position == 0 and newest > BUILD_FROM:  # a build reads these, the loop later ones
                last = self._last_up_to(newest)
                as_of = AsOf(position=last.position, recorded_at=last.commit.ts)
                store.advance(connection, as_of)
            self._is_first = as_of.position == 0
            self._position = as_of.position
        return store, Projector(store, self._load)

    def _last_up_to(self, position: int) -> FeedEntry:
        """Return the last commit up to this position that can be read."""
        while not (entries := self._log.changes(position - 1, 1)):
            position -= 1
        return entries[0]

    def _check_log(self, as_of: AsOf) -> None:
        """Raise SqlDamaged if the views are of another log, e.g. because an older one was restored beside them."""
        from workflows.sql.database import SqlDamaged

        if as_of.position == 0:
            return
        entries = self._log.changes(as_of.position - 1, 1)
        if not entries or (entries[0].position, entries[0].commit.ts) != (as_of.position, as_of.recorded_at):
            raise SqlDamaged("the views are of another log")

    def _follow(self, store: ViewStore, projector: Projector) -> None:
        while not self._closing.is_set():
            self._look_after_build(store)
            building = self._builder is not None or self._build_again_s > time.monotonic()
            self._changed.wait(LOOK_EVERY_S if building else self._idle_s)
            self._closing.wait(GATHER_S)
            self._changed.clear()
            self.catch_up(store, projector)
            if not building:
                self._compare(store)
            self._report(self.state)

    @property
    def _idle_s(self) -> float:
        """How long to wait for commits: until the next look at the log, or the next comparison if that comes first."""
        return min(LOOK_FOR_COMMITS_EVERY_S, max(0.0, self._compare_again_s - time.monotonic()))

    def _compare(self, store: ViewStore) -> None:
        """Compare some streams with the log, if it is time."""
        from workflows.projections.comparison import DailyComparison

        began_s = time.monotonic()
        if began_s < self._compare_again_s or self._closing.is_set():
            return
        if self._comparison is None:
            self._comparison = DailyComparison(store, self._log, self._clock)
        goes_on = self._comparison.advance()
        took_s = time.monotonic() - began_s
        self._compare_again_s = began_s + (took_s / COMPARING_PART if goes_on else COMPARE_LOOK_EVERY_S)

    def _call_built(self, store: ViewStore) -> None:
        """Record that empty views, to which a short log was projected from its beginning, are complete."""
        if self._is_first and not self._closing.is_set():
            with store.writing() as connection:
                for view in store.outdated(connection):
                    store.set_built(connection, view)

    def _look_after_build(self, store: ViewStore) -> None:
        """Start the build of views whose definition is another one, and start it again if it failed."""
        builder = self._builder
        if builder is not None and builder.exitcode is None:
            return
        if builder is not None:
            self._builder = None
            if builder.exitcode != 0:
                log.error("building the views failed, and is tried again", extra={"exit_code": builder.exitcode})
                self._build_again_s = time.monotonic() + BUILD_AGAIN_S
        if time.monotonic() < self._build_again_s:
            return
        with store.reading() as connection:
            outdated = [view.name for view in store.outdated(connection)]
        if outdated:
            log.info("views are built again from the log", extra={"views": outdated})
            self._builder = self._build(outdated)

    def catch_up(self, store: ViewStore, projector: Projector) -> None:
        """Project all commits behind the position."""
        from workflows.projections.store import AsOf

        may_be_more = True
        while may_be_more and not self._closing.is_set():
            changes = self._log.changes(self._position, CHANGES_MAX)
            may_be_more = len(changes) == CHANGES_MAX  # what comes meanwhile sets the flag, and is gathered
            if any(category_of(change.commit.pk) == CUSTOMER for change in changes):
                self._forget_keys()
            if changes:
                newest = changes[-1]
                as_of = AsOf(position=newest.position, recorded_at=newest.commit.ts)
                projector.project({change.commit.pk for change in changes}, as_of)
                self._position = newest.position
                self._report(self.state)
        with store.reading() as connection:
            self._parked = store.parked_count(connection)
