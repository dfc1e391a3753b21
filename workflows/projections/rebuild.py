"""Rebuild views from the whole log, beside the tables that are read meanwhile, and swap them in one transaction.

1. New tables are created and recorded as being built. From then on the projector writes each change to them too.
2. Processes read the log, a share of its streams each, and compute the rows; this process stores them, together with
   how far each share is. A build that was killed continues from there.
3. Indexes are made, streams that were parked are tried again, and one transaction puts the new tables in place
   and sums up their rows.

Changes during the build end up right in any order, because a row never replaces one of a higher version.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from sqlalchemy import Connection, delete, insert, select, update

from workflows.event_store.commits import History
from workflows.event_store.event_log import EventLog, Share, place_after
from workflows.event_store.replay import BrokenStream, OpenLog, histories
from workflows.event_store.streams import CUSTOMER, ORDER, category_of, id_in, order_stream
from workflows.event_store.worker_processes import worker_pool
from workflows.orders.blind_index import BlindIndex
from workflows.projections.bookkeeping import SHARES
from workflows.projections.loading import loads_from
from workflows.projections.store import Build, ViewStore, build_table
from workflows.projections.view import Row, View
from workflows.projections.views import all_views
from workflows.sql.schema import analyze, create_indexes, create_without_indexes, drop, swap

SHARES_MAX = 64
"""Parts that the log is divided into: so many that all cores have work until the end."""

STREAMS_AT_ONCE = 200
"""Histories whose rows are stored in one transaction, some 3 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgress:
    """How far a build is: ``shares`` of ``of`` shares are read, with ``streams`` streams in them."""

    shares: int
    of: int
    streams: int


class BuildStopped(Exception):
    """The build was asked to stop. Started again, it continues where it stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebuildFrom:
    """What the processes of a build need: the log, and the blind indexes. It is pickled."""

    open_log: OpenLog
    blind_index: BlindIndex

    @property
    def views(self) -> tuple[View, ...]:
        return all_views(self.blind_index)


def rebuild(
    store: ViewStore,
    source: RebuildFrom,
    names: Collection[str],
    *,
    cores: int | None = None,
    on_progress: Callable[[BuildProgress], None] = lambda _: None,
) -> None:
    """Rebuild these views, or continue a rebuild of them that was interrupted.

    Args:
        cores: Processes that read the log; None: one for each core that this process may use; 1: this process reads.
        on_progress: Called after each transaction. It may raise BuildStopped.

    Raises:
        HeldElsewhere: Another process builds views of this database.
        SqlUnavailable, StreamUnavailable, KeyRingUnavailable: Retryable: yes; the build continues where it stopped.
    """
    views = [store.views[name] for name in sorted(names)]
    with store.database.alone("build"):
        with source.open_log() as log:
            _begin(store, views, log)
            cores = cores or len(os.sched_getaffinity(0))
            with _computing(source, log, names, cores) as compute:
                _fill(store, views, compute, 1 if cores == 1 else 2 * cores, on_progress)
            _add_indexes(store, views)
            _try_parked_again(store, views, log)
        with source.open_log() as log:  # opened again, because a log keeps the keys that it has read
            _project_erased_again(store, views, log)
        _put_in_place(store, views)


# --- begin ------------------------------------------------------------------------------------------------------------


def _begin(store: ViewStore, views: Sequence[View], log: EventLog) -> None:
    """Create the tables and record the shares, unless a build of the same definitions was interrupted.

    The log is read after this transaction: what is committed later, the projector writes to the new tables.
    """
    shares = log.shares(SHARES_MAX)
    with store.building() as connection:
        builds = store.builds(connection)
        if _is_of(builds, views):
            return
        for name, build in builds.items():
            drop(connection, f"{name}_{build.generation}")
            store.forget_build(connection, name)
        connection.execute(delete(SHARES))
        for view in views:
            generation = store.built(connection, view).generation + 1
            table = build_table(view, generation)
            drop(connection, table.name)
            create_without_indexes(connection, table)
            store.begin_build(connection, view, generation)
        rows = [share._asdict() | {"done_to": None, "streams": 0, "done": 0} for share in shares]
        connection.execute(insert(SHARES), rows)


def _is_of(builds: dict[str, Build], views: Sequence[View]) -> bool:
    return {name: (build.version, build.fingerprint) for name, build in builds.items()} == {
        view.name: (view.version, view.fingerprint) for view in views
    }


# --- fill -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Chunk:
    """The rows of the next streams of a share, by view. ``last`` is the last stream, None if the share ended."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    failed: list[tuple[str, str, str]] = field(default_factory=list)
    streams: int = 0
    last: str | None = None


