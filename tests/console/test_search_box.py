"""The one search box in a real browser: an order is found by each thing that people know of it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.console.conftest import Visit, eventually
from tests.console.stage import RIGHT_TO_LEFT
from workflows.client.search_json import ListedOrderJson

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
        page.wait_for_selector(f"main a[href^='orders/{order}']" if address != "order" else f"main :text('{order}')")
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
        (row["total"]["amount"].replace(".", ","), "Total of", "amount_min="),
        (minute, f"Placed from {minute}", "placed_from="),
        (f"{placed:%Y-%m-%d}", "Placed on", "placed_from="),
        (f"{restaurant} {minute}", f"Restaurant {restaurant}, placed from {minute}", f"restaurant={restaurant}"),
        (restaurant, "Restaurant", f"restaurant={restaurant}"),
        (row["customer"], "Customer", f"customer={row['customer']}"),
        (str(row["authorization_id"]), "Payment reference", "payment_reference="),
    ]
