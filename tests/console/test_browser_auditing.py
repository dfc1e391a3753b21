"""The console's pages about money and the audit, in a real browser on a real engine."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.audit.verifier import VERIFIER
from tests.console.conftest import Visit, axe, eventually
from tests.console.stage import HOSTILE, publish_checkpoint
from workflows.cli.demo.menu import demo_order
from workflows.client import ApiProblem


def test_the_books_are_those_of_the_api_and_each_line_leads_to_its_orders(visit: Visit) -> None:
    """Support looks at a balance and ends at the orders behind it."""
    order = visit.stage.orders["parked"]
    page = visit.open("money")
    page.wait_for_selector("section:has(h2:has-text('Books in EUR')) >> text=debits equal credits")
    books = visit.stage.sign_in("support", "anna").books()["currencies"][0]
    held = next(each for each in books["accounts"] if each["account"] == "holds")
    page.wait_for_selector(f"tr.row:has-text('holds'):has-text('€{Decimal(held['closing']['amount']):,}')")
    assert page.locator("a[href^='audit/query']").count() == 0
    page.click("a[aria-label='Events that post to holds in EUR']")
    page.wait_for_selector(f"tr.row a[href^='orders/{order}']")


def test_what_is_owed_is_listed_with_its_totals_by_holding_and_age(visit: Visit) -> None:
    """A total leads to the orders in it, and a parked order to its page."""
    page = visit.open("money")
    page.click("[aria-label='Totals of what is owed'] a:has-text('authorization')")
    page.wait_for_url("**/money?holding=authorization&currency=EUR")
    row = f"[aria-label='Held by orders'] tr.row:has(a[href='orders/{visit.stage.orders['parked']}'])"
    page.wait_for_selector(f"{row} .badge:has-text('parked')")
    assert axe(visit) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("a:has-text('Clear')")
    page.wait_for_url("**/money")


def test_an_auditor_is_led_from_an_account_to_a_query_of_its_orders(visit: Visit) -> None:
    """The query is written and not sent: it would be recorded under the name of its reader."""
    page = visit.open("money", "auditor", "otto")
    page.click("a[aria-label='Orders with a balance on holds in EUR']")
    page.wait_for_selector("h1:has-text('Audit: SQL')")
    assert "account = 'holds'" in page.input_value("textarea")
    assert page.locator("[aria-label=Result]").count() == 0
    page.click("button:has-text('Run')")
    page.wait_for_selector(f"[aria-label=Result] a[href='orders/{visit.stage.orders['parked']}']")


def test_a_role_is_offered_the_parts_of_the_audit_that_it_may_use(visit: Visit) -> None:
    """Support verifies, proves and erases; queries, exports and the record of reads are for auditors."""
    page = visit.open("audit")
    parts = page.locator(".tabs a")
    assert parts.all_inner_texts() == ["Verify", "Checkpoints", "Proof of an order", "Erasures"]
    page = visit.open("audit/query")
    page.wait_for_selector("text=no such part for your role")
    with pytest.raises(ApiProblem, match="Support cannot query"):
        visit.stage.sign_in("support", "anna").query("SELECT 1")


def test_the_log_is_verified_with_its_progress_and_every_finding_has_its_place(visit: Visit) -> None:
    """The run goes on while its reader looks elsewhere. What stands in a stream's name is a text."""
    page = visit.open("audit", "auditor", "otto")
    page.click("button:has-text('Verify the log')")
    page.click("nav a:has-text('Circuits')")
    page.wait_for_selector("h1:has-text('Circuits')")
    page.click("nav a:has-text('Audit')")
    page.wait_for_selector("text=Intact: every commit fits")
    assert axe(visit) == []
    order = visit.stage.orders["short"]
    found = [
        {"stream": f"order#{order}", "version": 3, "what": "does not match its hash"},
        {"stream": HOSTILE, "version": 0, "what": HOSTILE},
    ]
    counts = dict.fromkeys(("streams", "commits", "events", "opaque", "heads", "published"), 1)
    answer = {**counts, "findings": found, "next": None}
    page.route("**/audit/verify*", lambda route: route.fulfill(json=answer))
    page.click("button:has-text('Verify again')")
    page.wait_for_selector("text=2 findings: the log is not what was written")
    row = page.locator(f"tr.row:has-text('order#{order}')")
    assert row.inner_text().split("\t")[1].strip() == "3"
    row.locator("button").click()
    page.wait_for_selector(f"dialog:has-text('does not match its hash') a[href='orders/{order}']")
    assert axe(visit) == []
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 1, "the focus is where it was"
    assert HOSTILE in page.inner_text("main")
    assert page.evaluate("window.hacked") is None


def test_a_proof_is_made_and_checked_in_the_browser_and_its_file_is_what_the_verifier_accepts(visit: Visit) -> None:
    """The browser trusts the engine as little as the verifier does: a changed proof is refused with its place."""
    publish_checkpoint(visit.stage.data)
    page = visit.open("audit/checkpoints", "auditor", "otto")
    page.click("button:has-text('Checkpoint 1')")
    page.wait_for_selector("dialog pre:has-text('made_at')")
    page.wait_for_selector("dialog li:has-text('order#')")
    page.keyboard.press("Escape")
    order = visit.stage.orders["short"]
    page.click(".tabs a:has-text('Proof')")
    page.fill("input[placeholder='ord_…']", order)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Checked in this browser")
    assert axe(visit) == []
    with page.expect_download() as downloading:
        page.click("button:has-text('Download the proof')")
    content = Path(downloading.value.path()).read_bytes()
    assert VERIFIER.verify(content)["stream"] == f"order#{order}"
    proof = json.loads(content)
    proof["commits"][1]["content"] = proof["commits"][1]["content"].replace("1", "2")
    page.route("**/proof", lambda route: route.fulfill(json=proof))
    page.click("button:has-text('Make the proof')")
    page.wait_for_selector("text=Not verified: commits[1]: does not fit its hash")


