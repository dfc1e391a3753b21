"""On DynamoDB an erased customer stays erased: after a restart, a rebuild, a restored log, and a late message."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from domain.identifiers import OrderId
from domain.personal import Erased
from handlers.feed import handler as feed
from handlers.projector import handler as project
from tests.aws.deployed import ORDER_MACHINE, Deployed, Saved, deployed
from tests.erasure.distinctive import CONTACT, PERSONAL
from tests.handlers.conftest import PAID_BY_ADA, Shop, open_restaurant
from tests.projections.histories import BLIND_INDEX
from workflows.audit.verify import verify
from workflows.embedded.lambda_.feed import stream_record
from workflows.engine import Views, serving
from workflows.erasure.performing import resume
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.streams import order_stream
from workflows.orders.blind_index import COLUMNS
from workflows.orders.command_handling import load
from workflows.projections.orders import ORDERS
from workflows.projections.rebuild import RebuildFrom, rebuild
from workflows.projections.store import ViewStore
from workflows.projections.views import all_views

TIME = "2026-05-04T12:00:00.000000Z"


class ShopOnDynamoDb(Shop):
    """The APIs on the tables of a deployment, with its views in a file. No projector runs by itself."""

    def __init__(self, world: Deployed, file: Path) -> None:
        super().__init__()
        self.world = world
        self.file = file
        self.views = Views(file, BLIND_INDEX)
        self.start()
        open_restaurant(self.log, "rosa")

    def start(self) -> None:
        """Go on in new processes, which know no key. Those before have closed the file of the views."""
        self.views.close()
        self.views = Views(self.file, BLIND_INDEX)
        self.engine = replace(self.world.engine(), views=self.views, clock=self.clock)
        self.log = self.engine.log  # type: ignore[assignment]  # a shop in memory has one in memory
        self.store = ViewStore(self.views.database, all_views(BLIND_INDEX), self.clock)

    def project(self, order_id: str) -> None:
        """Deliver a message of SQS about the order to the projector."""
        event = {"id": f"{order_id}/1", "type": "expediter.order.placed.v1", "time": TIME, "subject": order_id}
        message = {"messageId": "1", "body": json.dumps({"detail": event})}
        with serving(self.engine, {}):
            assert project({"Records": [message]}, None) == {"batchItemFailures": []}

    def feed(self, commit: Commit) -> None:
        """Deliver the record of a commit in the stream of the table."""
        records = {"Records": [stream_record(FeedEntry(1, commit))]}
        with serving(self.engine, {"ORDER_MACHINE": ORDER_MACHINE}):
            assert feed(records, None) == {"batchItemFailures": []}

    def customers(self, step: str, body: Any, sub: str) -> Any:
        """Send a request of support about erasing Ada."""
        key = None if step else "erase"
        return self.call("POST", f"/customers/ada/erase{step}", body, role="support", sub=sub, key=key).json


@dataclass
class Erasure:
    """An erased customer's order, what there was before, and the indexes that found the order."""

    shop: ShopOnDynamoDb
    order_id: str
    before: Saved
    views_before: Path
    wanted: list[bytes]

    def assert_erased(self) -> None:
        """Check what every reader is shown, and the bytes of all tables and views."""
        shop, order_id = self.shop, self.order_id
        assert shop.engine.keyring.key_id_of("ada") is None
        placed = load(shop.log, OrderId(order_id))[1].placed
        assert placed is not None
        assert placed.contact == placed.payment_method == Erased()
        shown = shop.call("GET", f"/orders/{order_id}", role="support", sub="sue").json
        assert shown["contact"] == str(Erased())
        found = shop.call("POST", "/orders/search", {"phone": CONTACT["phone"]}, role="support", sub="sue").json
        assert found["orders"] == []
        with shop.store.reading() as connection:
            [row] = connection.execute(select(*(ORDERS.c[column] for column in COLUMNS))).all()
        assert set(row) == {None}
        assert self.left() == []

    def left(self) -> list[str]:
        """Return the tables and files that hold a text, the key or a blind index of the customer."""
        places = {name: str(items).encode() for name, items in self.shop.world.save().tables.items()}
        self.shop.views.close()
        places |= {file.name: file.read_bytes() for file in self.shop.file.parent.iterdir() if file.is_file()}
        self.shop.start()
        return sorted({name for name, content in places.items() for text in self.wanted if text in content})


