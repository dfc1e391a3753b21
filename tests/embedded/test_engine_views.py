"""The views of an embedded engine: they follow its log, and nothing that happens to them stops an order."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from queue import Queue

import pytest

from tests.embedded.viewed_engine import DEADLINE_S, engine, order, orders_in, wait_until, wait_until_current
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.files import DATABASE, VIEWS, VIEWS_KEY
from workflows.event_store.streams import order_stream
from workflows.projections import comparison, log_follower
from workflows.projections.projector import Projector
from workflows.projections.store import AsOf
from workflows.sql import database

PERSONAL = ("Zacharina", "Quillfeather", "987654321", "Schwanenwerder", "otter")


def test_an_order_is_in_the_views_soon_after_its_commit(tmp_path: Path) -> None:
    """The projector follows the commits of the engine."""
    with engine(tmp_path / "data") as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
        assert orders_in(tmp_path / "data") == {order_id}


def test_the_next_engine_continues_where_the_last_one_stopped(tmp_path: Path) -> None:
    """The position is stored with the rows, and what was committed meanwhile is found in the log."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        first = order(opened, "one")
        opened.projector.close()
        second = order(opened, "two")
    with engine(folder) as opened:
        wait_until_current(opened)
        assert orders_in(folder) == {first, second}


def test_deleted_views_are_made_again_from_the_log(tmp_path: Path) -> None:
    """The file is derived: a backup may leave it out, and an operator may delete it while no engine runs."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
    for file in folder.glob(f"{VIEWS}*"):
        file.unlink()
    with engine(folder) as opened:
        wait_until_current(opened)
        assert orders_in(folder) == {order_id}


def test_views_that_cannot_be_written_stop_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the file is no database; a full disk is refused in the same way. Once it can be written, they catch up."""
    monkeypatch.setattr(log_follower, "RETRY_FIRST_S", 0.05)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / VIEWS).mkdir()
    with engine(folder) as opened:
        order_id = order(opened, "one")
        assert opened.ports.log.load(order_stream(order_id)).version == 2
        assert opened.projector.progress().lag_commits == 1
        assert not opened.failed.done()
        (folder / VIEWS).rmdir()
        wait_until_current(opened)
        assert orders_in(folder) == {order_id}


def test_a_full_disk_for_the_views_stops_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite refuses pages here as on a full disk. Orders go on, and once there is room, the views catch up."""
    monkeypatch.setattr(log_follower, "RETRY_FIRST_S", 0.05)
    monkeypatch.setattr(log_follower, "RETRY_LAST_S", 0.05)
    connect, opened_connections = database._sqlite_connection, list[sqlite3.Connection]()

    def connect_within(file: Path, read_only: bool) -> sqlite3.Connection:
        connection = connect(file, read_only)
        connection.execute("PRAGMA max_page_count = 80")  # the empty tables have fewer
        opened_connections.append(connection)
        return connection

    monkeypatch.setattr(database, "_sqlite_connection", connect_within)
    folder = tmp_path / "data"
    with engine(folder) as opened:
        placed = {order(opened, f"order {number}") for number in range(200)}
        wait_until(lambda: opened.projector.progress().state.failure == "SqlUnavailable")
        placed.add(order(opened, "while it is full"))
        assert not opened.failed.done()
        for connection in opened_connections:
            connection.execute("PRAGMA max_page_count = 1000000")
        wait_until_current(opened)
        assert orders_in(folder) == placed


def test_rows_that_cannot_be_read_hide_no_later_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of nothing but unreadable rows must not look like the end of the log to the projector."""
    monkeypatch.setattr(log_follower, "CHANGES_MAX", 2)
    folder = tmp_path / "data"
    with engine(folder) as opened:
        for number in range(6):
            order(opened, f"damaged {number}")
    for file in folder.glob(f"{VIEWS}*"):
        file.unlink()
    with closing(sqlite3.connect(folder / DATABASE)) as log, log:
        log.execute("UPDATE events SET ts = CAST(x'ff' AS TEXT)")
    with engine(folder) as opened:
        wait_until_current(opened)
        last = order(opened, "last")
        wait_until_current(opened)
        assert orders_in(folder) == {last}


