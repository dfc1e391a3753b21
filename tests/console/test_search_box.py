"""The one search box in a real browser: an order is found by each thing that people know of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.console.conftest import Visit, axe, eventually
from tests.console.stage import RIGHT_TO_LEFT
from workflows.client.search_json import ListedOrderJson

if TYPE_CHECKING:
    from playwright.sync_api import Page

CONTACT = {"name": f"Zoé Núñez {RIGHT_TO_LEFT}", "phone": "+49 (151) 234-5678", "email": "zoe@nunez.example"}


def test_an_order_is_found_by_each_thing_that_people_know_of_it(visit: Visit) -> None:
    """The box says what it takes a text for, and personal texts stand in no address."""
    order = visit.stage.place("searched", **CONTACT)
    support = visit.stage.sign_in("support", "anna")
    row = eventually(lambda: next(iter(support.orders(id_prefix=order, status="authorized")["orders"]), None))
    page = visit.open("circuits")
    for typed, label, address in _cases(row):
        page.keyboard.press("/")
        page.keyboard.type(typed)
        page.locator("[role=option]", has_text=label).click()
        page.wait_for_selector(
            f"main a[href^='orders/{order}']" if address != "order" else f"main :text('{order}'):visible"
        )
        assert address in page.url.replace(order, "order"), typed
        if "found_by" in address:
            assert typed not in page.evaluate("decodeURIComponent(location.href)")
        page.keyboard.press("g")
        page.keyboard.press("c")
        page.wait_for_selector("h1:has-text('Circuits')")


def _cases(row: ListedOrderJson) -> list[tuple[str, str, str]]:
    """Return what is typed, the meaning that is chosen, and what the address then has."""
    order, restaurant = row["id"], row["restaurant"]
    placed = datetime.fromisoformat(row["placed_at"]).astimezone(ZoneInfo("Europe/Rome"))  # the zone of the browser
    minute = f"{placed:%H:%M}"
    return [
        (order, "Order ord_", "order"),
        (order[4:14], "Order id that begins with", "id_prefix="),
        (order[-6:].upper(), "Order id that ends with", "id_suffix="),
        ("0151 2345678", "Phone", "found_by=phone"),
        ("Zoe@Nunez.example", "E-mail", "found_by=email"),
        (CONTACT["name"], "Name", "found_by=name"),
        (row["total"]["amount"].replace(".", ","), "Amount of", "amount_min="),
        (minute, f"Placed from {minute}", "placed_from="),
        (f"{placed:%Y-%m-%d}", "Placed on", "placed_from="),
        (f"{restaurant} {minute}", f"Restaurant {restaurant}, placed from {minute}", f"restaurant={restaurant}"),
        (restaurant, f"Restaurant {restaurant}", f"restaurant={restaurant}"),
        (row["customer"], "Customer", f"customer={row['customer']}"),
        (str(row["authorization_id"]), "Payment reference", "payment_reference="),
    ]


def test_orders_are_found_by_the_name_of_their_restaurant(visit: Visit) -> None:
    """One that has the words is taken at once, of several one is chosen, and a time that was typed is kept."""
    page = visit.open("circuits")
    _search(page, "NONNA 2026-01-02", "Restaurant called NONNA, placed on 2026-01-02 (Europe/Rome)")
    page.wait_for_url(re.compile(r"/orders\?restaurant=trattoria-nonna&placed_from="))
    _search(page, "trattoria", "Restaurant called trattoria")
    page.wait_for_url(re.compile(r"/orders\?restaurant=trattoria-nonna$"))
    page.wait_for_selector("button.chip:has-text('restaurant trattoria-nonna')")
    _search(page, "ra", "Restaurant called ra")
    page.wait_for_selector("h1:has-text('Restaurants called ra')")
    page.wait_for_selector("tr.row a")
    assert page.locator("tr.row a").all_inner_texts() == ["Ramen Ichiban", "Trattoria Nonna"]
    assert axe(visit) == []
    page.click("text=Ramen Ichiban")
    page.wait_for_url(re.compile(r"/orders\?restaurant=ramen-ichiban$"))
    _search(page, "no such place", "Restaurant called no such place")
    page.wait_for_selector("text=No restaurant has these words in its name")


def test_what_else_a_text_may_mean_is_offered_where_its_likeliest_meaning_finds_nothing(visit: Visit) -> None:
    """A restaurant's name is taken for a person's first; the person's name stays out of the address."""
    page = visit.open("circuits")
    page.keyboard.press("/")
    page.keyboard.type("nonna")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/orders\?found_by=name$"))
    page.wait_for_selector("text=Or was this meant?")
    page.wait_for_selector("text=Names are found by whole words, in any order.")
    assert axe(visit) == []
    page.click(".meanings button:has-text('Order id that begins with nonna')")
    page.wait_for_url(re.compile(r"/orders\?id_prefix=nonna$"))
    page.click(".meanings button:has-text('Restaurant called nonna')")
    page.wait_for_url(re.compile(r"/orders\?restaurant=trattoria-nonna$"))
    page.click("nav >> text=Home")
    page.click("nav >> text=Orders")
    page.wait_for_selector("tr.row")
    assert page.locator("text=Or was this meant?").count() == 0


def _search(page: Page, text: str, meaning: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.get_by_role("option", name=meaning, exact=True).click()


_CUT = """
() => {
  const box = document.querySelector('#search'), style = getComputedStyle(box)
  const pen = document.createElement('canvas').getContext('2d')
  pen.font = style.font
  const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
  return pen.measureText(box.placeholder).width > room
}
"""


def test_what_the_empty_box_says_is_whole_at_every_width(visit: Visit) -> None:
    """Where its examples of what it understands do not fit, it says less. The links of all pages are whole too."""
    page = visit.open("circuits")
    long, short = "Order, name, phone, amount", "Search orders"
    for width, said in ((1440, long), (1300, short), (1200, long)):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_selector(f"#search[placeholder='{said}']")
        assert not page.evaluate(_CUT), width
        assert page.evaluate("(nav => nav.scrollWidth <= nav.clientWidth)(document.querySelector('.top nav'))"), width
    for width in (1366, 920, 900, 390, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function(f"() => !({_CUT})()")
