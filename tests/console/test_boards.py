"""The boards of a restaurant and a courier, and a customer's own page: made for a finger, whole for the work."""

from __future__ import annotations

import re
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from tests.console.conftest import Visit, axe, eventually
from tests.console.stage import HOSTILE, Stage
from workflows.cli.demo.menu import demo_order

if TYPE_CHECKING:
    from playwright.sync_api import Route

FINGER_PX = 44
"""The least height of a button for a finger (WCAG 2.5.5)."""

UNTOUCHED = """
let touched = false;
addEventListener("pointerup", () => (touched = true), true);
Object.defineProperty(navigator, "userActivation", {get: () => ({hasBeenActive: touched})});
"""
"""What a browser says that nobody touched: each script that Playwright runs counts as a touch."""


def _ticket(order: str) -> str:
    return f"article.ticket:has(a[href='orders/{order}'])"


def _place_with_two_of_a_line(stage: Stage) -> tuple[str, str]:
    """Return an order and an item of which it has two or more."""
    support = stage.sign_in("support", "anna")
    for number in range(20):
        order = stage.place(f"several of a line {number}")
        for line in support.get(order)["lines"]:
            if line["quantity"] > 1:
                return order, line["name"]
    raise AssertionError("no such order")


def test_a_ticket_shows_the_kitchens_note_and_until_when_to_answer(visit: Visit) -> None:
    """A wish that stands on another page is not read by a cook."""
    order = visit.stage.place("with a note", note=HOSTILE)
    restaurant = visit.stage.sign_in("support", "anna").get(order)["restaurant"]
    page = visit.open("", "restaurant", restaurant)
    page.wait_for_selector(f"{_ticket(order)} >> text=Answer in")
    note = page.locator(f"{_ticket(order)} .kitchen-note bdi")
    note.wait_for()
    assert note.text_content() == HOSTILE
    assert page.evaluate("window.hacked") is None
    assert re.fullmatch(r"\(\d+\) Tickets · Expediter", page.title())
    assert axe(visit) == []


def test_a_ticket_that_comes_while_the_board_opens_is_shown(visit: Visit) -> None:
    """The list was read before, and the subscription tells of later changes alone."""
    restaurant = visit.stage.restaurant
    kind = next(k for k in map(str, count()) if demo_order(Random(k), "pm_ok").body["restaurant"] == restaurant)
    held: list[Route] = []
    placed: list[str] = []

    def hold(route: Route) -> None:
        route.continue_() if placed else held.append(route)

    visit.page.route("**/live-tickets", hold)
    page = visit.open("", "restaurant", restaurant)
    page.wait_for_selector(".board:not([aria-busy])")
    eventually(lambda: page.wait_for_timeout(50) or held)
    placed.append(visit.stage.place(kind))
    for route in held:
        route.continue_()
    page.wait_for_selector(_ticket(placed[0]))


def test_a_sold_out_item_asks_how_many_are_left(visit: Visit) -> None:
    """What is missing cannot be taken back, so a stray finger sends nothing; a part of a line can be made."""
    order, item = _place_with_two_of_a_line(visit.stage)
    support = visit.stage.sign_in("support", "anna")
    before = support.get(order)["version"]
    page = visit.open("", "restaurant", support.get(order)["restaurant"])
    page.click(f"{_ticket(order)} button[aria-label='{item} is sold out']")
    page.wait_for_selector(f"{_ticket(order)} .reasons >> text={item}: how many are left? It cannot be taken back.")
    assert axe(visit) == []
    page.click(f"{_ticket(order)} .reasons >> text=Back")
    assert support.get(order)["version"] == before
    page.click(f"{_ticket(order)} button[aria-label='{item} is sold out']")
    page.click(f"{_ticket(order)} .reasons >> text=/^1 of \\d+ can be made/")
    page.wait_for_selector(f"{_ticket(order)} .reasons", state="detached")
    eventually(lambda: support.get(order)["version"] > before)
    assert [each["quantity"] for each in support.get(order)["lines"] if each["name"] == item] == [1]


def test_a_board_says_that_its_browser_plays_no_sound_yet(visit: Visit) -> None:
    """A board that stays silent is trusted and misses tickets; one touch lets it sound."""
    visit.page.add_init_script(UNTOUCHED)
    visit.page.add_init_script("localStorage.setItem('expediter-settings', JSON.stringify({sound: true}))")
    page = visit.open("", "restaurant", visit.stage.restaurant)
    page.wait_for_selector("text=No sound yet")
    page.mouse.click(5, 300)
    page.wait_for_selector("text=No sound yet", state="detached")
    assert page.get_by_role("button", name="Sound on a new ticket: on").get_attribute("aria-pressed") == "true"


