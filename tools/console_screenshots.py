"""Make the pictures of the console in ``docs/screenshots``: every page, both themes, and a phone.

    make screenshots
    python tools/console_screenshots.py order webhooks     # these pages alone

Needs chromium and the console's libraries. The engine and its orders are those of the tests in a browser.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
INTO = REPOSITORY / "docs" / "screenshots"
BYTES_MAX = 100_000

TALL = 1200
"""Pixels, from which on a picture is made smaller."""


def main() -> int:
    sys.path.insert(0, str(REPOSITORY))
    from playwright.sync_api import sync_playwright

    from tests.console.stage import chromium, open_stage
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
        waiting = stage.sign_in("support", "anna").get(stage.orders["waiting"])
        roles = {
            "kitchen": ("restaurant", stage.restaurant), "courier": ("courier", "cou-1"),
            "tracking": ("customer", waiting["customer"]),
        }  # fmt: skip
        pages |= {"kitchen": "tickets", "courier": "deliveries", "tracking": f"orders/{waiting['id']}"}
        with opened_views(stage.data) as (store, _), store.writing() as connection:
            store.park(connection, "taxes", f"order#{stage.orders['right to left']}", "ArithmeticError")
        stage.sign_in("support", "bert").circuit("payments", "open", "the bank reported an outage")
        for number in range(3):
            stage.place(f"behind the circuit {number}")
        chosen = sys.argv[1:] or list(pages)
        shots = [(name, theme, 1440, 900) for name in chosen for theme in ("light", "dark")]
        shots += [(name, "light", 390, 844) for name in chosen]
        for name, theme, width, height in shots:
            phone = width < 400  # its scrollbars take no room
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, is_mobile=phone, has_touch=phone
            )
            page = context.new_page()
            page.goto(stage.login(*roles.get(name, ("support", "anna")), pages[name]))
            page.wait_for_selector("main h1")
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
