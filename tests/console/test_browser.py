"""The console in a real browser on a real engine: its pages, its actions to their outcome in the log, hostile texts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.console.conftest import Visit, axe, eventually
from tests.console.stage import HOSTILE, RIGHT_TO_LEFT

PAGES = ("", "orders", "incidents", "approvals", "money", "events", "circuits", "webhooks", "views")
OPERATORS = ("Home", "Orders", "Incidents", "Approvals", "Money", "Event log", "Circuits")
FIRST_LOAD_BYTES_MAX = 150_000


def test_a_code_of_the_command_line_logs_in_once_and_leaves_no_trace(visit: Visit) -> None:
    """The token is in memory alone: not in the address, not in any storage; the code is worth nothing afterwards."""
    address = visit.stage.login("support", "anna", "orders")
    visit.page.goto(address)
    visit.page.wait_for_selector("h1:has-text('Orders')")
    assert visit.page.url == f"{visit.stage.url}/console/orders"
    stored = visit.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert "eyJ" not in stored
    visit.page.goto("about:blank")
    visit.page.goto(address)
    assert "used already" in visit.page.inner_text("[role=alert]")


def test_a_pasted_token_logs_in_and_a_wrong_one_is_explained(visit: Visit) -> None:
    """Where no browser can be opened by the command line, the token is pasted."""
    from workflows.cli.connection import minted

    visit.page.goto(f"{visit.stage.url}/console/")
    visit.page.fill("#token", "wrong")
    visit.page.click("text=Log in")
    assert "not valid" in visit.page.inner_text("[role=alert]")
    visit.page.fill("#token", minted(visit.stage.data, "auditor", "otto", 60))
    visit.page.click("text=Log in")
    visit.page.wait_for_selector("h1:has-text('Now')")


def test_an_engine_on_which_nothing_happens_is_up_to_date(visit: Visit) -> None:
    """The age of the newest commit alone would read as if the page were behind."""
    for path in ("", "money"):
        visit.open(path).wait_for_selector("text=up to date, last change")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_in_both_themes(visit: Visit, theme: Any) -> None:
    """axe-core finds nothing: names, roles, contrast of AA, order of headings, focus."""
    visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page = visit.open()
    order = visit.stage.orders["short"]
    found = {}
    for path in (*PAGES, f"orders/{visit.stage.orders['parked']}", f"orders/{order}?at=5"):
        page.evaluate(
            "to => { history.pushState(null, '', '/console/' + to); dispatchEvent(new PopStateEvent('popstate')) }",
            path,
        )
        page.wait_for_selector("[aria-busy]", state="detached")
        page.wait_for_selector("main h1")
        visit.settle()
        if violations := axe(visit):
            found[path] = violations
    assert found == {}


@pytest.mark.parametrize(
    ("role", "subject", "pages"),
    [
        (
            "support",
            "anna",
            [
                "Home",
                "Orders",
                "Incidents",
                "Approvals",
                "Money",
                "Event log",
                "Circuits",
                "Webhooks",
                "Views",
                "Audit",
            ],
        ),
        (
            "auditor",
            "otto",
            ["Home", "Orders", "Incidents", "Approvals", "Money", "Event log", "Circuits", "Views", "Audit"],
        ),
        ("customer", "cus-nobody", ["Orders"]),
        ("courier", "cou-nobody", ["Orders", "Deliveries"]),
    ],
)
def test_each_role_is_offered_what_it_may_do(visit: Visit, role: str, subject: str, pages: list[str]) -> None:
    """A button that would be refused is not shown; a page for another role is said to be one."""
    page = visit.open("orders", role, subject)
    assert page.locator("nav a").all_inner_texts() == pages
    if role == "auditor":
        page.goto(visit.stage.login(role, subject, f"orders/{visit.stage.orders['parked']}"))
        page.wait_for_selector("text=Why it is where it is")
        assert page.locator("text=What you can do now").count() == 0
        assert "Not shown to your role" in page.inner_text("main")
    if role == "customer":
        page.goto(visit.stage.login(role, subject, "incidents"))
        page.wait_for_selector("text=no such page for your role")


def test_a_restaurant_sees_no_name_of_what_it_may_not_read(visit: Visit) -> None:
    """The key of a request and the checkpoint are for support and auditors: their lines are left out."""
    order = visit.stage.orders["parked"]
    restaurant = visit.stage.sign_in("support", "anna").get(order)["restaurant"]
    page = visit.open(f"orders/{order}", "restaurant", restaurant)
    page.wait_for_selector("section.evidence dt:text-is('Hash')")
    assert {"Key", "Checkpoint"}.isdisjoint(page.locator("section.evidence dt").all_inner_texts())
    assert page.locator("dl.facts dd:empty").count() == 0


def test_filters_are_in_the_address_and_the_back_button_undoes_them(visit: Visit) -> None:
    """A link shows its reader what its sender saw."""
    page = visit.open("orders?status=completed")
    page.wait_for_selector("tr.row")
    assert set(page.locator("tr.row .badge").all_inner_texts()) == {"completed"}
    page.click("button:has-text('Parked')")
    page.wait_for_url(re.compile("parked=true"))
    page.wait_for_selector("text=No order matches")
    page.click("text=Show all")
    page.wait_for_selector(f"a[href='orders/{visit.stage.orders['parked']}']")


def test_time_travel_shows_what_replay_says(visit: Visit) -> None:
    """The panels show the state that the engine folds; the moment is in the address, and the past is marked."""
    order = visit.stage.orders["short"]
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".slider")
    support = visit.stage.sign_in("support", "anna")
    latest = support.get(order)["version"]
    for version in range(latest - 1, 1, -3):
        page.evaluate(
            "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')) }",
            f"/console/orders/{order}?at={version}",
        )
        page.wait_for_selector(f"text=State after event {version}")
        was = support.replay(order, version)["order"]
        shown = page.inner_text(".state")
        assert was["totals"]["total"]["amount"] in shown
        assert was["payment"]["captured"]["amount"] in shown
        assert page.inner_text("h1 .badge") == was["status"].replace("_", " ")
        assert page.locator(".slider-box.past").count() == 1
    page.keyboard.press("]")
    page.wait_for_url(re.compile(r"at=\d+"))
    page.keyboard.press("l")
    page.wait_for_selector(".slider-box:not(.past)")
    page.wait_for_url(re.compile(r"orders/[^?]+$"))


def test_the_contact_is_covered_until_it_is_asked_for_and_that_is_recorded(visit: Visit) -> None:
    """Opening an order is no read of personal data; uncovering it is one, with its reason."""
    order = visit.stage.orders["right to left"]
    page = visit.open(f"orders/{order}", subject="curious")
    page.wait_for_selector("text=Why you need it")
    assert RIGHT_TO_LEFT not in page.content()
    auditor = visit.stage.sign_in("auditor", "otto")
    assert auditor.access_log(order=order, actor="curious")["reads"] == []
    page.fill("input[placeholder*=case]", "case 4711")
    page.click("text=Show name, phone and address")
    page.wait_for_selector(f"text={RIGHT_TO_LEFT}")
    page.wait_for_selector("text=this read is recorded")
    reads = eventually(lambda: auditor.access_log(order=order, actor="curious")["reads"])
    assert {read["reason"] for read in reads} == {"case 4711"}
    page = visit.open(f"audit/reads?order={order}&actor=curious", "auditor", "otto")
    page.wait_for_selector("tr.row:has-text('case 4711')")
    assert axe(visit) == []


_ABOVE_THE_GRAPH = """() => {
  const [actions, graph] = ['.order-now .offers', '.card.graph'].map(each => document.querySelector(each))
  return Boolean(actions.compareDocumentPosition(graph) & Node.DOCUMENT_POSITION_FOLLOWING)
}"""


def test_an_action_is_previewed_has_a_reason_and_ends_with_what_the_log_says(visit: Visit) -> None:
    """A parked order is retried: the plan, the reason, and then the events that followed, not the click."""
    order = visit.stage.orders["parked"]
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".why-line:has-text('the payment was not captured')")
    page.click("text=What can be done")
    page.wait_for_function("() => document.querySelector('.card.why').getBoundingClientRect().bottom < innerHeight")
    page.wait_for_selector(".card.graph")
    assert page.evaluate(_ABOVE_THE_GRAPH), "what can be done stands above the graph"
    page.click("button[aria-label='Preview: Retry']")
    page.wait_for_selector("text=What happens")
    send = page.locator("dialog button.primary")
    assert send.is_disabled()
    page.fill("dialog textarea", "asked the bank")
    send.click()
    page.wait_for_selector("dialog .outcome code:has-text('RunStarted')")
    page.wait_for_selector("dialog .outcome code:has-text('OrderParked')")
    ended = page.locator("dialog [role=status] p", has_text="The order is now")
    ended.locator(".badge:text-is('parked')").wait_for()
    assert "nothing charged" in ended.inner_text()
    assert " reserved" in ended.inner_text()
    page.click("dialog footer button:text-is('Close')")
    run = [e for e in visit.stage.sign_in("support", "anna").history(order) if e["type"] == "RunStarted"][-1]
    assert (run["actor"]["id"], run["data"]["reason"]) == ("anna", "asked the bank")


def test_an_order_is_cancelled_and_the_page_follows_live(visit: Visit) -> None:
    """The page shows the compensation as it happens, without being loaded again."""
    order = visit.stage.orders["to cancel"]
    page = visit.open(f"orders/{order}")
    page.click("button[aria-label='Preview: Cancel the order']")
    page.wait_for_selector("dialog .preview code:has-text('CancellationRequested')")
    page.fill("dialog textarea", "the customer called")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('OrderCancelled')")
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector("h1 .badge:has-text('cancelled')")
    page.wait_for_selector(".timeline >> text=payment released")


def test_support_reports_for_a_restaurant_and_adds_a_note(visit: Visit) -> None:
    """Reports that end a wait are offered beside it, and name their source; a note is shown to support."""
    order = visit.stage.orders["to accept"]
    page = visit.open(f"orders/{order}")
    page.click("button[aria-label='Preview: Restaurant accepted']")
    page.wait_for_selector("dialog .preview code:has-text('PreparationAccepted')")
    assert page.locator("dialog button.primary").is_disabled()
    page.fill("dialog input[type=text]", "the owner, by phone")
    page.fill("dialog textarea", "their tablet is broken")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('PreparationAccepted')")
    page.wait_for_selector("dialog .outcome code:has-text('ReportedOnBehalf')")
    page.click("dialog footer button:text-is('Close')")
    page.click("button[aria-label='Preview: Add a note']")
    page.fill("dialog textarea", HOSTILE)
    page.click("dialog button.primary")
    page.wait_for_selector("dialog .outcome code:has-text('NoteAdded')")
    page.click("dialog footer button:text-is('Close')")
    page.click("text=Show name, phone and address")
    said = page.locator("q.said", has_text="{{7*7}}")
    said.wait_for()
    assert said.text_content() == HOSTILE
    assert page.evaluate("window.hacked") is None


def test_texts_of_people_stay_texts(visit: Visit) -> None:
    """Names, addresses and notes that look like markup are shown as they were written, and nothing of them runs."""
    page = visit.open(f"orders/{visit.stage.orders['hostile']}")
    page.click("text=Show name, phone and address")
    page.wait_for_selector("a[href^='tel:']")
    assert page.inner_text("main").count(HOSTILE) >= 3
    assert page.evaluate("window.hacked") is None
    page.goto(visit.stage.login("support", "anna", "orders?customer=%3Cimg%20src%3Dx%3E"))
    page.wait_for_selector("[role=alert]")
    assert page.locator("main img").count() == 0


def test_offline_is_said_and_what_was_missed_is_shown_afterwards(visit: Visit) -> None:
    """A laptop that was closed shows the truth again by itself."""
    order = visit.stage.place("missed")
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".live-note")
    page.context.set_offline(True)
    page.wait_for_selector(".banner.offline")
    visit.stage.sign_in("support", "anna").note(order, "while you were away")
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector(".timeline code:has-text('NoteAdded')")
    page.wait_for_selector(".banner.offline", state="detached")


def test_a_page_that_could_not_be_loaded_is_loaded_at_the_next_try(visit: Visit) -> None:
    """A browser keeps that an address had no answer: the file is asked for under another one."""
    page = visit.open("orders")
    page.route("**/pages/circuits.js*", lambda route: route.abort())
    page.click("nav a:has-text('Circuits')")
    page.wait_for_selector("[role=alert] >> text=This page could not be loaded")
    page.unroute("**/pages/circuits.js*")
    page.click("[role=alert] button:text-is('Try again')")
    page.wait_for_selector("h1:has-text('Circuits')")


def test_a_paused_page_says_how_much_is_new(visit: Visit) -> None:
    """The list does not move under its reader, and shows that there is more."""
    order = visit.stage.place("paused")
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".live-note:has-text('live')")
    page.keyboard.press("p")
    visit.stage.sign_in("support", "anna").note(order, "meanwhile")
    page.wait_for_selector("text=The order changed while you looked")
    assert page.locator(".timeline code:has-text('NoteAdded')").count() == 0
    page.click(".notice-line button")
    page.wait_for_selector(".timeline code:has-text('NoteAdded')")


def test_the_event_log_is_live_and_can_be_paused(visit: Visit) -> None:
    """New events arrive at the top; while paused they are counted."""
    page = visit.open("events")
    page.wait_for_selector("tr.row")
    order = visit.stage.place("logged")
    page.wait_for_selector(f"a[href^='orders/{order}']")
    page.keyboard.press("p")
    visit.stage.sign_in("support", "anna").note(order, "one more")
    page.wait_for_selector("button:has-text('1 new')")


def test_a_change_is_named_when_it_is_seen_and_counted_while_the_past_is_looked_at(visit: Visit) -> None:
    """A live page says what has just changed; one in the past stays where it is and leads back to the live order."""
    order = visit.stage.place("named")
    anna = visit.stage.sign_in("support", "anna")
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".live-note:has-text('live')")
    anna.note(order, "first")
    page.wait_for_selector(".live-note:has-text('new: Note by support anna')")
    assert page.locator(".stop .staff-mark").count() == 1  # what support did is marked
    assert re.search(r"\d CES?T$", page.locator(".order-facts span", has_text="Placed").inner_text())
    page.locator(".why-line", has_text=re.compile(r", until [0-9: -]+ CES?T\.")).wait_for()
    assert re.search(r"\(\d\d:\d\d:\d\d UTC\)", page.inner_text(".slider-head"))
    page.keyboard.press("[")
    page.wait_for_selector(".past-note")
    anna.note(order, "second")
    banner = page.locator(".notice-line:has-text('while you look at the past: 1 new event.')")
    banner.locator("button").click()
    page.wait_for_selector(".live-note")
    banner.wait_for(state="detached")


def test_numbers_of_home_lead_to_the_orders_that_they_count(visit: Visit) -> None:
    """Those of the last 24 hours: by status, by hour, and those that wait the longest."""
    visit.stage.place("counted")
    page = visit.open()
    tile = page.locator("a.tile", has_text="Under way")
    tile.locator("strong:not(:text('…'))").wait_for()
    address = tile.get_attribute("href") or ""
    assert "picked_up" in address
    assert "placed_from=" in address
    page.wait_for_selector("section:has(h2:text-is('Waiting longest')) li:has-text('restaurant'):has-text('for ')")
    hour = page.locator(".day a[href]").last
    assert "placed_to=" in (hour.get_attribute("href") or "")
    assert axe(visit) == []
    tile.click()
    page.wait_for_selector("tr.row")
    assert page.locator("select >> nth=0").input_value().startswith("placed,")
    assert "completed" not in page.locator("tr.row .badge").all_inner_texts()


_ROW_IN_SIGHT = """() => {
  const row = document.elementFromPoint(700, 450)?.closest('tr.row')
  return row && `${row.ariaRowIndex} ${row.querySelector('a').getAttribute('href')}`
}"""


def test_the_event_log_holds_still_below_its_top_and_counts_what_its_filters_let_through(visit: Visit) -> None:
    """Somebody who reads at row 80 is not thrown back by an event; what the filter leaves out is not announced."""
    page = visit.open("events")
    page.wait_for_selector("tr.row")
    page.wait_for_function("() => (scrollTo(0, 2000), scrollY === 2000)")  # once the pages until there are read
    row = page.wait_for_function(_ROW_IN_SIGHT).json_value()
    order = visit.stage.place("meanwhile logged")
    page.wait_for_selector(".newer button:has-text('new: to the top')")
    assert page.evaluate(_ROW_IN_SIGHT) == row
    page.click(".newer button")
    page.wait_for_selector(f"a[href^='orders/{order}']")

    page = visit.open("events?type=NoteAdded")
    support = visit.stage.sign_in("support", "anna")
    page.wait_for_selector("tr.row, .empty:not([aria-busy])")
    support.note(order, "shown")
    page.wait_for_selector(f"tr.row a[href^='orders/{order}']")
    page.keyboard.press("p")
    support.cancel(visit.stage.place("not announced"), "changed my mind")
    support.note(order, "announced")
    page.wait_for_selector("button:has-text('Resume, 1 new')")


def test_the_event_log_leads_to_an_export_of_what_it_lists(visit: Visit) -> None:
    """The filters go along, so that nobody types them twice; an event is shown with its order and in UTC."""
    page = visit.open(
        "events?type=OrderPlaced&actor_role=customer&recorded_from=2026-01-01T00:00:00Z", "auditor", "otto"
    )
    page.click("tr.row button >> nth=0")
    page.wait_for_selector("dialog >> text=/UTC$/")
    page.keyboard.press("Escape")
    page.click("text=Export these")
    page.wait_for_selector("h1:has-text('Exports')")
    assert page.input_value("label:has-text('Types') input") == "OrderPlaced"
    assert page.input_value("label:has-text('Recorded by') select") == "customer"
    assert page.input_value("label:has-text('From') input") == "2026-01-01"
    page.click("text=Export events")
    page.wait_for_selector("section:has(h2:text('Export')) .badge:text-is('done')")
    assert '"actor_role":"customer"' in page.inner_text("section:has(h2:text('Export'))")


def test_deliveries_that_failed_are_found_among_the_others(visit: Visit) -> None:
    """Of a hundred deliveries the failed ones are shown alone, and the choice is in the address."""
    visit.stage.refused.add("expediter.order.cancelled.v1")
    visit.stage.sign_in("support", "anna").cancel(visit.stage.place("not told"), "changed my mind")
    page = visit.open("webhooks")
    page.wait_for_selector("tr.row .badge:text-is('delivered')")
    page.click("button:text-is('Not delivered')")
    page.wait_for_url(re.compile("undelivered=true"))
    page.wait_for_selector("button[aria-pressed=true]:text-is('Not delivered')")
    page.wait_for_selector("tr.row:has-text('order cancelled')")
    assert "delivered" not in page.locator("tr.row .badge").all_inner_texts()
    assert axe(visit) == []


def test_all_orders_of_a_cause_are_retried_at_a_pace_with_each_outcome(visit: Visit) -> None:
    """The outcome of each order is that of the log, not that its retry was started."""
    page = visit.open("incidents")
    page.click("text=Retry all")
    page.fill("dialog textarea", "the bank is back")
    page.select_option("dialog select", "20")
    page.wait_for_selector("dialog .preview")
    page.click("dialog button.primary")
    page.wait_for_selector("dialog >> text=It has begun on")
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector("[role=progressbar]")
    page.click("summary")
    page.wait_for_selector("details .badge:has-text('parked again')")


def test_calls_to_a_provider_are_stopped_and_started_again_with_a_reason(visit: Visit) -> None:
    """The history of the circuit has the person and the reason."""
    page = visit.open("circuits")
    page.click("section:has(h2:text('couriers')) >> text=Stop calls")
    page.wait_for_selector("dialog .preview:has-text('CircuitHeldOpen')")
    page.fill("dialog textarea", "maintenance")
    page.click("dialog button.primary")
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector("section:has(h2:text('couriers')) .badge:has-text('stopped by a person')")
    assert page.locator("section:has(h2:text('couriers')) a[href='orders?waiting_for=assignment']").count() == 1
    page.click("section:has(h2:text('couriers')) >> button:text('Start calls again')")
    page.fill("dialog textarea", "maintenance is over")
    page.click("dialog button.primary")
    page.click("dialog footer button:text-is('Close')")
    page.wait_for_selector("section:has(h2:text('couriers')) li:has-text('maintenance is over')")


def test_a_restaurant_and_a_courier_do_their_part_on_their_boards(visit: Visit) -> None:
    """A ticket is accepted and cooked, an offer is taken and delivered: each is in the log under its role."""
    order = visit.stage.place("board")
    restaurant = visit.stage.sign_in("support", "anna").get(order)["restaurant"]
    page = visit.open("", "restaurant", restaurant)
    ticket = f"article.ticket:has(a[href='orders/{order}'])"
    page.click(f"{ticket} >> text=Accept, 20 min")
    page.click(f"{ticket} >> button:text-is('Ready')")
    page.wait_for_selector(f"section:has(h2:has-text('At the pass')) {ticket}")
    assert axe(visit) == []
    visit.open("", "courier", "cou-board")
    page.click(f"{ticket} >> text=Take it")
    page.click(f"{ticket} >> text=Picked up")
    watching = _customer_watches(visit, order)
    page.click(f"{ticket} >> text=Delivered")
    watching.page.wait_for_selector(".now:has-text('Your meal was delivered')")
    watching.page.wait_for_selector("section:has(h2:text('Receipt')) >> text=Charged")
    assert watching.faults == []
    page.wait_for_selector(ticket, state="detached")
    events = list(visit.stage.sign_in("support", "anna").history(order))
    said = {event["type"]: event["actor"]["id"] for event in events}
    assert (said["PreparationReady"], said["OrderDelivered"]) == (restaurant, "cou-board")


def test_a_restaurant_rejects_with_a_reason_and_not_by_a_stray_finger(visit: Visit) -> None:
    """A report that cannot be taken back asks for its reason first."""
    order = visit.stage.place("to reject")
    restaurant = visit.stage.sign_in("support", "anna").get(order)["restaurant"]
    page = visit.open("", "restaurant", restaurant)
    ticket = f"article.ticket:has(a[href='orders/{order}'])"
    page.click(f"{ticket} >> text=Reject")
    page.keyboard.press("Tab")  # the first reason had the focus
    page.keyboard.press("Enter")
    page.wait_for_selector(ticket, state="detached")
    support = visit.stage.sign_in("support", "anna")
    (rejected,) = (each for each in support.history(order) if each["type"] == "PreparationRejected")
    assert rejected["data"]["reason"] == "too many orders now"


def _customer_watches(visit: Visit, order: str) -> Visit:
    """Open the customer's own page of an order that a courier carries, and check what it shows and what it does not."""
    support = visit.stage.sign_in("support", "anna")
    support.note(order, "a note for colleagues")
    window = Visit(visit.page.context.new_page(), visit.stage)
    page = window.open(f"orders/{order}", "customer", support.get(order)["customer"])
    page.wait_for_selector(".now:has-text('on the way to you')")
    page.wait_for_selector("text=as soon as the courier's device sends it")
    courier = visit.stage.sign_in("courier", "cou-board")
    eventually(lambda: courier.report_position(order, 48.86, 2.34)["kept"])
    page.wait_for_selector(".courier a[href='geo:48.86,2.34']")
    assert axe(window) == []
    shown = page.inner_text("main")
    assert "a note for colleagues" not in shown
    assert page.locator(".slider, .timeline, .graph").count() == 0
    assert page.locator(".stages li.done time").count() == 6
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return window