def test_every_button_of_a_board_is_large_enough_for_a_finger(visit: Visit) -> None:
    """On the narrowest phone too, without scrolling sideways."""
    visit.page.set_viewport_size({"width": 360, "height": 740})
    order = visit.stage.place("for a finger")
    page = visit.open("", "restaurant", visit.stage.sign_in("support", "anna").get(order)["restaurant"])
    page.wait_for_selector(_ticket(order))
    heights = page.locator("main button").evaluate_all("all => all.map(each => each.getBoundingClientRect().height)")
    assert heights
    assert min(heights) >= FINGER_PX
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_courier_sees_where_to_go_and_whether_the_position_is_shared(visit: Visit) -> None:
    """Restaurant and customer with address and telephone; a device that does not say where it is, is said to be one."""
    order = visit.stage.place("where to", address="12 rue des Lilas", name="Camille Roux")
    support = visit.stage.sign_in("support", "anna")
    restaurant = support.get(order)["restaurant"]
    page = visit.open("", "restaurant", restaurant)
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    page.click(f"{_ticket(order)} >> button:text-is('Ready')")
    page.wait_for_selector(f"section:has(h2:has-text('At the pass')) {_ticket(order)}")
    visit.open("", "courier", "cou-where")
    profile = support.restaurant(restaurant)["profile"]
    page.wait_for_selector(f"{_ticket(order)} >> text={profile['address']}")
    page.wait_for_selector(f"{_ticket(order)} >> text=Answer in")
    assert "rue des Lilas" not in page.inner_text(_ticket(order))  # not before it is taken
    page.click(f"{_ticket(order)} >> text=Take it")
    page.wait_for_selector(f"{_ticket(order)} >> text=12 rue des Lilas")
    assert page.locator(f"{_ticket(order)} a[href^='tel:']").count() == 1
    page.click(f"{_ticket(order)} >> text=Picked up")
    page.wait_for_selector(f"{_ticket(order)} >> text=The customer does not see your position: allow it in the browser")
    assert axe(visit) == []
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 48.86, "longitude": 2.34})
    visit.open("", "courier", "cou-where")
    page.wait_for_selector(f"{_ticket(order)} >> text=The customer sees your position")
    page.click(f"{_ticket(order)} >> text=Delivered")
    page.wait_for_selector(_ticket(order), state="detached")


def test_a_courier_declines_with_a_reason(visit: Visit) -> None:
    """An offer that was declined does not come back, so a stray finger declines nothing."""
    order = visit.stage.place("to decline")
    support = visit.stage.sign_in("support", "anna")
    page = visit.open("", "restaurant", support.get(order)["restaurant"])
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    page.wait_for_selector(f"section:has(h2:has-text('Cooking')) {_ticket(order)}")
    visit.open("", "courier", "cou-far")
    page.click(f"{_ticket(order)} >> text=Decline")
    page.click(f"{_ticket(order)} >> text=too far away")
    page.wait_for_selector(_ticket(order), state="detached")
    (declined,) = (each for each in support.history(order) if each["type"] == "CourierDeclined")
    assert declined["data"]["reason"] == "too far away"


def test_a_press_on_a_board_is_seen_at_once_and_counts_once(visit: Visit) -> None:
    """A slow network hides that a press was taken: the card says so until the board shows what it changed."""
    order = visit.stage.place("slowly accepted")
    page = visit.open("", "restaurant", visit.stage.sign_in("support", "anna").get(order)["restaurant"])
    held: list[Route] = []
    page.route("**/preparation/accept", lambda route: held.append(route))  # noqa: PLW0108
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    page.wait_for_selector(f"{_ticket(order)}[aria-busy=true] [role=status]:text-is('Sending.')")
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    eventually(lambda: page.wait_for_timeout(50) or held)
    (asked,) = held
    asked.continue_()
    page.wait_for_selector(f"section:has(h2:has-text('Cooking')) {_ticket(order)}:not([aria-busy])")


def test_a_press_without_an_answer_can_be_repeated(visit: Visit) -> None:
    """The card says what is wrong, and no longer that it sends."""
    order = visit.stage.place("accepted at the second press")
    page = visit.open("", "restaurant", visit.stage.sign_in("support", "anna").get(order)["restaurant"])
    page.route("**/preparation/accept", lambda route: route.abort())
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    page.wait_for_selector(f"{_ticket(order)}:not([aria-busy]) [role=alert] >> text=The engine does not answer")
    assert "then try again" in page.inner_text(f"{_ticket(order)} [role=alert]")  # nothing sends it by itself
    page.unroute("**/preparation/accept")
    page.click(f"{_ticket(order)} >> text=Accept, 20 min")
    page.wait_for_selector(f"section:has(h2:has-text('Cooking')) {_ticket(order)}")


def test_a_customers_page_names_the_restaurant_and_says_times_as_people_do(visit: Visit) -> None:
    """No id and no seconds where a person reads; what was chosen with an item is shown with it."""
    order = visit.stage.orders["short"]
    placed = visit.stage.sign_in("support", "anna").get(order)
    page = visit.open(f"orders/{order}", "customer", placed["customer"])
    profile = visit.stage.sign_in("support", "anna").restaurant(placed["restaurant"])["profile"]
    page.wait_for_selector(f"section:has(h2:text('What you ordered')) >> text={profile['name']}")
    times = page.locator(".stages li.done time").all_inner_texts()
    assert len(times) == 7
    assert all(re.fullmatch(r"\d\d:\d\d", each) for each in times)
    chosen = [option["name"] for line in placed["lines"] for option in line["options"]]
    assert chosen
    for option in chosen:
        assert option in page.inner_text("section:has(h2:text('What you ordered'))")