def test_two_persons_erase_a_customer_and_the_receipt_names_both(visit: Visit) -> None:
    """Who proposed it is not offered to approve it; open orders refuse it by name."""
    customer = "cus-to-erase"
    ordered = demo_order(Random("erase"), "pm_ok")
    placed = visit.stage.sign_in("customer", customer).place(ordered.body, "stage-erase")
    page = visit.open(f"audit/erasures?customer={customer}")
    page.wait_for_selector(f"text=Open orders refuse it >> xpath=.. >> text={placed['id']}")
    assert page.locator("button:has-text('Propose to erase')").is_disabled()
    visit.stage.sign_in("customer", customer).cancel(placed["id"], "changed my mind")
    eventually(lambda: visit.stage.sign_in("support", "anna").get(placed["id"])["status"] == "cancelled")
    page = visit.open(f"audit/erasures?customer={customer}")
    page.click("button:has-text('Propose to erase')")
    page.fill("dialog textarea", f"request 4711 {HOSTILE}")
    page.click("dialog button.primary")
    page.click("dialog footer button:has-text('Close')")
    page.wait_for_selector("text=Another person of support has to approve it")
    assert page.locator("button:has-text('Approve')").count() == 0
    page = visit.open("audit/erasures", subject="bert")
    page.click(f"tr.row a:has-text('{customer}')")
    page.click("button:has-text('Approve')")
    page.wait_for_selector("dialog >> text=This cannot be undone")
    page.fill("dialog textarea", "checked against the request")
    page.click("dialog button.primary")
    page.click("dialog footer button:has-text('Close')")
    page.wait_for_selector("h3:has-text('Receipt of')")
    receipt = page.inner_text("main")
    assert "support anna" in receipt
    assert "support bert" in receipt
    assert "checked against the request" in receipt
    assert HOSTILE in receipt
    assert axe(visit) == []
    publish_checkpoint(visit.stage.data)
    page = visit.open("audit/erasures", "auditor", "otto")
    page.click("button:has-text('Find past erasures')")
    page.wait_for_selector("text=1 erasure ended, of 1 customer with a proposal")
    row = page.inner_text(f"[aria-label='Erasures that ended'] tr.row:has-text('{customer}')")
    for said in ("support anna", "support bert", HOSTILE):
        assert said in row
    assert axe(visit) == []
    page.route("**/audit/heads*", lambda _: None)
    page.click("button:has-text('Find them again')")
    page.click("button:text-is('Stop')")
    page.wait_for_selector("text=Stopped after 0 heads")
    assert page.evaluate("window.hacked") is None


def test_a_query_has_its_limits_beside_it_and_its_rows_are_texts(visit: Visit) -> None:
    """A refused statement is named; values that look like markup are shown as they are."""
    page = visit.open("audit/query", "auditor", "otto")
    page.fill("textarea", f"SELECT order_id, total_minor, '{HOSTILE}' AS name FROM orders ORDER BY total_minor")
    page.select_option("select", "20")
    page.keyboard.press("Tab")
    page.click("button:has-text('Run')")
    page.wait_for_selector("[aria-label=Result] tr.row")
    assert HOSTILE in page.inner_text("[aria-label=Result]")
    assert page.locator("[aria-label=Result] img").count() == 0
    assert axe(visit) == []
    page.fill("textarea", "DELETE FROM orders")
    page.press("textarea", "Control+Enter")
    page.wait_for_selector("[role=alert]")
    assert page.locator("[aria-label=Result]").count() == 0
    page = visit.open("audit/reads", "auditor", "otto")
    page.wait_for_selector("tr.row:has-text('DELETE FROM orders')")


def test_an_export_is_made_and_downloaded_only_if_it_has_the_hash_of_its_manifest(visit: Visit) -> None:
    """The file is what the command line would have written."""
    page = visit.open("audit/exports", "auditor", "otto")
    page.fill("label:has-text('Order') input", visit.stage.orders["short"])
    page.select_option("label:has-text('Format') select", "jsonl")
    page.click("button:has-text('Export events')")
    page.wait_for_selector(".badge:has-text('done')")
    with page.expect_download() as downloading:
        page.click("button:text-is('Download')")
    page.wait_for_selector("text=The file has the hash of its manifest")
    lines = Path(downloading.value.path()).read_text().splitlines()
    assert {json.loads(line)["order_id"] for line in lines} == {visit.stage.orders["short"]}
    assert axe(visit) == []


@pytest.mark.parametrize("part", ["", "/checkpoints", "/proof", "/erasures", "/query", "/exports", "/reads"])
def test_a_phone_shows_each_part_of_the_audit_without_sideways_scrolling(visit: Visit, part: str) -> None:
    """The tabs scroll by themselves, and long keys are cut."""
    publish_checkpoint(visit.stage.data)
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.open(f"audit{part}", "auditor", "otto")
    page.wait_for_selector(".tabs a[aria-current]")
    if part == "/checkpoints":
        page.wait_for_selector("button[data-row]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
