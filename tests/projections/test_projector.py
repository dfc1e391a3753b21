"""The projector: what changed in the log is in the views, and what cannot be projected holds nothing up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from domain.identifiers import SYSTEM, OrderId, order_id_for
from domain.personal import Contact
from tests.domain.order.stories import COMPLETED, DELIVERED, PLACED, StoryLine, captured, command_of, note, place
from tests.projections.histories import BLIND_INDEX
from tests.recorded import HandClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken, History
from workflows.event_store.erasure import erase
from workflows.event_store.event_log import StreamUnavailable
from workflows.event_store.streams import CUSTOMER, ORDER, order_stream, stream_name
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller, handle, load
from workflows.projections.events import EVENTS
from workflows.projections.loading import loads_from
from workflows.projections.orders import ORDERS
from workflows.projections.projector import Projector
from workflows.projections.store import AsOf, ViewStore, build_table
from workflows.projections.view import View
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase, SqlUnavailable
from workflows.sql.schema import create

ADA, BOB, EVE = (order_id_for("app", name) for name in ("ada", "bob", "eve"))


@dataclass
class Views:
    """A log in memory, and the views of it in a database. ``broken`` streams cannot be loaded."""

    store: ViewStore
    clock: HandClock = field(default_factory=HandClock)
    keyring: InMemoryKeyRing = field(default_factory=InMemoryKeyRing)
    broken: dict[str, Exception] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log = InMemoryEventLog(Codec(self.keyring, EVENT_TYPES), self.clock)
        self.projector = Projector(self.store, self._load)
        self._keys = 0

    def play(self, order_id: OrderId, *lines: StoryLine, customer: str = "cleo") -> None:
        for line in lines:
            command: Any = command_of(line, load(self.log, order_id)[1])
            if hasattr(command, "customer"):
                command = replace(command, order_id=order_id, customer=customer)
            self._keys += 1
            caller = Caller(SYSTEM, "test", "test")
            handle(self.log, command, order_id=order_id, key=f"key/{self._keys}", caller=caller)

    def project(self, *order_ids: OrderId, as_of: AsOf | None = None) -> None:
        self.projector.project([order_stream(order_id) for order_id in order_ids], as_of)

    def statuses(self) -> dict[str, str]:
        with self.store.reading() as connection:
            return {row.order_id: row.status for row in connection.execute(select(ORDERS.c.order_id, ORDERS.c.status))}

    def parked(self) -> list[tuple[str, str, str]]:
        with self.store.reading() as connection:
            return [(each.view, each.stream, each.error) for each in self.store.parked(connection)]

    def found_by_phone(self, phone: str) -> list[str]:
        with self.store.reading() as connection:
            found = select(ORDERS.c.order_id).where(ORDERS.c.phone_index == BLIND_INDEX.phone(phone))
            return list(connection.execute(found).scalars())

    def _load(self, streams: Sequence[str]) -> Mapping[str, History | Exception]:
        for stream in streams:
            if isinstance(error := self.broken.get(stream), StreamUnavailable):
                raise error
        return {**loads_from(self.log)(streams), **{s: e for s, e in self.broken.items() if s in streams}}


def views_of_orders(store: ViewStore) -> list[View]:
    """Return the views that are made of orders, by name."""
    return sorted((view for view in store.views.values() if view.category == ORDER), key=lambda view: view.name)


@pytest.fixture
def views(sql_database: SqlDatabase) -> Views:
    store = ViewStore(sql_database, all_views(BLIND_INDEX), HandClock())
    store.prepare()
    return Views(store)


def test_an_order_is_in_every_view_as_its_log_has_it(views: Views) -> None:
    """Each view has the rows that its function computes from the newest history."""
    views.play(ADA, *DELIVERED)
    views.project(ADA)
    views.play(ADA, captured())
    views.project(ADA)
    history = views.log.load(order_stream(ADA))
    with views.store.reading() as connection:
        for view in views_of_orders(views.store):
            assert views.store.rows_of(connection, view, [ADA]).get(ADA, []) == view.rows(history, 0)


def test_a_history_that_cannot_be_read_is_parked_and_the_others_are_projected(views: Views) -> None:
    """One damaged stream must not hide all other orders; its error and time are listed, its message is not stored."""
    views.play(ADA, *PLACED)
    views.play(BOB, *PLACED)
    views.broken[order_stream(BOB)] = ChainBroken(order_stream(BOB), 1, "Ada Byron was changed")
    views.project(ADA, BOB)
    assert views.statuses().keys() == {ADA}
    assert views.parked() == [(view.name, order_stream(BOB), "ChainBroken") for view in views_of_orders(views.store)]


def test_a_parked_stream_is_tried_again_when_it_changes(views: Views) -> None:
    """After the repair the orders that were left out are found without a list of them."""
    views.play(ADA, *PLACED)
    views.broken[order_stream(ADA)] = ChainBroken(order_stream(ADA), 1, "was changed")
    views.project(ADA)
    views.broken.clear()
    views.play(ADA, note())
    views.project(ADA)
    assert views.parked() == []
    assert views.statuses() == {ADA: "placed"}
    with views.store.reading() as connection:
        assert len(views.store.rows_of(connection, views.store.views["events"], [ADA])[ADA]) == 3


def test_a_view_that_fails_for_one_order_fails_alone(views: Views) -> None:
    """A bug in one view leaves the other views of that order right."""

    def broken(history: History, since: int) -> list[Any]:
        raise KeyError("no such option")

    views.store.views["tickets"] = replace(views.store.views["tickets"], rows=broken)
    views.play(ADA, *COMPLETED)
    views.project(ADA)
    assert views.statuses() == {ADA: "completed"}
    assert views.parked() == [("tickets", order_stream(ADA), "KeyError")]


def test_a_row_that_the_database_refuses_parks_its_stream_alone(views: Views) -> None:
    """A value that no column can hold must not stop the batch that it is in."""
    rows = views.store.views["orders"].rows

    def too_large(history: History, since: int) -> list[Any]:
        total = 2**80 if history.stream == order_stream(BOB) else 1
        return [{**row, "total_minor": total} for row in rows(history, since)]

    views.store.views["orders"] = replace(views.store.views["orders"], rows=too_large)
    for order_id in (ADA, BOB, EVE):
        views.play(order_id, *PLACED)
    views.project(ADA, BOB, EVE, as_of=AsOf(position=6, recorded_at="2026-05-04T12:00:00.000000Z"))
    assert views.statuses().keys() == {ADA, EVE}
    assert {(stream, error) for _, stream, error in views.parked()} == {(order_stream(BOB), "RowRefused")}
    with views.store.reading() as connection:
        assert views.store.as_of(connection).position == 6


def test_a_log_that_does_not_answer_parks_nothing(views: Views) -> None:
    """A store that is down is not a fault of an order: the batch is tried again, from the same position."""
    views.play(ADA, *PLACED)
    views.broken[order_stream(ADA)] = StreamUnavailable(order_stream(ADA), "locked")
    with pytest.raises(StreamUnavailable):
        views.project(ADA, as_of=AsOf(position=2, recorded_at=""))
    assert views.parked() == []
    with views.store.reading() as connection:
        assert views.store.as_of(connection).position == 0


def test_the_position_and_the_rows_are_stored_together_or_not_at_all(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A position ahead of the rows would lose an order for good."""

    def fail(connection: Connection, as_of: AsOf) -> None:
        raise SqlUnavailable("the disk is full")

    views.play(ADA, *PLACED)
    with monkeypatch.context() as broken:
        broken.setattr(views.store, "advance", fail)
        with pytest.raises(SqlUnavailable):
            views.project(ADA, as_of=AsOf(position=2, recorded_at=""))
    assert views.statuses() == {}
    views.project(ADA, as_of=AsOf(position=2, recorded_at=""))
    assert views.statuses() == {ADA: "placed"}
    with views.store.reading() as connection:
        assert len(views.store.rows_of(connection, views.store.views["events"], [ADA])[ADA]) == 2