def test_a_damaged_database_of_views_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in it is worth a repair by hand."""
    monkeypatch.setattr(log_follower, "RETRY_FIRST_S", 0.05)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / VIEWS).write_bytes(b"no database at all " * 500)
    with engine(folder) as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
        assert orders_in(folder) == {order_id}


def test_rows_that_differ_from_the_log_are_mended_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a day the engine compares the views with the log, and counts what it mends."""
    monkeypatch.setattr(log_follower, "COMPARE_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(comparison, "COMPARE_EVERY", timedelta(0))
    monkeypatch.setattr(comparison, "SETTLED", timedelta(0))
    folder = tmp_path / "data"
    with engine(folder) as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
        with closing(sqlite3.connect(folder / VIEWS)) as views, views:
            views.execute("DELETE FROM orders")
        wait_until(lambda: orders_in(folder) == {order_id})
        wait_until(lambda: opened.projector.progress().state.mended == 1)


def test_no_personal_data_is_in_any_file_of_the_views(tmp_path: Path) -> None:
    """Neither in pages nor in the WAL nor in free pages: personal data is in the log alone, encrypted."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        for number in range(20):
            order(opened, f"order {number}")
        wait_until_current(opened)
        files = list(folder.glob("views*"))
        assert {file.name for file in files} >= {VIEWS, f"{VIEWS}-wal", VIEWS_KEY}
        stored = b"".join(file.read_bytes() for file in files)
    stored += b"".join(file.read_bytes() for file in folder.glob("views*"))
    assert b"luigi" in stored, "the restaurant is there"
    assert [text for text in PERSONAL if text.encode() in stored] == []
    assert b"luigi" not in (folder / VIEWS_KEY).read_bytes()


def test_the_key_of_the_blind_indexes_is_for_its_owner_alone(tmp_path: Path) -> None:
    """A process with the key can try phone numbers against the view."""
    with engine(tmp_path / "data"):
        assert (tmp_path / "data" / VIEWS_KEY).stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "data" / DATABASE).stat().st_mode & 0o777 == 0o600


def test_views_of_another_release_are_built_again_by_themselves(tmp_path: Path) -> None:
    """No command is needed after an upgrade; meanwhile the old rows are read, in their old columns."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        order_id = order(opened, "one")
        wait_until_current(opened)
    with closing(sqlite3.connect(folder / VIEWS)) as views, views:
        views.execute("UPDATE view_versions SET version = 99")
        views.execute("UPDATE orders SET status = 'of another release'")
        views.execute("ALTER TABLE orders DROP COLUMN offers")
    with engine(folder) as opened:
        second = order(opened, "two")
        wait_until(lambda: not outdated(folder))
        wait_until_current(opened)
    with closing(sqlite3.connect(folder / VIEWS)) as views:
        assert set(views.execute("SELECT order_id, status FROM orders")) == {(order_id, "placed"), (second, "placed")}


def test_the_views_of_a_long_log_are_built_from_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaying a million commits one batch after the other, beside the orders of the day, would take too long."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        first = order(opened, "one")
        wait_until_current(opened)
    (folder / VIEWS).unlink()
    monkeypatch.setattr(log_follower, "BUILD_FROM", 0)
    with engine(folder) as opened:
        second = order(opened, "two")
        wait_until_current(opened)
        wait_until(lambda: not outdated(folder))
        assert orders_in(folder) == {first, second}


def test_commits_made_during_a_transaction_of_the_views_are_gathered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction for each commit costs as much as the order itself: on a busy engine there are always more."""
    folder = tmp_path / "data"
    with engine(folder) as opened:
        opened.projector.close()
        order(opened, "one")
    engines: Queue[EmbeddedEngine] = Queue()
    project = Projector.project

    def project_and_commit_more(self: Projector, streams: Collection[str], as_of: AsOf | None = None) -> None:
        project(self, streams, as_of)
        order(engines.get(timeout=DEADLINE_S), "two")

    monkeypatch.setattr(Projector, "project", project_and_commit_more)
    monkeypatch.setattr(log_follower, "GATHER_S", 10 * DEADLINE_S)
    with engine(folder) as opened:
        engines.put(opened)
        wait_until(lambda: not opened.projector.progress().state.failure)
        assert opened.projector.progress().lag_commits == 1


def outdated(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / VIEWS)) as views:
        return {view for (view,) in views.execute("SELECT view FROM view_versions WHERE version IN (0, 99)")}


def test_views_of_another_log_are_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restore of an older log alone, the views hold orders that it does not know."""
    monkeypatch.setattr(log_follower, "RETRY_FIRST_S", 0.05)
    folder, other = tmp_path / "data", tmp_path / "other"
    with engine(folder) as opened:
        first = order(opened, "one")
        wait_until_current(opened)
    with engine(other) as opened:
        order(opened, "two")
        order(opened, "three")
        wait_until_current(opened)
    for file in folder.glob(f"{VIEWS}*"):
        file.unlink()
    (other / VIEWS).rename(folder / VIEWS)
    with engine(folder) as opened:
        wait_until_current(opened)
        assert orders_in(folder) == {first}
