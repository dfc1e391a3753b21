"""Rebuilding views: read from the whole log, beside readers and the projector, resumed after an interruption."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, inspect, select

from domain.identifiers import SYSTEM, Actor, Role, order_id_for
from domain.personal import Contact
from tests.domain.catalogue.trattoria import TRATTORIA
from tests.domain.order.stories import COMPLETED, PLACED, StoryLine, command_of, place
from tests.projections.histories import BLIND_INDEX, OPENING
from tests.recorded import HandClock
from workflows.catalogue.restaurants import change_restaurant
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.erasure import erase
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import ORDER, category_of, order_stream
from workflows.orders.blind_index import BlindIndex
from workflows.orders.command_handling import Caller, handle, load
from workflows.projections import rebuild as rebuild_module
from workflows.projections.bookkeeping import BUILDS, SHARES
from workflows.projections.loading import loads_from
from workflows.projections.orders import ORDERS
from workflows.projections.projector import Projector
from workflows.projections.rebuild import BuildProgress, BuildStopped, RebuildFrom, rebuild
from workflows.projections.store import ViewStore
from workflows.projections.views import all_views
from workflows.sql.database import HeldElsewhere, SqlDatabase
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

NAMES = tuple(sorted(view.name for view in all_views(BLIND_INDEX)))
TABLES = {*NAMES, *(sums.table.name for view in all_views(BLIND_INDEX) for sums in view.sums)}
ORDERS_PLACED = 10
STREAMS_BEFORE_KILL = 4


@contextmanager
def open_log(file: Path) -> Iterator[EventLog]:
    """Open a log for reading, also in another process."""
    with Database(file, read_only=True) as database:
        yield SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), HandClock())


@dataclass
class Kept:
    """A log in a file with some orders, and views of it that nothing was projected to."""

    store: ViewStore
    database: Database
    file: Path

    def __post_init__(self) -> None:
        self.keyring = SqliteKeyRing(self.database)
        self.log = SqliteEventLog(self.database, Codec(self.keyring, EVENT_TYPES), HandClock())
        self.source = RebuildFrom(open_log=partial(open_log, self.file), blind_index=BLIND_INDEX)
        self.projector = Projector(self.store, loads_from(self.log))

    def play(self, name: str, *lines: StoryLine, customer: str = "cleo", **changes: Any) -> str:
        order_id = order_id_for("app", name)
        for line in lines:
            history, order = load(self.log, order_id)
            command: Any = command_of(line, order)
            if hasattr(command, "customer"):
                command = replace(command, order_id=order_id, customer=customer, **changes)
            caller = Caller(SYSTEM, "test", "test")
            handle(self.log, command, order_id=order_id, key=f"{history.version}", caller=caller, loaded=history)
        return order_id

    def rebuild(self, **options: Any) -> None:
        rebuild(self.store, self.source, NAMES, **{"cores": 1, **options})

    def differences(self) -> list[tuple[str, str]]:
        """The views and streams whose stored rows are not those of the log."""
        found = []
        streams = sorted({commit.pk for commit in self.log.scan()})
        with self.store.reading() as connection:
            for view in self.store.views.values():
                ids = [stream.partition("#")[2] for stream in streams]
                rows = self.store.rows_of(connection, view, ids)
                for stream, id_ in zip(streams, ids, strict=True):
                    expected = view.rows(self.log.load(stream), 0) if category_of(stream) == view.category else []
                    if rows.get(id_, []) != expected:
                        found.append((view.name, stream))
        return found

    def tables(self) -> set[str]:
        with self.store.reading() as connection:
            return {name for name in inspect(connection).get_table_names() if not name.startswith("view_")}


@pytest.fixture
def kept(sql_database: SqlDatabase, tmp_path: Path) -> Iterator[Kept]:
    store = ViewStore(sql_database, all_views(BLIND_INDEX), HandClock())
    store.prepare()
    with Database(tmp_path / "log.sqlite") as database:
        made = Kept(store, database, tmp_path / "log.sqlite")
        for number in range(ORDERS_PLACED):
            made.play(f"order {number}", *(COMPLETED if number % 3 else PLACED))
        for change in OPENING:
            change_restaurant(made.log, TRATTORIA, change, Caller(Actor(Role.SUPPORT, "sue"), "test", "test"))
        yield made


def test_a_rebuild_makes_every_view_from_the_log(kept: Kept) -> None:
    """The rows are those of the newest histories, the new tables are the only ones, and the definition is recorded."""
    kept.rebuild()
    assert kept.differences() == []
    assert kept.tables() == TABLES
    with kept.store.reading() as connection:
        assert kept.store.outdated(connection) == []
        assert kept.store.builds(connection) == {}
        assert kept.store.count(connection, kept.store.views["orders"]) == ORDERS_PLACED


def test_a_rebuild_can_be_repeated(kept: Kept) -> None:
    """Names of indexes and constraints of the second build do not meet those of the first."""
    kept.rebuild()
    kept.rebuild()
    assert kept.differences() == []
    with kept.store.reading() as connection:
        assert {kept.store.built(connection, view).generation for view in kept.store.views.values()} == {2}
        expected = len(kept.store.views["orders"].table.indexes)
        assert len(inspect(connection).get_indexes("orders")) == expected


def test_processes_read_the_log_side_by_side(kept: Kept) -> None:
    """With more than one core, processes of their own compute the rows."""
    kept.rebuild(cores=2)
    assert kept.differences() == []


def test_readers_see_the_old_table_until_the_new_one_is_complete(kept: Kept) -> None:
    """Half a view must never be read."""
    kept.projector.project([order_stream(kept.play("order 0"))])
    seen: list[int] = []

    def look(_: BuildProgress) -> None:
        with kept.store.reading() as connection:
            seen.append(kept.store.count(connection, kept.store.views["orders"]))

    kept.rebuild(on_progress=look)
    assert set(seen) == {1}
    assert kept.differences() == []


def test_what_changes_during_a_rebuild_is_in_the_new_tables(kept: Kept) -> None:
    """A stream that was read already, one that is read later, and a new one."""
    changes = iter(range(1000))

    def change(_: BuildProgress) -> None:
        number = next(changes)
        first = kept.play("order 0", *(COMPLETED[len(PLACED) + number :][:1]))
        new = kept.play(f"new {number}", *PLACED)
        kept.projector.project([order_stream(first), order_stream(new)])

    kept.rebuild(on_progress=change)
    assert next(changes) > 3
    assert kept.differences() == []


def test_an_interrupted_rebuild_goes_on_where_it_was(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill after hours must not cost hours."""
    monkeypatch.setattr(rebuild_module, "STREAMS_AT_ONCE", 2)
    steps: list[BuildProgress] = []

    def stop(progress: BuildProgress) -> None:
        steps.append(progress)
        if len(steps) == 5:
            raise BuildStopped

    with pytest.raises(BuildStopped):
        kept.rebuild(on_progress=stop)
    assert kept.tables() > TABLES
    at_the_stop = steps[-1]
    kept.rebuild(on_progress=steps.append)
    assert steps[5].streams >= at_the_stop.streams > 0
    assert steps[-1].streams == ORDERS_PLACED + 1  # and the restaurant
    assert kept.differences() == []
    assert kept.tables() == TABLES


