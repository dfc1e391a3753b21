"""The views of a world: one projector follows the log and is killed now and then, others write late what they loaded.

They only watch: no order depends on them, and they draw from a random of their own. Some orders cannot be read for a
while. At the end every row must be what a rebuild would store.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NoReturn

from sqlalchemy import Connection

from workflows.engine import Views
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import ChainBroken, History
from workflows.event_store.streams import CUSTOMER, ORDER, RESTAURANT, category_of
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.orders.blind_index import KEY_BYTES, BlindIndex
from workflows.projections.check import check
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import LogFollower
from workflows.projections.projector import Projector
from workflows.projections.store import ViewStore
from workflows.simulation.scheduler import Scheduler
from workflows.simulation.wire import ProcessKilled
from workflows.sql.database import SqlDatabase

NOTICE_LOST = 0.1
"""The share of commits whose notice the projector misses: it finds them after the next one."""

GATHER_S = (0.1, 30.0)
"""How long the projector gathers commits."""

KILLED = 0.03
"""The share of the moments of a transaction (before, at its end, after its commit) at which a projector is killed."""

STALLED, STALLED_S = 0.1, (1.0, 1200.0)
"""The share of commits at which another projector loads the stream, and how long it then stalls before it writes."""

UNREADABLE, UNREADABLE_S = 0.2, (60.0, 7200.0)
"""The share of orders that cannot be read from some commit on, and for how long; the longest last to the end."""


class ViewWriters:
    """Keeps the views of one world in a SQLite file of their own."""

    def __init__(self, log: InMemoryEventLog, *, scheduler: Scheduler, seed: int) -> None:
        self._log = log
        self._scheduler = scheduler
        self._random = Random(seed)
        self._folder = TemporaryDirectory(prefix="expediter-views-")
        self._database = _MortalDatabase(Path(self._folder.name) / "views.sqlite", self._random)
        self.views: Views = _ViewsOfWorld(self._database, log)
        self._unreadable: dict[str, float] = {}
        self._due = False
        self._opened = self._open()
        self.close = weakref.finalize(self, _remove, self._database, self._folder)
        log.on_commit(self._on_commit)

    def violations(self) -> Iterator[str]:
        """Describe in sentences what the views lack or have wrong, once the projector has read the whole log."""
        self.settle()
        with self._store.reading() as connection:
            parked = {each.stream for each in self._store.parked(connection)}
        for stream in self._unreadable:
            if not self._is_readable(stream) and stream not in parked:
                yield f"{stream} cannot be read, and the views do not list it as parked"
        self._unreadable.clear()
        Projector(self._store, self._load).mend(parked)
        for wrong in check(self._store, self._log).differences:
            yield f"the view {wrong.view} is not what a rebuild gives: {wrong.stream or 'it has rows of no stream'}"

    def settle(self) -> None:
        """Kill no projector any more, and project what is new."""
        self._database.killed = 0.0
        self._catch_up()

    def failed(self, stream: str) -> bool:
        """Whether the stream could not be read for a while."""
        return stream in self._unreadable

    def files(self) -> list[Path]:
        """Return the files of the database."""
        return [file for file in Path(self._folder.name).iterdir() if file.is_file()]

    def _on_commit(self, entry: FeedEntry) -> None:
        stream = entry.commit.pk
        if category_of(stream) == CUSTOMER:
            self._notice()
        if category_of(stream) not in {ORDER, RESTAURANT}:
            return
        if entry.commit.sk == 1 and self._random.random() < UNREADABLE:
            lasting_s = self._random.uniform(*UNREADABLE_S)
            self._unreadable[stream] = self._scheduler.now().timestamp() + lasting_s
        if self._random.random() < STALLED:
            self._scheduler.watch(lambda: self._write_late(stream))
        if not self._due and self._random.random() >= NOTICE_LOST:
            self._notice()

    def _notice(self) -> None:
        if not self._due:
            self._due = True
            self._scheduler.watch(self._follow)

    def _follow(self) -> None:
        self._scheduler.watch_pause(self._random.uniform(*GATHER_S))
        self._due = False
        self._catch_up()

    def _catch_up(self) -> None:
        """Project what is new. A projector that is killed leaves the rest to the next one, from the stored position."""
        while True:
            try:
                follower, store, projector = self._opened
                follower.catch_up(store, projector)
            except ProcessKilled:
                self._opened = self._open()
            else:
                return

    def _open(self) -> tuple[LogFollower, ViewStore, Projector]:
        follower = LogFollower(self.views, self._log, self._load, self._scheduler, build=_no_build)
        with self._database.spared():
            return follower, *follower.open()

    @property
    def _store(self) -> ViewStore:
        return self._opened[1]

    def _write_late(self, stream: str) -> None:
        """Be another projector that loads an order and stalls before it writes: the order has moved on by then."""
        loaded = self._load([stream])
        self._scheduler.watch_pause(self._random.uniform(*STALLED_S))
        if isinstance(loaded[stream], History):
            with self._database.spared():
                Projector(self._store, lambda _: loaded).project([stream])

    def _load(self, streams: Sequence[str]) -> Mapping[str, History | Exception]:
        unreadable = {stream for stream in streams if not self._is_readable(stream)}
        readable = loads_from(self._log)([stream for stream in streams if stream not in unreadable])
        return {**readable, **{stream: ChainBroken(stream, 1, "was changed") for stream in unreadable}}

    def _is_readable(self, stream: str) -> bool:
        return self._unreadable.get(stream, 0.0) <= self._scheduler.now().timestamp()


class _MortalDatabase(SqlDatabase):
    """A database whose writer is killed at a share of the moments of its transactions."""

    def __init__(self, file: Path, random: Random) -> None:
        super().__init__(file, readers=1)
        self.killed = KILLED
        self._random = random

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with super().writing() as connection:
            self._may_die()
            yield connection
            self._may_die()
        self._may_die()

    @contextmanager
    def spared(self) -> Iterator[None]:
        """Kill no writer within."""
        killed, self.killed = self.killed, 0.0
        try:
            yield
        finally:
            self.killed = killed

    def _may_die(self) -> None:
        if self._random.random() < self.killed:
            raise ProcessKilled


class _ViewsOfWorld(Views):
    def __init__(self, database: SqlDatabase, log: InMemoryEventLog) -> None:
        super().__init__("", BlindIndex(bytes(KEY_BYTES)), feed=log)
        self._database = database


def _no_build(_: Sequence[str]) -> NoReturn:
    raise AssertionError("the log of a world is too short for a build")


def _remove(database: SqlDatabase, folder: TemporaryDirectory[str]) -> None:
    database.close()
    folder.cleanup()