_Compute: TypeAlias = Callable[[Share, str | None], "Future[_Chunk]"]


def _fill(
    store: ViewStore,
    views: Sequence[View],
    compute: _Compute,
    at_once: int,
    on_progress: Callable[[BuildProgress], None],
) -> None:
    """Store the rows of all shares.

    Args:
        at_once: Chunks that are computed or wait to be stored. Of more, each would take memory and be lost by a kill.
    """
    to_read = deque(_open_shares(store))
    pending: dict[Future[_Chunk], Share] = {}
    while to_read or pending:
        while to_read and len(pending) < at_once:
            share, done_to = to_read.popleft()
            pending[compute(share, done_to)] = share
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            share, chunk = pending.pop(future), future.result()
            on_progress(_stored(store, views, share, chunk))
            if chunk.last is not None:
                to_read.appendleft((share, chunk.last))


@contextmanager
def _computing(source: RebuildFrom, log: EventLog, names: Collection[str], cores: int) -> Iterator[_Compute]:
    if cores == 1:
        views = [view for view in source.views if view.name in names]
        yield lambda share, after: _now(lambda: _chunk(log, views, share, after))
        return
    executor = worker_pool(cores, _open, source, names)
    try:
        yield lambda share, after: executor.submit(_chunk_of_this_process, share, after)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _now(compute: Callable[[], _Chunk]) -> Future[_Chunk]:
    future: Future[_Chunk] = Future()
    future.set_result(compute())
    return future


def _open_shares(store: ViewStore) -> list[tuple[Share, str | None]]:
    with store.reading() as connection:
        rows = connection.execute(select(SHARES).where(SHARES.c.done == 0).order_by(SHARES.c.number)).all()
    return [(Share(row.number, row.of, row.first, row.before), row.done_to) for row in rows]


def _stored(store: ViewStore, views: Sequence[View], share: Share, chunk: _Chunk) -> BuildProgress:
    with store.writing() as connection:
        builds = store.builds(connection)
        for view in views:
            table = build_table(view, builds[view.name].generation)
            store.put(connection, view, chunk.rows.get(view.name, []), table=table)
        for view_name, stream, error in chunk.failed:
            store.park(connection, view_name, stream, error)
        done = {"done": 1} if chunk.last is None else {"done_to": chunk.last}
        progress = {**done, "streams": SHARES.c.streams + chunk.streams}
        connection.execute(update(SHARES).where(SHARES.c.number == share.number).values(progress))
        return _progress(connection)


def _progress(connection: Connection) -> BuildProgress:
    rows = connection.execute(select(SHARES.c.done, SHARES.c.streams)).all()
    return BuildProgress(shares=sum(row.done for row in rows), of=len(rows), streams=sum(row.streams for row in rows))


# --- in a process of the pool -----------------------------------------------------------------------------------------

_opened: list[tuple[EventLog, list[View]]] = []
_until_exit = ExitStack()


def _open(source: RebuildFrom, names: Collection[str]) -> None:
    log = _until_exit.enter_context(source.open_log())
    _opened.append((log, [view for view in source.views if view.name in names]))


