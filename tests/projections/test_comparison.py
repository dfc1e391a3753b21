"""The daily comparison: what differs from the log is mended, and what is right or new is left alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from domain.identifiers import order_id_for
from tests.domain.order.stories import COMPLETED, PLACED
from tests.projections.histories import BLIND_INDEX
from tests.projections.test_projector import ADA, BOB, EVE, Views, views_of_orders
from tests.recorded import HandClock
from workflows.event_store.commits import ChainBroken
from workflows.event_store.streams import order_stream
from workflows.projections import comparison as comparison_module
from workflows.projections.check import check
from workflows.projections.comparison import MENDED, DailyComparison
from workflows.projections.events import EVENTS
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase


@pytest.fixture
def views(sql_database: SqlDatabase) -> Views:
    """Three orders that were projected an hour ago, and a comparison that was made a day ago."""
    made = Views(ViewStore(sql_database, all_views(BLIND_INDEX), HandClock()))
    made.store.prepare()
    for order_id in (ADA, BOB, EVE):
        made.play(order_id, *COMPLETED)
    made.project(ADA, BOB, EVE)
    assert not DailyComparison(made.store, made.log, made.clock).advance(), "the first is due a day later"
    made.clock.advance(minutes=24 * 60)
    return made


def compare(views: Views) -> int:
    """Make the comparison that is due, as the thread does, and return how many streams it mended."""
    comparison = DailyComparison(views.store, views.log, views.clock)
    while comparison.advance():
        pass
    return comparison.mended


def test_rows_that_are_lost_changed_or_made_up_are_mended(views: Views, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever happened to them: afterwards every row is what the log gives, and the orders are named."""
    with views.store.writing() as connection:
        connection.execute(delete(ORDERS).where(ORDERS.c.order_id == ADA))
        connection.execute(update(EVENTS).where(EVENTS.c.order_id == BOB).values(type="Changed"))
        made_up = dict(connection.execute(select(EVENTS).where(EVENTS.c.order_id == BOB).limit(1)).mappings().one())
        connection.execute(insert(EVENTS).values(made_up | {"order_id": EVE, "version": 0}))
    with caplog.at_level(logging.ERROR):
        assert compare(views) == 3
    assert [record.message for record in caplog.records] == [MENDED]
    assert check(views.store, views.log).differences == []


def test_right_rows_are_left_alone_and_the_next_comparison_is_a_day_later(views: Views) -> None:
    """A comparison every minute would read the whole log every minute."""
    assert compare(views) == 0
    with views.store.writing() as connection:
        connection.execute(delete(ORDERS))
    assert compare(views) == 0
    views.clock.advance(minutes=24 * 60)
    assert compare(views) == 3


def test_an_order_that_changed_just_now_is_left_to_the_projector(views: Views) -> None:
    """The projector may not have stored it yet: that is lag, and no fault."""
    views.play(order_id_for("app", "new"), *PLACED)
    assert compare(views) == 0


def test_a_parked_order_is_tried_again(views: Views) -> None:
    """No command is needed after its history was repaired. It counts as parked, not as mended."""
    views.broken[order_stream(ADA)] = ChainBroken(order_stream(ADA), 1, "was changed")
    views.project(ADA)
    assert len(views.parked()) == len(views_of_orders(views.store))
    assert compare(views) == 0
    assert views.parked() == []
    assert check(views.store, views.log).differences == []


def test_a_comparison_that_was_interrupted_goes_on_where_it_was(views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log takes hours: an engine that restarts meanwhile must reach its end."""
    monkeypatch.setattr(comparison_module, "STREAMS_AT_ONCE", 1)
    with views.store.writing() as connection:
        connection.execute(delete(ORDERS))
    mended = []
    for _ in range(4):
        comparison = DailyComparison(views.store, views.log, views.clock)
        goes_on = comparison.advance()
        mended.append((comparison.mended, goes_on))
        views.clock.advance(minutes=timedelta(hours=1) / timedelta(minutes=1))
    assert mended == [(1, True), (1, True), (1, True), (0, True)], "the last one goes on with the sums"


def test_a_stream_that_is_about_to_be_stored_is_compared_again(views: Views) -> None:
    """Beside a running engine a difference may be lag. What differs once the views have followed is wrong."""
    new = order_id_for("app", "new")
    views.play(new, *PLACED)
    with views.store.writing() as connection:
        connection.execute(delete(ORDERS).where(ORDERS.c.order_id == ADA))
    waited = iter([True, False])

    def follow() -> bool:
        views.project(new)
        return next(waited)

    def differing(follows: Callable[[], bool]) -> set[str]:
        return {each.stream for each in check(views.store, views.log, wait_for_views=follows).differences}

    assert differing(lambda: False) == {order_stream(ADA), order_stream(new)}
    assert differing(follow) == {order_stream(ADA)}
    assert next(waited, None) is None


def test_an_order_that_is_placed_during_a_comparison_is_no_row_without_a_stream(views: Views) -> None:
    """The log was read before it came."""

    def place(_: int) -> None:
        new = order_id_for("app", "new")
        views.play(new, *PLACED)
        views.project(new)

    assert check(views.store, views.log, place).differences == []
