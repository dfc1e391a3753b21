"""Nothing of an erased customer is left in any file of an engine, and nothing comes back.

One engine for the module, with the real template. A customer with distinctive texts has an order that was delivered and
one that was cancelled, each with free text of several people; another customer stays.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import Actor, OrderId, Role
from domain.personal import Contact, Erased
from tests.erasure.distinctive import CONTACT, PERSONAL
from workflows.audit.verify import heads, verify
from workflows.cli.folder import TEMPLATE, open_database, open_ledgers, open_log
from workflows.cli.folder_audit import audit_folder
from workflows.client import ExpediterClient
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.erased_keys import AFTER_RESTORE
from workflows.embedded.files import BACKUP_MARK, DATABASE, ERASED_KEYS, VIEWS
from workflows.embedded.restoring import FolderIsBackup, restore
from workflows.embedded.view_builder import opened_views, views_key
from workflows.erasure.performing import resume
from workflows.event_store.erasure import ErasureRequested, KeyDestroyed
from workflows.live.order_now import OrderNow
from workflows.orders.blind_index import BlindIndex
from workflows.orders.command_handling import load
from workflows.projections.rebuild import rebuild
from workflows.projections.store import AsOf
from workflows.sandbox.books_check import check_books
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings
from workflows.settings import read
from workflows.sqlite.backup import back_up
from workflows.time_budgets import read_budgets

DEADLINE_S = 60.0
METHOD = "pm_quillfeather"
WRITTEN = (*PERSONAL, "gherkins", "broken ankle", "sounded upset")
"""Texts that nothing else in an engine contains."""


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass
class Running:
    """An engine that serves, and a client for each caller."""

    engine: EmbeddedEngine
    folder: Path
    url: str
    _clients: list[ExpediterClient] = field(default_factory=list)

    def as_(self, role: str, id_: str) -> ExpediterClient:
        client = ExpediterClient(self.url, self.engine.tokens.mint(role, id_))
        self._clients.append(client)
        return client

    def status(self, order_id: str) -> str:
        return load(self.engine.ports.log, OrderId(order_id))[1].status.value

    def wait_for(self, order_id: str, *statuses: str) -> None:
        wait_until(lambda: self.status(order_id) in statuses)

    def close(self) -> None:
        for client in self._clients:
            client.close()


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    gateways = sandbox_gateways(SandboxSettings())
    parameters = {"WebhookTargets": "any"}
    with EmbeddedEngine.open(folder, template=TEMPLATE, parameters=parameters, gateways=gateways) as engine:
        opened = Running(engine, folder, f"http://127.0.0.1:{engine.serve(0)}")
        try:
            yield opened
        finally:
            opened.close()


def place(shop: Running, customer: str, contact: dict[str, str], key: str) -> str:
    order: Any = {
        "customer": customer,
        "restaurant": "ramen-ichiban",
        "lines": [
            {"sku": "ramen", "name": "Ramen", "quantity": 2, "unit_price": {"amount": "12.50", "currency": "EUR"}}
        ],
        "delivery_fee": {"amount": "2.90", "currency": "EUR"},
        "payment_method": METHOD if customer == "cus_zq" else "pm_ok",
        "contact": contact,
        "kitchen_note": "no gherkins",
    }
    order_id = shop.as_("service", "shopfront").place(order, key=key)["id"]
    shop.wait_for(order_id, "authorized", "preparing")
    return order_id


def deliver(shop: Running, order_id: str) -> None:
    restaurant, courier = shop.as_("restaurant", "ramen-ichiban"), shop.as_("courier", "cou_1")
    ready_at = shop.engine.ports.clock.now().replace(microsecond=0) + timedelta(minutes=20)
    restaurant.accept(order_id, ready_at)
    wait_until(lambda: load(shop.engine.ports.log, OrderId(order_id))[1].delivery.current is not None)
    courier.assign(order_id)
    courier.report_position(order_id, 52.4, 13.1)
    restaurant.ready(order_id)
    courier.pick_up(order_id)
    courier.deliver(order_id)
    shop.wait_for(order_id, "completed")


@dataclass
class Story:
    """What was there before the erasure, and what it left."""

    shop: Running
    orders: list[str]
    other: str
    backup: Path
    key_id: str
    material: bytes
    indexes: list[str]
    heads_before: dict[str, Any]
    receipt: dict[str, Any]
    lines: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("erased")
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda record: lines.append(f"{record.getMessage()} {record.__dict__}")  # type: ignore[method-assign]
    logger, level = logging.getLogger("workflows"), logging.getLogger("workflows").level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    with running(root / "data") as shop:
        service = shop.as_("service", "shopfront")
        service.register_webhook("http://127.0.0.1:9/nobody-listens")
        delivered = place(shop, "cus_zq", CONTACT, "1")
        shop.as_("support", "sue").note(delivered, "the customer sounded upset")
        deliver(shop, delivered)
        cancelled = place(shop, "cus_zq", CONTACT, "2")
        shop.as_("customer", "cus_zq").cancel(cancelled, "I have a broken ankle")
        shop.wait_for(cancelled, "cancelled")
        other = place(shop, "cus_other", {"name": "Bob", "phone": "+49 30 1", "address": "A 1"}, "3")
        support, second = shop.as_("support", "sue"), shop.as_("support", "sam")
        wait_until(lambda: len(support.search_orders(phone=CONTACT["phone"])["orders"]) == 2)
        shop.as_("customer", "cus_zq").live_ticket()
        back_up(root / "data", root / "backup", log=DATABASE, mark=BACKUP_MARK, left_out=frozenset({ERASED_KEYS}))
        keyring = shop.engine.ports.keyring
        key_id = keyring.key_id_of("cus_zq")
        assert key_id
        material = keyring.find(key_id).material
        blind = BlindIndex(views_key(root / "data"))
        contact = Contact(**CONTACT)
        indexes = [index for index in blind.of(contact).values() if index]
        with open_log(root / "data") as log:
            before = {head.stream: head for head in heads(log)}
        wait_until(lambda: support.erasure("cus_zq")["open_orders"] == [])
        support.erase_customer("cus_zq", "request 4711")
        erased = second.approve_erasure("cus_zq", "checked")
        assert erased["state"] == "erased", erased
        wait_until(lambda: not shop.engine.projector.progress().lag_commits)
        yield Story(
            shop=shop,
            orders=[delivered, cancelled],
            other=other,
            backup=root / "backup",
            key_id=key_id,
            material=material,
            indexes=indexes,
            heads_before=before,
            receipt=dict(erased["receipts"][-1]),
            lines=lines,
        )
    logger.removeHandler(handler)
    logger.setLevel(level)


def live(shop: Running, order_id: str) -> str:
    """Return what a socket of support is sent about an order from its first event on."""
    now = OrderNow(shop.engine.ports.log, OrderId(order_id), read({}, read_budgets))
    return now.body(Actor(Role.SUPPORT, "sue"), 0, now.version)


def left_in(folder: Path, texts: list[bytes]) -> set[tuple[str, bytes]]:
    """Return the files of a folder that contain one of these texts, in any page, free or not."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    contents = {file.name: file.read_bytes() for file in files}
    assert len(contents) >= 5
    return {(name, text) for name, content in contents.items() for text in texts if text in content}


