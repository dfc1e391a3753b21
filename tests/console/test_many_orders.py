"""Lists of orders and incidents in a real browser: many orders at once, planned and begun; incidents taken on."""

from __future__ import annotations

import json
from typing import Any

from tests.console.conftest import Visit, axe


def test_chosen_orders_are_planned_and_the_outcome_of_each_is_shown(visit: Visit) -> None:
    """The plan names what is refused; it begins with its token; the job's address shows each order's outcome."""
    stage = visit.stage
    chosen = [stage.place("bulk one"), stage.place("bulk two"), stage.orders["delivered"]]
    page = visit.open("orders")
    for order in chosen:
        page.check(f"tr:has(a[href='orders/{order}']) input[type=checkbox]")
    assert "3 orders chosen" in page.inner_text(".chosen")
    assert axe(visit) == []
    page.click(".chosen >> text=Cancel")
    page.wait_for_selector("dialog >> text=Not possible for 1 order")
    assert "2 orders" in page.inner_text("dialog .preview")
    page.fill("dialog textarea", "the kitchen burnt down")
    page.select_option("dialog select", "20")
    page.wait_for_selector("dialog >> text=Not possible for 1 order")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog >> text=It has begun on 2 orders")
    assert page.inner_text("dialog h2") == "Done: Cancel 3 orders"
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector(".bulk-job .badge:has-text('ended') >> nth=0")
    page.wait_for_selector(".bulk-job button:text('Stop')", state="detached")
    assert "job=bulk" in page.url
    support = stage.sign_in("support", "anna")
    assert [support.get(order)["status"] for order in chosen] == ["cancelled", "cancelled", "completed"]


def test_the_keyboard_chooses_orders_and_all_that_match_can_be_chosen(visit: Visit) -> None:
    """The key x chooses the row that has the focus; the box above the column chooses every loaded row."""
    page = visit.open("orders?status=completed")
    page.wait_for_selector("tr.row")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert "1 order chosen" in page.inner_text(".chosen")
    page.check("thead input[type=checkbox]")
    rows = page.locator("tr.row").count()
    assert f"{rows} order" in page.inner_text(".chosen")
    page.click(".chosen >> text=Clear")
    page.wait_for_selector(".chosen", state="detached")


def test_an_incident_is_taken_on_and_released(visit: Visit) -> None:
    """Colleagues see who is at it; the groups show when their orders were parked and how often they ran."""
    order = visit.stage.orders["parked too"]
    row = f"tr:has(a[href='orders/{order}'])"
    page = visit.open("incidents")
    page.click(f"{row} >> text=Take on")
    page.fill("dialog textarea", "I know the restaurant")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('IncidentAssigned')")
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector(f"{row} >> text=Release")
    assert page.locator(".group svg.trend").count() == page.locator(".group").count()
    assert "so far" in page.inner_text(".group >> nth=0")
    assert axe(visit) == []
    page.select_option("label:has-text('Taken on by') select", "nobody")
    page.wait_for_selector(row, state="detached")
    page.select_option("label:has-text('Taken on by') select", "me")
    page.click("text=Show orders")
    page.wait_for_selector(".example >> text=The one parked longest")
    page.click(f"{row} >> text=Release")
    page.fill("dialog textarea", "my shift is over")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('IncidentAssigned')")
    events = list(visit.stage.sign_in("support", "anna").history(order))
    assigned = [(each["data"]["to"], each["data"]["reason"]) for each in events if each["type"] == "IncidentAssigned"]
    assert assigned == [("anna", "I know the restaurant"), ("", "my shift is over")]


ROWS = 3_000
DRAWN_MAX = 120
"""Rows in the page, beside those in the list: a window of 900 pixels has 20, and 12 are drawn beyond each end."""


def test_a_long_list_draws_only_the_rows_near_the_window(visit: Visit) -> None:
    """The page's size does not grow with the list, at its beginning, in its middle and at its end."""
    page = visit.open("orders?sort=placed_at")
    page.wait_for_selector("tr.row")
    answer: Any = visit.stage.sign_in("support", "anna").orders(limit=1)
    row = answer["orders"][0]
    answer |= {"next": None, "orders": [{**row, "id": f"ord_{number:026d}"} for number in range(ROWS)]}
    body = json.dumps(answer)
    page.route("**/orders?*", lambda route: route.fulfill(body=body, content_type="application/json"))
    page.select_option("label:has-text('Sorted') select", "changed_at")
    page.wait_for_selector(f"table[aria-rowcount='{ROWS + 1}']")
    for part in (0, 0.5, 1):
        page.evaluate("part => scrollTo(0, part * document.documentElement.scrollHeight)", part)
        page.wait_for_selector(f"a[href='orders/ord_{round(part * (ROWS - 1)):026d}']")
        assert page.locator("tr.row").count() <= DRAWN_MAX
    assert page.locator("main *").count() < 30 * DRAWN_MAX


def test_the_next_page_is_read_when_its_reader_comes_near_the_end(visit: Visit) -> None:
    """Opening a list reads one page, however long the list is; scrolling to its end reads one more."""
    row: Any = visit.stage.sign_in("support", "anna").orders(limit=1)
    row["as_of"] |= {"lag_commits": 0}  # a list that lacks changes is read again
    asked = []

    def answer(route: Any) -> None:
        asked.append(route.request.url)
        first = 50 if "cursor=" in route.request.url else 0
        orders = [{**row["orders"][0], "id": f"ord_{number:026d}"} for number in range(first, first + 50)]
        route.fulfill(json={**row, "next": f"after-{first + 50}", "orders": orders})

    page = visit.open(
        "orders?sort=placed_at", "restaurant", visit.stage.restaurant
    )  # it has no live updates of this list
    page.wait_for_selector("tr.row")
    page.route("**/orders?*sort=changed_at*", answer)
    page.select_option("label:has-text('Sorted') select", "changed_at")
    page.wait_for_selector("table[aria-rowcount='51']")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert len(asked) == 1
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector("table[aria-rowcount='101']")
    assert "cursor=after-50" in asked[1]
