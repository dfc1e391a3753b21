"""Builds the views of an engine's folder in a process of its own, beside the engine and after everything else.

An engine starts it when the stored views were built with another definition than that of this code. It gives way to the
engine on a busy machine, and stops when the engine has ended; the next one continues where it stopped.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.boundary.private_files import secret_in
from workflows.clock import SystemClock
from workflows.embedded.files import DATABASE, VIEWS, VIEWS_KEY
from workflows.engine import EVENT_TYPES, Views
from workflows.event_store.change_feed import Feed
from workflows.event_store.codec import Codec
from workflows.orders.blind_index import KEY_BYTES, BlindIndex
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

if TYPE_CHECKING:
    from workflows.projections.rebuild import BuildProgress, RebuildFrom
    from workflows.projections.store import ViewStore

log = logging.getLogger(__name__)

_NICE = 10
"""As the command ``nice`` by default: it gets what the engine leaves."""


def views_key(folder: Path) -> bytes:
    """Return the key of the blind indexes in an engine's folder; create it if it is missing. Raises SecretUnusable."""
    return secret_in(folder / VIEWS_KEY, KEY_BYTES, otherwise="the views are then built again")


def views_of(
    folder: Path, *, feed: Feed | None = None, elsewhere: Callable[[Callable[[], Any]], Any] = lambda call: call()
) -> Views:
    """Return the views in an engine's folder; ``feed`` and ``elsewhere`` are as of ``Views``. Raises SecretUnusable."""
    return Views(folder / VIEWS, BlindIndex(views_key(folder)), feed=feed, elsewhere=elsewhere)


@contextmanager
def read_log(folder: Path) -> Iterator[SqliteEventLog]:
    """Open the log in an engine's folder for reading, beside the engine that may run on it.

    Raises:
        FileNotFoundError: The folder has no log.
    """
    with Database(folder / DATABASE, read_only=True) as database:
        yield SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())


@contextmanager
def opened_views(folder: Path) -> Iterator[tuple[ViewStore, RebuildFrom]]:
    """Open the views in an engine's folder, and what they are built from. Raises SecretUnusable, SqlUnavailable."""
    from workflows.projections.rebuild import RebuildFrom
    from workflows.projections.store import ViewStore

    views = views_of(folder)
    source = RebuildFrom(open_log=partial(read_log, folder), blind_index=views.blind_index)
    try:
        store = ViewStore(views.database, source.views, SystemClock())
        store.prepare()
        yield store, source
    finally:
        views.close()


def start_building(folder: Path, names: Collection[str]) -> SpawnProcess:
    """Start the process that builds these views. Its exit code is 0 once they are in place."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_build, args=(folder, tuple(names), os.getpid()), name="view builder", daemon=True)
    process.start()
    return process


def _build(folder: Path, names: Collection[str], engine_pid: int) -> None:
    from workflows.projections.rebuild import BuildStopped, rebuild
    from workflows.sql.database import HeldElsewhere

    def stop_with_the_engine(_: BuildProgress) -> None:
        if os.getppid() != engine_pid:
            raise BuildStopped

    os.nice(_NICE)
    with opened_views(folder) as (store, source):
        try:
            rebuild(store, source, names, cores=1, on_progress=stop_with_the_engine)
        except BuildStopped:
            log.info("the engine has ended; the next one goes on building the views")
        except HeldElsewhere as held:
            log.info("%s", held)