def test_no_file_of_the_engine_holds_a_text_of_the_customer(story: Story) -> None:
    """Neither in plain text nor in UTF-16, and neither the key that would decrypt it nor an index that finds it."""
    texts = [text.encode(encoding) for text in WRITTEN for encoding in ("utf-8", "utf-16-le")]
    assert left_in(story.shop.folder, texts) == set()
    derived = [story.material, *(index.encode() for index in story.indexes)]
    assert left_in(story.shop.folder, derived) == set()
    found = {text for _, text in left_in(story.backup, derived)}
    assert found == set(derived), "the test looks for what a folder holds before an erasure"


def test_no_line_of_the_log_names_the_customer(story: Story) -> None:
    """From the first order on."""
    assert story.lines
    assert [line for line in story.lines for text in WRITTEN if text in line] == []


def test_nobody_is_shown_the_customer_any_more(story: Story) -> None:
    """Order, history, search, data, and the live topic of an order with all of its events."""
    support = story.shop.as_("support", "sue")
    shown = [
        *(support.get(order_id) for order_id in story.orders),
        *(support.replay(order_id, 1) for order_id in story.orders),
        *(live(story.shop, order_id) for order_id in story.orders),
        support.customer_data("cus_zq"),
        support.orders(customer="cus_zq"),
        support.events(customer="cus_zq"),
        support.search_orders(phone=CONTACT["phone"]),
        support.webhooks(),
    ]
    assert [text for text in WRITTEN if text in str(shown)] == []
    assert shown[-2]["orders"] == []  # type: ignore[call-overload]  # the search
    assert shown[-5]["deliveries"] == []  # type: ignore[call-overload]  # the data


def test_the_receipt_names_two_persons_and_counts_what_went(story: Story) -> None:
    """An auditor reads it; it holds nothing of the customer."""
    shown = story.shop.as_("auditor", "ann").erasure("cus_zq")
    assert shown["receipts"] == [story.receipt]
    assert (story.receipt["key_id"], story.receipt["orders"]) == (story.key_id, 2)
    assert story.receipt["fields"] >= 8
    assert story.receipt["deliveries"] >= 10


