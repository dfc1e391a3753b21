"""Make the pictures of the console in ``docs/screenshots``: every page, both themes, and a phone.

    make screenshots
    python tools/console_screenshots.py order webhooks     # these pages alone

Needs chromium and the console's libraries. The engine and its orders are those of the tests in a browser.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.console.stage import Stage
    from workflows.client.order_json import OrderJson

REPOSITORY = Path(__file__).parents[1]
INTO = REPOSITORY / "docs" / "screenshots"
BYTES_MAX = 100_000
COURIER = "cou-1"
EVERY_S = 3  # positions that come more often are not kept

TALL = 1200
"""Pixels, from which on a picture is made smaller."""


def main() -> int:
    sys.path.insert(0, str(REPOSITORY))
    from playwright.sync_api import sync_playwright

    from tests.console.conftest import eventually
    from tests.console.stage import chromium, open_stage, publish_checkpoint
    from workflows.embedded.view_builder import opened_views

    path = chromium()
    if path is None:
        print("no chromium here: apt-get install chromium", file=sys.stderr)
        return 1
    INTO.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_stage(Path(folder)) as stage, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        order = stage.orders["cancelled"]
        pages = {
            "home": "", "orders": "orders", "incidents": "incidents", "events": "events", "circuits": "circuits",
            "order": f"orders/{order}?at={stage.sign_in('support', 'anna').get(order)['version'] - 3}",
            "parked": f"orders/{stage.orders['parked']}", "webhooks": "webhooks", "views": "views",
            "money": "money", "audit": "audit",
        }  # fmt: skip
        carried = _fill_the_boards(stage)
        roles = {
            "kitchen": ("restaurant", stage.restaurant), "courier": ("courier", COURIER),
            "tracking": ("customer", carried["customer"]),
        }  # fmt: skip
        pages |= {"kitchen": "tickets", "courier": "deliveries", "tracking": f"orders/{carried['id']}"}
        with opened_views(stage.data) as (store, _), store.writing() as connection:
            store.park(connection, "taxes", f"order#{stage.orders['right to left']}", "ArithmeticError")
        stage.sign_in("support", "bert").circuit("payments", "open", "the bank reported an outage")
        for number in range(3):
            stage.place(f"behind the circuit {number}")
        publish_checkpoint(stage.data)
        chosen = sys.argv[1:] or list(pages)
        shots = [(name, theme, 1440, 900) for name in chosen for theme in ("light", "dark")]
        shots += [(name, "light", 390, 844) for name in chosen]
        for name, theme, width, height in shots:
            phone = width < 400  # its scrollbars take no room
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                is_mobile=phone,
                has_touch=phone,
                geolocation={"latitude": 48.8712, "longitude": 2.3587},
                permissions=["geolocation"],
            )
            page = context.new_page()
            eventually(lambda: not stage.sign_in("support", "anna").orders(limit=1)["as_of"]["lag_commits"])
            page.goto(stage.login(*roles.get(name, ("support", "anna")), pages[name]))
            page.wait_for_selector("main h1")
            if name == "tracking":
                _carry(stage, carried["id"], page)
            if name == "audit":
                page.click("button:has-text('Verify the log')")
            page.wait_for_timeout(1500)  # nothing tells when the last of several answers is drawn
            label = f"{name}-phone" if phone else f"{name}-{theme}"
            if name in ("order", "parked") and not phone:  # panels out of the window are drawn when they come into it
                tall = page.evaluate("document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": tall})
                page.wait_for_timeout(500)
            page.screenshot(path=f"{folder}/{label}.png")
            context.close()
            _shrink(Path(folder) / f"{label}.png", INTO / f"{label}.webp")
        browser.close()
    return 0


def _fill_the_boards(stage: Stage) -> OrderJson:
    """Have orders of one restaurant cooked, ready, and carried by a courier; return the one that is carried."""
    from tests.console.conftest import eventually
    from workflows.cli.demo.menu import demo_order

    cook, courier, support = (
        stage.sign_in(*who) for who in (("restaurant", stage.restaurant), ("courier", COURIER), ("support", "anna"))
    )
    kinds = (f"board {number}" for number in count())
    of_restaurant = (k for k in kinds if demo_order(Random(k), "pm_ok").body["restaurant"] == stage.restaurant)
    for stages in ("cooked", "cooked, ready", "cooked, ready, carried"):
        order = stage.place(next(of_restaurant))
        eventually(lambda order=order: support.get(order)["preparation"])
        cook.accept(order, datetime.now(UTC) + timedelta(minutes=20))
        offered = eventually(lambda order=order: support.get(order)["delivery"]["offer"])
        if "carried" in stages:
            courier.assign(order, offer=offered["offer"])
        if "ready" in stages:
            cook.ready(order)
        if "carried" in stages:
            courier.pick_up(order)
    return support.get(order)


def _carry(stage: Stage, order: str, page: Page) -> None:
    """Report where the courier is, as often as it is kept, while the customer's page follows."""
    courier = stage.sign_in("courier", COURIER)
    for latitude, longitude in ((48.8712, 2.3587), (48.8702, 2.3571), (48.8685, 2.3562)):
        page.wait_for_timeout(1000 * EVERY_S + 100)
        courier.report_position(order, latitude, longitude)


def _shrink(picture: Path, into: Path) -> None:
    """Write a WebP of less than ``BYTES_MAX``."""
    from PIL import Image

    with Image.open(picture) as opened:
        if opened.height > TALL:
            opened = opened.resize((opened.width * 3 // 4, opened.height * 3 // 4))  # noqa: PLW2901 -- the smaller one
        for quality in (82, 70, 55, 40):
            opened.convert("RGB").save(into, "WEBP", quality=quality, method=6)
            if into.stat().st_size < BYTES_MAX:
                return


if __name__ == "__main__":
    sys.exit(main())
