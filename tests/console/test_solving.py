"""Orders that are stuck, solved with the console alone, by the way that a person finds who looks for the first time."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import Visit, axe, eventually, visiting
from tests.console.stage import Stage
from workflows.cli.connection import minted
from workflows.cli.demo.engine_process import engine
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import STORIES
from workflows.client import ExpediterClient
from workflows.embedded.view_builder import opened_views

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


def test_orders_that_wait_at_an_open_circuit_are_found_understood_and_released(visit: Visit) -> None:
    """Home leads to the provider, its card to the reason and to each order, and closing it to their going on."""
    bert = visit.stage.sign_in("support", "bert")
    bert.circuit("payments", "open", "the bank reported an outage")
    try:
        order = visit.stage.place("behind the circuit")
        eventually(lambda: bert.circuit("payments")["waiting"])
        page = visit.open()
        page.click("a.tile:has-text('no calls to payments')")
        card = page.locator("section:has(h2:text-is('payments'))")
        card.locator("dd:has-text('the bank reported an outage, support bert')").wait_for()
        assert "continue only when a person starts calls again" in card.inner_text()
        card.locator("h3:text('1 order waits at it')").wait_for()
        assert axe(visit) == []
        card.locator(f".waiting a[href='orders/{order}']").click()
        page.wait_for_selector("text=Waits for calls to payments to start again >> nth=0")
        assert page.locator(".why >> text=Next:").count() == 0, "each wait says already what follows"
        page.click(".wait a:has-text('circuit')")
        card.locator("button:text-is('Start calls again')").click()
        page.wait_for_selector("dialog .preview:has-text('1 order waits at it now')")
        page.fill("dialog textarea", "the bank confirmed by phone that it works")
        page.click("dialog button.primary")
        page.wait_for_selector("dialog[open] [role=status]:has-text('1 order continues now')")
        page.keyboard.press("Enter")  # the button that closes the dialog has the focus
        card.locator("p:has-text('Calls are made')").wait_for()
        assert bert.circuit("payments")["circuit"]["state"] == "closed"
    finally:
        bert.circuit("payments", "close", "the test is over")


def test_a_dead_letter_of_the_views_is_found_understood_and_tried_again(visit: Visit) -> None:
    """Home leads to the streams that lists lack; the order itself is whole; an auditor only reads."""
    order, nothing = visit.stage.orders["right to left"], f"order#ord_{'a' * 26}"
    with opened_views(visit.stage.data) as (store, _), store.writing() as connection:
        for view in ("orders", "taxes"):
            store.park(connection, view, f"order#{order}", "ArithmeticError")
        store.park(connection, "orders", nothing, "ArithmeticError")
    page = visit.open("views", "auditor", "otto")
    row = f"tr.row:has-text('{order}')"
    page.wait_for_selector(f"{row}:has-text('orders, taxes'):has-text('ArithmeticError')")
    assert page.locator("text=Try again").count() == 0
    page = visit.open()
    page.click("a.tile:has-text('Dead letters')")
    page.wait_for_selector("text=No order is held up by this")
    assert axe(visit) == []
    page.click(f"{row} >> a")
    page.wait_for_selector("text=Why it is where it is")
    page.go_back()
    page.click(f"{row} >> button:has-text('Try again')")
    page.wait_for_selector("dialog .preview:has-text('would be stored')")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog [role=status] .preview li:has-text('taxes: stored')")
    page.keyboard.press("Escape")
    page.wait_for_selector(row, state="detached")


@pytest.fixture
def careful(browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """A window on an engine where credits of more than one euro need a second person, with an order that waits."""
    ordered = demo_order(Random("careful"), "pm_ok")
    with engine(tmp_path / "data", {"SecondPersonAbove": "1.00 EUR"}) as running:

        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, 600))

        placed = sign_in("customer", ordered.customer).place(ordered.body, "careful")
        stage = Stage(running.url, running.data, sign_in, set(), {"waiting": placed["id"]})
        with visiting(browser, stage) as visit:
            yield visit


def test_a_credit_above_the_limit_is_asked_for_by_one_person_and_granted_by_another(careful: Visit) -> None:
    """Who asked is not offered to approve it; Home leads the second person to it, and the log has both."""
    order = careful.stage.orders["waiting"]
    page = careful.open(f"orders/{order}")
    page.click("button[aria-label='Preview: Grant a credit']")
    page.fill("dialog input[type=number]", "5.00")
    page.wait_for_selector("dialog .preview:has-text('needs the approval of a second person')")
    page.fill("dialog textarea", "a dish was cold")
    page.click("dialog button.primary:has-text('Request approval')")
    page.wait_for_selector("dialog .outcome li")
    page.keyboard.press("Escape")
    page.wait_for_selector("text=Waits for a second person")
    assert page.locator("button[aria-label^='Preview: Approve']").count() == 0
    assert page.locator("button[aria-label^='Preview: Withdraw']").count() == 1
    page = careful.open(subject="bert")
    page.click("a.tile:has-text('Approvals for you')")
    row = f"tr.row:has(a[href='orders/{order}'])"
    page.wait_for_selector(f"{row}:has-text('support anna')")
    assert axe(careful) == []
    page.click(f"{row} >> button:has-text('Review')")
    page.wait_for_selector("dialog .preview code:has-text('CreditGranted')")
    page.wait_for_selector("dialog q:has-text('a dish was cold')")
    page.fill("dialog textarea", "the photo shows it")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('CreditGranted')")
    page.wait_for_selector("dialog [role=status] >> text=The order is now")
    page.keyboard.press("Escape")
    page.wait_for_selector(row, state="detached")
    credited = careful.stage.sign_in("support", "bert").get(order)["totals"]["credited"]
    assert credited == {"amount": "5.00", "currency": "EUR"}


def test_a_request_stands_on_the_page_of_approvals_as_soon_as_it_is_made(careful: Visit) -> None:
    """The list follows the log while it is looked at; its entry in the menu reads it anew."""
    order = careful.stage.orders["waiting"]
    list(careful.stage.sign_in("support", "bert").approvals())  # the views of a new engine are there
    page = careful.open("approvals", subject="bert")
    page.wait_for_selector("text=Nothing waits for a second person.")
    page.wait_for_selector(".banner.late", state="detached")
    five = {"amount": "5.00", "currency": "EUR"}
    careful.stage.sign_in("support", "anna").credit(order, five, fault="platform", reason="a dish was cold")
    page.wait_for_selector(f"tr.row:has(a[href='orders/{order}'])")
    with page.expect_response("**/approvals?*"):
        page.click("nav[aria-label=Pages] a:text-is('Approvals')")
    page.wait_for_selector(f"tr.row:has(a[href='orders/{order}'])")


def test_a_courier_admits_that_a_completed_order_never_came_and_the_customer_gets_everything_back(
    careful: Visit,
) -> None:
    """Below what is offered at once stand the reports that contradict what was reported: a person decides then."""
    ordered = demo_order(Random("never came"), "pm_ok")
    (played,) = play([(STORIES[0], ordered)], careful.stage.sign_in, "never-came", lambda _: None)
    order = played.view["id"]
    bert = careful.stage.sign_in("support", "bert")
    eventually(lambda: bert.get(order)["status"] == "completed")
    page = careful.open(f"orders/{order}")
    page.click("button:text-is('What can be done')")
    page.wait_for_selector("button[aria-label='Preview: Delivery failed']:visible")
    assert axe(careful) == []
    page.click("button[aria-label='Preview: Delivery failed']")
    page.get_by_label("At fault").select_option("courier")
    page.get_by_label("Their reason").fill("the meal was stolen")
    page.get_by_label("Who said so, and how").fill("the courier, by phone")
    _sent(careful, "ReportContested", "he was ashamed")
    page.locator("button[aria-label^='Preview: Confirm the report of event']").first.click()
    _sent(careful, "ApprovalRequested", "he admits it")
    page = careful.open(f"orders/{order}", subject="bert")
    page.locator("button[aria-label^='Preview: Approve']").first.click()
    _sent(careful, "ReportConfirmed", "the photo is of another door")
    eventually(lambda: bert.get(order)["status"] == "cancelled")
    assert bert.why(order)["sentence"].endswith("everything was given back or written off.")
    assert not bert.why(order)["owed"]
    page.wait_for_selector(".state dd:has-text('reported, but it failed')")


def _sent(visit: Visit, event: str, reason: str) -> None:
    """Send what the dialog asks for, once its preview has this event."""
    page = visit.page
    page.wait_for_selector(f"dialog .preview code:text-is('{event}')")
    page.fill("dialog textarea", reason)
    page.click("dialog button.primary")
    page.wait_for_selector(f"dialog .outcome code:text-is('{event}')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_a_rejected_request_is_listed_as_rejected(careful: Visit) -> None:
    """Whoever decided is named with the decision; the reason of who asked is shown before it."""
    order = careful.stage.orders["waiting"]
    five = {"amount": "5.00", "currency": "EUR"}
    careful.stage.sign_in("support", "anna").credit(order, five, "platform", "was late")
    list(careful.stage.sign_in("support", "bert").approvals())  # the views of a new engine are there
    page = careful.open("approvals", subject="bert")
    row = f"tr.row:has(a[href='orders/{order}'])"
    page.click(f"{row} >> button:has-text('Reject')")
    page.wait_for_selector("dialog q:has-text('was late')")
    page.fill("dialog textarea", "it was on time")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('ApprovalRejected')")
    page.keyboard.press("Escape")
    page.wait_for_selector(row, state="detached")
    page.select_option("select", label="decided")
    page.wait_for_selector(f"{row}:has-text('rejected by bert')")