def test_the_keyboard_reaches_everything(visit: Visit) -> None:
    """Rows by j and k, help by the question mark, Escape closes and gives the focus back."""
    page = visit.open("orders")
    page.wait_for_selector("tr.row")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.matches('tr.row:nth-of-type(1) a')")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open] >> text=Keys")
    assert page.locator("dialog .places span").count() == len(page.locator("nav[aria-label='Pages'] a").all())
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_selector("h1:has-text('Event log')")


def test_the_first_load_is_small_and_a_phone_needs_no_sideways_scrolling(visit: Visit) -> None:
    """Bytes as they are sent, compressed, of the home page and of an order."""
    sizes: dict[str, int] = {}
    session = visit.page.context.new_cdp_session(visit.page)
    session.send("Network.enable")
    urls: dict[str, str] = {}
    session.on("Network.requestWillBeSent", lambda e: urls.__setitem__(e["requestId"], e["request"]["url"]))
    session.on(
        "Network.loadingFinished", lambda e: sizes.__setitem__(urls.get(e["requestId"], ""), e["encodedDataLength"])
    )
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.open(f"orders/{visit.stage.orders['delivered']}")
    page.wait_for_selector(".slider")
    files = {url: size for url, size in sizes.items() if "/console/" in url}
    assert sum(files.values()) < FIRST_LOAD_BYTES_MAX, json.dumps(files, indent=1)
    for path in PAGES:
        page.goto(visit.stage.login("support", "anna", path))
        page.wait_for_selector("main h1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
