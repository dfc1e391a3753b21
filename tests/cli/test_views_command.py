"""``expediter views``: on the folder of an engine, without one that runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from domain.identifiers import SYSTEM, order_id_for
from tests.domain.order.stories import place
from workflows.cli.main import run
from workflows.clock import SystemClock
from workflows.embedded.files import DATABASE, VIEWS
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.orders.command_handling import Caller, handle
from workflows.projections import rebuild
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a log of three orders."""
    with Database(tmp_path / DATABASE) as database:
        log = SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())
        for name in ("one", "two", "three"):
            order_id = order_id_for("app", name)
            handle(log, place(order_id=order_id), order_id=order_id, key="k", caller=Caller(SYSTEM, "", ""))
    return tmp_path


def listed(data: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert run(["views", "list", "--data", str(data), "--json"]) == 0
    return {view["name"]: view for view in json.loads(capsys.readouterr().out)["views"]}


def test_views_are_outdated_until_they_are_built(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list says what a reader of them would miss."""
    assert all(view["outdated"] for view in listed(data, capsys).values())
    assert run(["views", "list", "--data", str(data)]) == 0
    assert "the projector is 3 commits behind the log, the oldest is " in capsys.readouterr().err
    assert run(["views", "rebuild", "--data", str(data), "--cores", "1"]) == 0
    views = listed(data, capsys)
    rows = {name: view["rows"] for name, view in views.items()}
    assert rows == {
        "orders": 3,
        "events": 6,
        "tickets": 0,
        "offers": 0,
        "restaurants": 0,
        "access": 0,
        "approvals": 0,
        "owed": 0,
        "menus": 0,
        "ledger": 0,
        "taxes": 0,
        "amounts": 3,
    }
    assert not any(view["outdated"] for view in views.values())
    assert run(["views", "list", "--data", str(data)]) == 0
    assert "current" in capsys.readouterr().out


def test_one_view_can_be_built_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The others keep their tables."""
    assert run(["views", "rebuild", "orders", "--data", str(data), "--cores", "1"]) == 0
    views = listed(data, capsys)
    assert [name for name, view in views.items() if not view["outdated"]] == ["orders"]


def test_a_rebuild_that_is_interrupted_says_how_it_continues(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was computed is lost, which a person cannot know."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuild, "rebuild", interrupted)
    assert run(["views", "rebuild", "--data", str(data)]) == 130
    assert "the same command continues from here" in capsys.readouterr().err


def test_a_check_of_views_that_are_behind_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An engine that runs mends that, and no rebuild is needed."""
    assert run(["views", "rebuild", "--data", str(data), "--cores", "1"]) == 0
    with Database(data / DATABASE) as database:
        log = SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())
        order_id = order_id_for("app", "four")
        handle(log, place(order_id=order_id), order_id=order_id, key="k", caller=Caller(SYSTEM, "", ""))
    capsys.readouterr()
    assert run(["views", "check", "--data", str(data)]) == 1
    assert "commits are still to be read by a running engine" in capsys.readouterr().err


def test_a_check_names_the_rows_that_differ_from_the_log(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Changed, missing and surplus rows; the exit code tells a script."""
    run(["views", "rebuild", "--data", str(data), "--cores", "1"])
    assert run(["views", "check", "--data", str(data)]) == 0
    one, two = order_id_for("app", "one"), order_id_for("app", "two")
    with closing(sqlite3.connect(data / VIEWS)) as views, views:
        views.execute("UPDATE orders SET total_minor = 1 WHERE order_id = ?", (one,))
        views.execute("DELETE FROM events WHERE order_id = ? AND version = 2", (two,))
    capsys.readouterr()
    assert run(["views", "check", "--data", str(data), "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "streams": 3,
        "differences": [
            {"view": "events", "stream": f"order#{two}"},
            {"view": "orders", "stream": f"order#{one}"},
        ],
    }
    run(["views", "rebuild", "--data", str(data), "--cores", "1"])
    assert run(["views", "check", "--data", str(data)]) == 0


def test_a_check_finds_rows_of_orders_that_are_not_in_the_log(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As after a restore of an older log beside newer views."""
    run(["views", "rebuild", "--data", str(data), "--cores", "1"])
    with closing(sqlite3.connect(data / VIEWS)) as views, views:
        columns = [name for (_, name, *_) in views.execute("PRAGMA table_info(orders)")]
        others = ", ".join(columns[1:])
        views.execute(f"INSERT INTO orders (order_id, {others}) SELECT 'ord_x', {others} FROM orders LIMIT 1")
    assert run(["views", "check", "--data", str(data)]) == 1
    assert "rows of streams that are not in the log" in capsys.readouterr().out


def test_a_view_that_does_not_exist_is_refused_with_their_names(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists what can be named."""
    assert run(["views", "rebuild", "sales", "--data", str(data)]) == 2
    assert "events, ledger, menus, offers, orders, owed, restaurants, taxes, tickets" in capsys.readouterr().err


def test_a_folder_without_a_log_is_refused_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped folder must not get files."""
    assert run(["views", "list", "--data", str(tmp_path)]) == 2
    assert list(tmp_path.iterdir()) == []
