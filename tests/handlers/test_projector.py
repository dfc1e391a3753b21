"""The function that keeps the views on AWS up to date, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from domain.identifiers import Actor, Role
from handlers.projector import handler
from tests.domain.catalogue.trattoria import TRATTORIA
from tests.domain.order.stories import COMPLETED, PLACED
from tests.projections.histories import BLIND_INDEX, OPENING
from tests.projections.test_projector import ADA, BOB
from tests.projections.test_projector import Views as Log
from tests.recorded import HandClock
from workflows.catalogue.restaurants import change_restaurant
from workflows.engine import Engine, Views, serving
from workflows.orders.command_handling import Caller
from workflows.projections.check import check
from workflows.projections.orders import ORDERS
from workflows.projections.restaurants import RESTAURANTS_VIEW
from workflows.projections.store import ViewStore
from workflows.projections.views import all_views
from workflows.publishing.cloud_events import RESTAURANTS
from workflows.settings import SettingsRefused
from workflows.sql.database import SqlDatabase


class Deployed:
    """The function with a log in memory and an empty database."""

    def __init__(self, database: SqlDatabase, url: Any) -> None:
        self.log = Log(ViewStore(database, all_views(BLIND_INDEX), HandClock()))
        self.views = Views(url, BLIND_INDEX)
        ports: dict[str, Any] = dict.fromkeys(Engine.__dataclass_fields__)
        self.engine = Engine(**{**ports, "log": self.log.log, "clock": self.log.clock, "views": self.views})

    def call(self, event: dict[str, Any]) -> Any:
        with serving(self.engine, {}):
            return handler(event, None)

    def status_of(self, order_id: str) -> str | None:
        with self.log.store.reading() as connection:
            return connection.execute(select(ORDERS.c.status).where(ORDERS.c.order_id == order_id)).scalar_one_or_none()


@pytest.fixture
def deployed(sql_database: SqlDatabase, sql_url: Any):
    made = Deployed(sql_database, sql_url)
    yield made
    made.views.close()


def message(order_id: str, **changed: Any) -> dict[str, Any]:
    event = {
        "id": f"{order_id}/1",
        "type": "expediter.order.placed.v1",
        "time": "2026-05-04T12:00:00.000000Z",
        "subject": order_id,
        **changed,
    }
    return {"messageId": f"about {order_id}", "body": json.dumps({"detail": event})}


def failed(answer: Any) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_an_order_that_changed_is_in_the_views(deployed: Deployed) -> None:
    """The tables are created by the first message; the event only names the order, whose history is in the log."""
    deployed.log.play(ADA, *COMPLETED)
    assert failed(deployed.call({"Records": [message(ADA), message(ADA)]})) == []
    assert deployed.status_of(ADA) == "completed"


def test_a_restaurant_that_changed_is_in_the_views(deployed: Deployed) -> None:
    """Its notice has a source of its own, so an order with the id of a restaurant is still an order."""
    for change in OPENING:
        change_restaurant(deployed.log.log, TRATTORIA, change, Caller(Actor(Role.SUPPORT, "sue"), "test", "test"))
    assert failed(deployed.call({"Records": [message(TRATTORIA, source=RESTAURANTS)]})) == []
    assert check(deployed.log.store, deployed.log.log).differences == []
    with deployed.log.store.reading() as connection:
        assert deployed.log.store.count(connection, RESTAURANTS_VIEW) == 1


def test_a_message_that_names_no_order_fails_alone(deployed: Deployed) -> None:
    """It goes to the dead letters, and the others of its batch do not."""
    deployed.log.play(ADA, *PLACED)
    strange = {"messageId": "strange", "body": "[]"}
    without = message(BOB, subject="")
    assert failed(deployed.call({"Records": [strange, message(ADA), without]})) == ["strange", f"about {BOB}"]
    assert deployed.status_of(ADA) == "placed"


def test_all_messages_are_delivered_again_while_the_database_does_not_answer(deployed: Deployed) -> None:
    """Nothing is lost, and no order waits."""
    deployed.log.play(ADA, *PLACED)
    nowhere = Views("postgresql://nobody@127.0.0.1:1/nothing", BLIND_INDEX)
    deployed.engine = replace(deployed.engine, views=nowhere)
    assert failed(deployed.call({"Records": [message(ADA), message(BOB)]})) == [f"about {ADA}", f"about {BOB}"]


def test_the_schedule_builds_the_views_of_a_log_that_was_there_before(deployed: Deployed) -> None:
    """A database that is set later gets all orders; after that, the daily comparison brings back what is lost."""
    for order_id in (ADA, BOB):
        deployed.log.play(order_id, *COMPLETED)
    assert deployed.call({"for_s": 50}) == {"outdated": len(deployed.log.store.views), "mended": 0}
    assert check(deployed.log.store, deployed.log.log).differences == []
    assert deployed.call({"for_s": 50}) == {"outdated": 0, "mended": 0}
    with deployed.log.store.writing() as connection:
        connection.execute(ORDERS.delete())
    deployed.log.clock.advance(minutes=24 * 60)
    assert deployed.call({"for_s": 50}) == {"outdated": 0, "mended": 2}
    assert deployed.status_of(BOB) == "completed"


def test_a_build_that_does_not_end_in_time_goes_on_in_the_next_minute(deployed: Deployed) -> None:
    """A function has minutes, and a million orders take longer."""
    deployed.log.play(ADA, *COMPLETED)
    for _ in range(70):  # there are up to 64 shares of the log, and each call makes progress
        if deployed.call({"for_s": 0})["outdated"] == 0:
            break
    assert check(deployed.log.store, deployed.log.log).differences == []
    with deployed.log.store.reading() as connection:
        assert deployed.log.store.outdated(connection) == []


def test_without_a_database_the_function_names_the_missing_variable(deployed: Deployed) -> None:
    """It is deployed with one only; a wrong deployment must not lose messages silently."""
    deployed.engine = replace(deployed.engine, views=None)
    with pytest.raises(SettingsRefused, match="VIEWS_SECRET"):
        deployed.call({"Records": [message(ADA)]})