def test_chain_books_and_heads_from_before_stay_valid(story: Story) -> None:
    """Also what was published before the erasure proves the same orders."""
    folder = story.shop.folder
    with open_log(folder) as log, open_ledgers(folder) as ledgers:
        assert verify(log).intact
        after = {head.stream: head for head in heads(log)}
        assert check_books(log, ledgers).differences == ()
    assert {stream: after[stream] for stream in story.heads_before if stream.startswith("order#")} == {
        stream: head for stream, head in story.heads_before.items() if stream.startswith("order#")
    }
    with open_database(folder) as database:
        assert audit_folder(database, folder, None, lambda _: None).findings == ()


def test_another_customer_is_not_touched(story: Story) -> None:
    """Their contact is shown, and their open order goes on."""
    shown = story.shop.as_("support", "sue").get(story.other)
    assert shown["contact"] == {"name": "Bob", "phone": "+49 30 1", "address": "A 1", "note": "", "email": ""}


@pytest.fixture
def stopped(story: Story, tmp_path: Path) -> Path:
    """A copy of the folder, as after a stop of the engine."""
    back_up(story.shop.folder, tmp_path / "copy", log=DATABASE, mark=BACKUP_MARK)
    (tmp_path / "copy" / BACKUP_MARK).unlink()
    return tmp_path / "copy"


def assert_erased(story: Story, shop: Running) -> None:
    support = shop.as_("support", "sue")
    wait_until(lambda: not shop.engine.projector.progress().lag_commits)
    assert support.search_orders(phone=CONTACT["phone"])["orders"] == []
    assert support.get(story.orders[0])["contact"] == str(Erased())
    assert left_in(shop.folder, [story.material, *(index.encode() for index in story.indexes)]) == set()


def test_the_customer_stays_erased_after_a_restart_and_a_rebuild_of_the_views(story: Story, stopped: Path) -> None:
    """The views are computed from a log in which nothing personal can be read."""
    with opened_views(stopped) as (store, source):
        rebuild(store, source, store.views, cores=1)
    with running(stopped) as shop:
        assert_erased(story, shop)


def test_the_customer_stays_erased_when_old_commits_are_delivered_again(story: Story, stopped: Path) -> None:
    """A late message makes the projector and the webhooks read the log once more: it holds nothing personal."""
    with opened_views(stopped) as (store, _), store.writing() as connection:
        store.advance(connection, AsOf(position=0, recorded_at=""))
    database = sqlite3.connect(stopped / DATABASE)
    database.execute("UPDATE feed_checkpoints SET read_to = 0")
    database.execute("UPDATE documents SET body = '{\"read_to\": 0}' WHERE pk = 'checkpoints'")
    database.commit()
    database.close()
    with running(stopped) as shop:
        assert_erased(story, shop)
        deliveries = shop.as_("support", "sue").customer_data("cus_zq")["deliveries"]
        assert [text for text in WRITTEN if text in str(deliveries)] == []


def test_a_restored_backup_from_before_is_erased_again_before_anything_runs(story: Story, tmp_path: Path) -> None:
    """The engine refuses the backup itself. With the list of destroyed keys it destroys them, and records it."""
    with pytest.raises(FolderIsBackup, match="expediter restore"):
        EmbeddedEngine.open(story.backup, template=TEMPLATE, gateways=sandbox_gateways(SandboxSettings()))
    assert restore(story.backup, tmp_path / "new", [story.shop.folder]) == 1
    with running(tmp_path / "new") as shop:
        assert shop.engine.ports.keyring.key_id_of("cus_zq") is None
        kinds = [type(event) for event in shop.engine.ports.log.load("customer#cus_zq").events]
        assert kinds[:2] == [ErasureRequested, KeyDestroyed]
        assert resume(shop.engine.ports) == 0
        [receipt] = shop.as_("auditor", "ann").erasure("cus_zq")["receipts"]
        assert (receipt["key_id"], receipt["reason"]) == (story.key_id, AFTER_RESTORE)
        assert_erased(story, shop)
    with open_database(tmp_path / "new") as database:
        assert audit_folder(database, tmp_path / "new", None, lambda _: None).findings == ()


def test_databases_that_were_copied_back_by_hand_are_erased_again(story: Story, stopped: Path, tmp_path: Path) -> None:
    """The list stays in the folder, because no backup contains it."""
    shutil.copy(story.shop.folder / ERASED_KEYS, stopped)
    for name in (DATABASE, VIEWS):
        shutil.copy(story.backup / name, stopped / name)
    with running(stopped) as shop:
        assert shop.engine.ports.keyring.key_id_of("cus_zq") is None
        assert_erased(story, shop)