def test_a_rebuild_stores_what_it_computed_before_it_reads_on(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of all shares that wait to be stored took 400 MB beside the engine, and a kill would lose them."""
    computed, chunk = [], rebuild_module._chunk

    def counted(*place: Any) -> Any:
        computed.append(place)
        return chunk(*place)

    monkeypatch.setattr(rebuild_module, "_chunk", counted)
    unstored: list[int] = []
    kept.rebuild(on_progress=lambda _: unstored.append(len(computed) - len(unstored)))
    assert set(unstored) == {1}


@pytest.mark.parametrize("sql_url", ["sqlite"], indirect=True)
def test_a_rebuild_that_was_killed_goes_on_where_it_was(kept: Kept) -> None:
    """As by the kernel for want of memory: nothing is repaired before, and what is stored is not read again."""
    views = kept.store.database.url.render_as_string()
    killed = multiprocessing.get_context("spawn").Process(target=rebuild_until_killed, args=(views, kept.file))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    steps: list[BuildProgress] = []
    kept.rebuild(on_progress=steps.append)
    assert steps[0].streams > STREAMS_BEFORE_KILL
    assert kept.differences() == []
    assert kept.tables() == TABLES


def rebuild_until_killed(views: str, log: Path) -> None:
    """Be killed after some streams are stored."""
    rebuild_module.STREAMS_AT_ONCE = 2

    def kill(progress: BuildProgress) -> None:
        if progress.streams >= STREAMS_BEFORE_KILL:
            os.kill(os.getpid(), signal.SIGKILL)

    with SqlDatabase(views) as database:
        store = ViewStore(database, all_views(BLIND_INDEX), HandClock())
        source = RebuildFrom(open_log=partial(open_log, log), blind_index=BLIND_INDEX)
        rebuild(store, source, NAMES, cores=1, on_progress=kill)


def test_an_interrupted_rebuild_of_another_definition_is_thrown_away(kept: Kept) -> None:
    """After an upgrade in the middle of a build its half-filled tables have the wrong shape."""

    def stop(_: BuildProgress) -> None:
        raise BuildStopped

    with pytest.raises(BuildStopped):
        kept.rebuild(on_progress=stop)
    offers = kept.store.views["offers"]
    kept.store.views["offers"] = replace(offers, version=offers.version + 1)
    kept.rebuild()
    assert kept.tables() == TABLES
    with kept.store.reading() as connection:
        assert kept.store.outdated(connection) == []
        assert connection.execute(select(SHARES)).all() == connection.execute(select(BUILDS)).all() == []


def test_two_rebuilds_do_not_run_at_once(kept: Kept) -> None:
    """The second would drop what the first one builds."""
    with kept.store.database.alone("build"), pytest.raises(HeldElsewhere):
        kept.rebuild()
    kept.rebuild()
    assert kept.differences() == []


def test_another_version_or_another_key_makes_a_view_outdated(kept: Kept) -> None:
    """The stored rows would not be what this code, or this key, computes."""
    kept.rebuild()
    other_key = all_views(BlindIndex(b"o" * 32))
    with kept.store.reading() as connection:
        assert [view.name for view in ViewStore(kept.store.database, other_key, HandClock()).outdated(connection)] == [
            "orders"
        ]
        tickets = kept.store.views["tickets"]
        kept.store.views["tickets"] = replace(tickets, version=tickets.version + 1)
        assert [view.name for view in kept.store.outdated(connection)] == ["tickets"]


def test_a_stream_that_is_broken_is_parked_by_a_rebuild_and_tried_again_by_the_next(kept: Kept) -> None:
    """One damaged history does not stop the rebuild of a million others."""
    stream = order_stream(kept.play("order 1"))
    [(good,)] = kept.database.read(
        lambda c: c.execute("SELECT ev FROM events WHERE pk = ? AND sk = 1", (stream,)).fetchall()
    )
    spoil = "UPDATE events SET ev = ? WHERE pk = ? AND sk = 1"
    kept.database.write(lambda c: c.execute(spoil, ("spoiled", stream)).close())
    kept.rebuild()
    with kept.store.reading() as connection:
        parked = kept.store.parked(connection)
        assert {(each.view, each.stream, each.error) for each in parked} == {
            (view.name, stream, "ChainBroken") for view in kept.store.views.values() if view.category == ORDER
        }
        assert kept.store.count(connection, kept.store.views["orders"]) == ORDERS_PLACED - 1
    kept.database.write(lambda c: c.execute(spoil, (good, stream)).close())
    kept.rebuild()
    assert kept.differences() == []
    with kept.store.reading() as connection:
        assert kept.store.parked(connection) == []


def test_an_erasure_during_a_rebuild_is_in_the_new_table(kept: Kept) -> None:
    """A process may have read the customer's key before it was destroyed."""
    contact = Contact(name="Ada", phone="030 555 0000", address="")
    kept.play("of ada", place(), customer="ada", contact=contact)
    stages: list[int] = []

    def erase_first(_: BuildProgress) -> None:
        if not stages:
            erase(kept.log, kept.keyring, HandClock(), "ada", actor=SYSTEM, reason="asked")
        stages.append(1)

    kept.rebuild(on_progress=erase_first)
    with kept.store.reading() as connection:
        found = select(ORDERS.c.order_id).where(ORDERS.c.phone_index == BLIND_INDEX.phone("030 555 0000"))
        assert connection.execute(found).all() == []
    assert kept.differences() == []


def test_rows_that_a_view_lost_are_back_after_a_rebuild(kept: Kept) -> None:
    """Everything in the tables can be thrown away."""
    kept.rebuild()
    with kept.store.writing() as connection:
        for view in kept.store.views.values():
            connection.execute(delete(view.table))
    kept.rebuild()
    assert kept.differences() == []