def test_a_table_that_is_being_built_gets_every_change_too(views: Views) -> None:
    """Otherwise what changes during a rebuild would be missing after it."""
    orders = views.store.views["orders"]
    with views.store.writing() as connection:
        create(connection, build_table(orders, 1))
        views.store.begin_build(connection, orders, 1)
    views.play(ADA, *COMPLETED)
    views.project(ADA)
    built = build_table(orders, 1)
    with views.store.reading() as connection:
        assert connection.execute(select(built.c.status)).scalars().all() == ["completed"]


def test_an_erased_customer_is_not_found_by_phone_any_more(views: Views) -> None:
    """The blind index goes with the key, in all orders of the customer and in no order of others."""
    contact = Contact(name="Ada Byron", phone="+49 30 1234567", address="Lindenstrasse 9")
    for order_id, customer in ((ADA, "ada"), (EVE, "ada"), (BOB, "bob")):
        views.play(order_id, replace(place(), contact=contact), customer=customer)
        views.project(order_id)
    assert sorted(views.found_by_phone("030 1234567")) == sorted((ADA, EVE, BOB))
    erase(views.log, views.keyring, views.clock, "ada", actor=SYSTEM, reason="asked")
    views.projector.project([stream_name(CUSTOMER, "ada")])
    assert views.found_by_phone("030 1234567") == [BOB]


def test_an_older_projector_does_not_undo_a_newer_one(views: Views) -> None:
    """Two projectors may work at once: the later transaction does not win, the higher version does."""
    views.play(ADA, *PLACED)
    old = views.log.load(order_stream(ADA))
    views.play(ADA, *COMPLETED[len(PLACED) :])
    views.project(ADA)
    late = Projector(views.store, lambda streams: {order_stream(ADA): old})
    late.project([order_stream(ADA)])
    assert views.statuses() == {ADA: "completed"}


def test_events_that_were_deleted_by_hand_come_back_with_a_new_projector(views: Views) -> None:
    """Remembered versions of stored rows save work; a new one stores whatever is missing."""
    views.play(ADA, *PLACED)
    views.project(ADA)
    with views.store.writing() as connection:
        connection.execute(EVENTS.delete())
        connection.execute(update(ORDERS).values(version=0))
    Projector(views.store, loads_from(views.log)).project([order_stream(ADA)])
    with views.store.reading() as connection:
        assert len(views.store.rows_of(connection, views.store.views["events"], [ADA])[ADA]) == 2