@pytest.fixture(scope="module")
def erasure(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Erasure]:
    """On the official DynamoDB Local where it is installed, else on moto."""
    try:
        url = request.getfixturevalue("dynamodb_local")
    except pytest.skip.Exception:
        url = None
    folder = tmp_path_factory.mktemp("views")
    with deployed(url) as world:
        shop = ShopOnDynamoDb(world, folder / "views" / "views.sqlite")
        yield _erase(shop, folder / "before.sqlite")
        shop.views.close()


def _erase(shop: ShopOnDynamoDb, views_before: Path) -> Erasure:
    """Complete an order, erase its customer, and keep what was there before."""
    shop.file.parent.mkdir()
    order_id = shop.completed(**{**PAID_BY_ADA, "contact": CONTACT})
    shop.project(order_id)
    key = shop.engine.keyring.current("ada")
    with shop.store.reading() as connection:
        [row] = connection.execute(select(*(ORDERS.c[column] for column in COLUMNS)))
    indexes = [index for index in row if index is not None]
    assert len(indexes) == len(("phone", "email", *CONTACT["name"].split()))
    wanted = [text.encode() for text in (*PERSONAL, *indexes, f"key#{key.id}")]
    shop.views.close()
    shutil.copy(shop.file, views_before)
    shop.start()
    before = shop.world.save()
    shop.customers("", {"reason": "request 4711"}, "sue")
    assert shop.customers("/approve", {"reason": "checked"}, "sam")["state"] == "cleaning"
    shop.clock.time += timedelta(seconds=shop.engine.keyring.forgotten_after_s)
    assert resume(shop.engine) == 0
    shop.start()
    return Erasure(shop, order_id, before, views_before, wanted)


def test_the_customer_stays_erased_after_a_restart(erasure: Erasure) -> None:
    """The erasure took six minutes: no process may have kept the key. Before it, the same search finds the customer."""
    erasure.shop.start()
    erasure.assert_erased()
    assert verify(erasure.shop.log, keys=erasure.shop.engine.keyring).intact
    before = {name: str(items).encode() for name, items in erasure.before.tables.items()}
    assert any(text in before["keys"] for text in erasure.wanted)
    assert any(text in erasure.views_before.read_bytes() for text in erasure.wanted)


def test_the_customer_stays_erased_after_a_rebuild_of_the_views(erasure: Erasure) -> None:
    """The rows are computed from a log in which nothing personal can be read."""
    _rebuild(erasure.shop)
    erasure.assert_erased()


def test_the_customer_stays_erased_when_old_commits_are_delivered_again(erasure: Erasure) -> None:
    """A record of the stream, and a message about the order, as late as DynamoDB and SQS may deliver them."""
    shop = erasure.shop
    for commit in list(shop.log.scan()):
        if commit.pk == order_stream(erasure.order_id):
            shop.feed(commit)
    shop.project(erasure.order_id)
    erasure.assert_erased()


def test_the_customer_stays_erased_when_log_and_views_are_restored_from_before(erasure: Erasure) -> None:
    """By the steps in docs/deploying.md. The receipt is lost with the commits since; the key cannot be restored."""
    shop = erasure.shop
    erased = shop.world.save()
    shop.views.close()
    shutil.copy(erasure.views_before, shop.file)
    shop.world.restore_log(erasure.before)
    shop.start()
    assert shop.log.load("customer#ada").version == 0
    _rebuild(shop)
    erasure.assert_erased()
    assert verify(shop.log).intact
    shop.world.restore_log(erased)


def _rebuild(shop: ShopOnDynamoDb) -> None:
    source = RebuildFrom(open_log=lambda: nullcontext(shop.log), blind_index=BLIND_INDEX)
    rebuild(shop.store, source, shop.store.views, cores=1)