def _chunk_of_this_process(share: Share, after: str | None) -> _Chunk:
    log, views = _opened[0]
    return _chunk(log, views, share, after)


def _chunk(log: EventLog, views: Sequence[View], share: Share, after: str | None) -> _Chunk:
    """Compute the rows of the next streams of a share, those after the stream ``after``."""
    chunk = _Chunk()
    place = None if after is None else place_after(after)
    for replayed in islice(histories(log, place, share), STREAMS_AT_ONCE):
        chunk.streams += 1
        chunk.last = replayed.stream
        for view in views:
            if view.category == category_of(replayed.stream):
                _add(chunk, view, replayed)
    if chunk.streams < STREAMS_AT_ONCE:
        chunk.last = None
    return chunk


def _add(chunk: _Chunk, view: View, replayed: History | BrokenStream) -> None:
    try:
        if isinstance(replayed, BrokenStream):
            raise replayed.error
        chunk.rows.setdefault(view.name, []).extend(view.rows(replayed, 0))
    except Exception as error:  # of one stream; it is parked
        chunk.failed.append((view.name, replayed.stream, type(error).__name__))


# --- put in place -----------------------------------------------------------------------------------------------------


def _add_indexes(store: ViewStore, views: Sequence[View]) -> None:
    for view in views:
        with store.reading() as connection:
            table = build_table(view, store.builds(connection)[view.name].generation)
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            with store.building() as connection:  # one at a time: the projector writes in between
                create_indexes(connection, table, only=index)
        with store.building() as connection:
            analyze(connection, table.name)


def _try_parked_again(store: ViewStore, views: Sequence[View], log: EventLog) -> None:
    """Store the rows of parked streams that can be computed by now, and forget that they were parked."""
    names = {view.name: view for view in views}
    with store.reading() as connection:
        parked = [each for each in store.parked(connection) if each.view in names]
        builds = store.builds(connection)
    load = loads_from(log)
    for each in parked:
        view, history = names[each.view], load([each.stream])[each.stream]
        try:
            rows = view.rows(history, 0) if isinstance(history, History) else None
        except Exception:
            rows = None
        if rows is not None:
            with store.writing() as connection:
                store.put(connection, view, rows, table=build_table(view, builds[view.name].generation))
                store.unpark(connection, view.name, each.stream)


def _project_erased_again(store: ViewStore, views: Sequence[View], log: EventLog) -> None:
    """Compute the orders of customers that were erased during the build again: their keys may have been read before."""
    with store.reading() as connection:
        builds = store.builds(connection)
        tables = {view.name: build_table(view, builds[view.name].generation) for view in views}
        customers = _erased_since(log, min(build.started_at for build in builds.values()))
        orders = store.orders_of(connection, customers, tables.get("orders"))
    for order_id in orders:
        history = log.load(order_stream(order_id))
        with store.writing() as connection:
            for view in views:
                if view.category == ORDER:
                    store.put(connection, view, view.rows(history, 0), table=tables[view.name], again=True)


def _erased_since(log: EventLog, began: str) -> list[str]:
    streams = Share(0, 1, f"{CUSTOMER}#", f"{CUSTOMER}$")
    customers = (each for each in histories(log, None, streams) if category_of(each.stream) == CUSTOMER)
    return [id_in(each.stream) for each in customers if isinstance(each, BrokenStream) or each.last_ts >= began]


def _put_in_place(store: ViewStore, views: Sequence[View]) -> None:
    with store.building() as connection:
        if any(view.sums for view in views):
            store.lock_sums(connection)  # before the tables, as the projector does
        builds = store.builds(connection)
        for view in views:
            generation = builds[view.name].generation
            swap(connection, build_table(view, generation).name, view.name, wipe=view.has_blind_indexes)
            store.sum_up(connection, view)
            store.set_built(connection, view, generation)
            store.forget_build(connection, view.name)
        connection.execute(delete(SHARES))
