"""When the store is unreachable, or holds events of a newer release: 503. When it holds what was not written: 500."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import Event
from handlers.http import api
from handlers.http.damaged_streams import DamagedStreams
from tests.handlers.conftest import open_restaurant
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec, Undecodable
from workflows.event_store.commits import ChainBroken, Commit, NewCommit
from workflows.event_store.event_log import StreamUnavailable, TooManyConflicts
from workflows.event_store.event_types import EventTypes
from workflows.event_store.keyring import KeyRingUnavailable
from workflows.event_store.streams import order_stream
from workflows.event_store.upcasters import UPCASTERS
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog


class AwayLog:
    """A log that cannot be read."""

    def __init__(self, error):
        self._error = error

    def load(self, stream):
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        StreamUnavailable("order#ord_x", "the disk of host 10.0.0.7 is full"),
        KeyRingUnavailable("no answer from 10.0.0.8"),
        TooManyConflicts("order ord_x is written to by too many at once; try again"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/orders"), ("GET", "/orders/ord_" + "a" * 26)])
def test_a_failure_that_may_pass_is_answered_with_retry_after(shop, body, error, method, path):
    """503 with Retry-After, without internal details."""
    shop.engine = replace(shop.engine, log=AwayLog(error))
    answer = shop.call(method, path, *([body()] if method == "POST" else []), key="key-1")
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, type(error).__name__, "1")
    assert "10.0.0" not in answer.text


@pytest.mark.parametrize(
    "error",
    [
        ChainBroken("order#ord_x", 3, "hash differs"),
        Undecodable(Commit("order#ord_x", 3, "k", "ts", b"", "{"), "no JSON"),
    ],
)
@pytest.mark.parametrize("role", ["customer", "support"])
def test_an_order_whose_log_was_changed_is_named_as_such(shop, error, role, caplog, monkeypatch):
    """500, with what it means and who helps; the place is in the engine's own log, for those who may read it."""
    monkeypatch.setattr(api, "_damaged", DamagedStreams())
    shop.engine = replace(shop.engine, log=AwayLog(error))
    answer = shop.call("GET", "/orders/ord_" + "a" * 26, role=role)
    assert (answer.status, answer.problem) == (500, type(error).__name__)
    assert "Give support the id" in answer.text
    assert "version 3" not in answer.text
    assert "order#ord_x version 3" in caplog.text


def test_a_page_that_asks_for_a_changed_order_again_and_again_makes_one_line(shop, caplog, monkeypatch):
    """The line of another damage is a line of its own."""
    monkeypatch.setattr(api, "_damaged", DamagedStreams())
    for version in (3, 3, 3, 5, 3):
        shop.engine = replace(shop.engine, log=AwayLog(ChainBroken("order#ord_x", version, "hash differs")))
        for part in ("", "/history", "/timeline"):
            assert shop.call("GET", f"/orders/ord_{'a' * 26}{part}", role="support").status == 500
    assert [record.getMessage()[-35:] for record in caplog.records if "damaged" in record.getMessage()] == [
        "order#ord_x version 3: hash differs",
        "order#ord_x version 5: hash differs",
    ]


def test_the_memory_of_damaged_streams_is_bounded(caplog):
    """Those that are read all the time stay in it."""
    damaged = DamagedStreams(remembered=2)
    for stream in ("a", "b", "a", "c", "a", "b"):
        damaged.log(ChainBroken(stream, 1, "hash differs"))
    logged = [record.getMessage().split(": ")[1] for record in caplog.records]
    assert logged == ["a version 1", "b version 1", "c version 1", "b version 1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGiftWrapped:
    """An event of the release after this one."""

    ribbon: str


@pytest.fixture
def newer(shop, tmp_path):
    """An order on SQLite with an event of the next release."""
    database = Database(tmp_path / "log.db")
    shop.log = SqliteEventLog(database, Codec(shop.keyring, EVENT_TYPES), shop.clock)
    shop.engine = replace(shop.engine, log=shop.log)
    open_restaurant(shop.log, "rosa")
    order_id = shop.place()
    types = EventTypes({"order": (*get_args(Event), OrderGiftWrapped)}, UPCASTERS)
    log = SqliteEventLog(database, Codec(shop.keyring, types), shop.clock)
    new = NewCommit(
        key="wrap",
        events=(OrderGiftWrapped(ribbon="red"),),
        actor=SYSTEM,
        correlation="c",
        causation="c",
        body_hash="",
    )
    log.append(log.load(order_stream(order_id)), new)
    yield order_id
    database.close()


def test_an_order_with_an_unknown_event_accepts_no_writes(shop, newer):
    """503 until this release is upgraded. Nothing is written."""
    before = shop.stored()
    for answer in (
        shop.call("GET", f"/orders/{newer}"),
        shop.call("POST", f"/orders/{newer}/cancel", {"reason": "no"}),
    ):
        assert (answer.status, answer.problem) == (503, "UnknownEvent")
    assert shop.stored() == before


def test_an_auditor_can_read_events_of_a_newer_release(shop, newer):
    """They are shown as recorded, marked as unknown."""
    events = shop.call("GET", f"/orders/{newer}/history", role="auditor", sub="otto").json["events"]
    assert (events[-1]["type"], events[-1]["data"], events[-1]["unknown"]) == (
        "OrderGiftWrapped",
        {"ribbon": "red"},
        True,
    )
