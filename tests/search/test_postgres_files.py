"""No personal data is in any file of a PostgreSQL server that keeps the views: tables, WAL, free space and its log."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from pathlib import Path

import psycopg
import pytest

from domain.identifiers import SYSTEM
from tests.erasure.distinctive import CONTACT, PERSONAL
from tests.projections.histories import BLIND_INDEX
from tests.search.shops import ShopWithViews
from tests.sql.postgres import NoPostgres, postgres_server
from workflows.event_store.erasure import erase
from workflows.projections.rebuild import RebuildFrom, rebuild
from workflows.projections.store import ViewStore

CUSTOMER = "cus_zq"
KNOWN = {"phone": CONTACT["phone"], "email": CONTACT["email"], "name": CONTACT["name"]}


def test_no_personal_data_is_in_any_file_of_a_postgresql_server() -> None:
    """A customer orders, cancels, is searched for, projected, rebuilt and erased: each of it goes through the server.

    Reasons are personal too. Ids and what was ordered are found in the same files: the search reads what is there.
    """
    with ExitStack() as running:
        try:
            server = running.enter_context(postgres_server())
        except NoPostgres as reason:
            pytest.skip(str(reason))
        shop = ShopWithViews(server.new_database())
        order_id = _lived(shop)
        shop.views.close()
        with psycopg.connect(
            host=str(server.socket_folder), dbname="postgres", user="postgres", autocommit=True
        ) as admin:
            admin.execute("CHECKPOINT")  # it writes what is in memory to the files
        files = [file for file in server.socket_folder.rglob("*") if file.is_file()]
        stored = {file.relative_to(server.socket_folder): file.read_bytes() for file in files}
    for folder in ("base", "pg_wal"):
        inside = b"".join(content for file, content in stored.items() if file.parts[0] == folder)
        assert order_id.encode() in inside, folder
        assert b"pizza-margherita" in inside, folder
    assert Path("log") in stored
    found = {(text, str(file)) for file, content in stored.items() for text in PERSONAL if text.encode() in content}
    assert found == set()


def _lived(shop: ShopWithViews) -> str:
    """Let a customer with distinctive texts do all that reaches the database, and return the id of an order."""
    contact = {"contact": CONTACT}
    order_id = shop.completed(key="one", sub=CUSTOMER, **contact)
    cancelled = shop.authorized(key="two", sub=CUSTOMER, **contact)
    reason = {"reason": "Zacharina Quillfeather of Schwanenwerder fears the otter"}
    assert shop.call("POST", f"/orders/{cancelled}/cancel", reason, sub=CUSTOMER, key="cancel").status == 200
    shop.project()
    for name, value in KNOWN.items():
        found = shop.call("POST", "/orders/search", {name: value}, role="support").json["orders"]
        assert {order["id"] for order in found} == {order_id, cancelled}
    _rebuild(shop.store, shop)
    erase(shop.log, shop.keyring, shop.clock, CUSTOMER, actor=SYSTEM, reason="asked")
    shop.project()
    for name, value in KNOWN.items():
        assert shop.call("POST", "/orders/search", {name: value}, role="support").json["orders"] == []
    _rebuild(shop.store, shop)
    return order_id


def _rebuild(store: ViewStore, shop: ShopWithViews) -> None:
    source = RebuildFrom(open_log=lambda: nullcontext(shop.log), blind_index=BLIND_INDEX)
    rebuild(store, source, list(store.views), cores=1)
