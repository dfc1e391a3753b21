"""An order whose stored log was changed, in a real browser: its page says what is wrong and what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import Visit, axe, eventually, visiting
from tests.console.stage import Stage
from workflows.cli.connection import minted
from workflows.cli.demo.engine_process import engine
from workflows.cli.demo.menu import demo_order
from workflows.client import ExpediterClient
from workflows.embedded.files import DATABASE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ORDERED = demo_order(Random("damaged"), "pm_ok")


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Stage]:
    """An engine that was started on a log with one changed commit; ``orders`` has the order and one that is whole."""
    with engine(tmp_path / "data") as first:
        customer = ExpediterClient(first.url, minted(first.data, "customer", ORDERED.customer, 600))
        ids = {name: customer.place(ORDERED.body, f"stage-{name}")["id"] for name in ("changed", "whole")}
        support = ExpediterClient(first.url, minted(first.data, "support", "anna", 600))
        assert eventually(
            lambda: (
                support.events(order=ids["changed"])["events"] and support.orders(id_prefix=ids["changed"])["orders"]
            )
        )
    with closing(sqlite3.connect(tmp_path / "data" / DATABASE)) as database:
        change = "UPDATE events SET ev = replace(ev, '\"quantity\":', '\"quantity\":1') WHERE pk = ? AND sk = 1"
        assert database.execute(change, (f"order#{ids['changed']}",)).rowcount == 1
        database.commit()
    with engine(tmp_path / "data") as second:

        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(second.url, minted(second.data, role, subject, 600))

        yield Stage(second.url, second.data, sign_in, set(), ids)


@pytest.fixture
def window(browser: Browser, damaged: Stage) -> Iterator[Visit]:
    with visiting(browser, damaged) as opened:
        yield opened


def test_the_page_of_a_damaged_order_says_what_is_wrong_what_it_means_and_what_to_do(window: Visit) -> None:
    """Support verifies the log there, sees the place of the change, and is led to the runbook and a backup."""
    order = window.stage.orders["changed"]
    page = window.open(f"orders/{order}")
    page.wait_for_selector("h1:has-text('cannot be read')")
    page.wait_for_selector("[role=alert]:has-text('The engine failed to read this order')")
    page.wait_for_selector("text=decides nothing on it")
    page.click("button:text-is('Verify the log')")
    page.wait_for_selector("h3:text-is('In this order') >> xpath=.. >> li:has-text('Version 1:')")
    steps = page.inner_text("ol.steps")
    for said in ("Tampering", "expediter audit verify --data DIR --checkpoints COPY", "expediter restore"):
        assert said in steps
    assert axe(window) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("text=its events")
    page.wait_for_selector("tr.row")
    page.go_back()
    page.click("text=in the list of orders")
    page.click(f"tr.row a[href='orders/{order}']")
    page.wait_for_selector("h1:has-text('cannot be read')")


def test_a_customer_is_not_sent_to_pages_of_the_audit(window: Visit) -> None:
    """A user without the right to verify the log is asked to give support the order's id."""
    page = window.open(f"orders/{window.stage.orders['changed']}", "customer", ORDERED.customer)
    page.wait_for_selector("[role=alert] >> text=Give support the id")
    page = window.open(f"orders/{window.stage.orders['changed']}", "restaurant", ORDERED.body["restaurant"])
    page.wait_for_selector("text=Give support the id of the order")
    assert page.locator("text=Verify").count() == 0
    assert axe(window) == []


def test_an_order_that_becomes_unreadable_is_not_shown_as_live(window: Visit) -> None:
    """The second answer that fails says that what is shown is old; the next good one ends it."""
    order = window.stage.orders["whole"]
    page = window.open(f"orders/{order}")
    page.wait_for_selector(".live-note")
    page.route(f"**/orders/{order}?*", lambda route: route.fulfill(status=500, body="{}"))
    window.stage.sign_in("support", "anna").note(order, "the next read fails")
    page.wait_for_selector("text=What you look at is the order as it was read before")
    assert axe(window) == []
    page.unroute(f"**/orders/{order}?*")
    page.click("[role=alert] button")
    page.wait_for_selector(".timeline code:has-text('NoteAdded')")
    page.wait_for_selector("text=What you look at is the order as it was read before", state="detached")
