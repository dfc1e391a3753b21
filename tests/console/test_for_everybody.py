"""The console on a narrow phone, with dialogs open, and for keyboards: nothing is cut off, axe-core finds nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Visit, axe
from tests.console.stage import publish_checkpoint

NARROW_PX = 360

DIALOGS = [
    ("", "button.who"),
    ("events", "button[data-row] >> nth=0"),
    ("webhooks", "text=Send again >> nth=0"),
    ("circuits", "text=Stop calls >> nth=0"),
    ("incidents", "text=Retry all >> nth=0"),
    ("audit/checkpoints", "button[data-row] >> nth=0"),
]
"""The address of a page, and what opens a dialog on it."""


def _open_dialogs(visit: Visit) -> dict[str, Any]:
    """Open each dialog; return what axe-core finds in them, and those that are wider than their window."""
    page, found = visit.page, {}
    for path, button in DIALOGS:
        visit.open(path)
        page.click(button)
        page.wait_for_selector("dialog[open]")
        page.wait_for_selector("dialog [aria-busy=true]", state="detached")
        visit.settle()
        wide = page.evaluate("[...document.querySelectorAll('.dialog-body')].some(e => e.scrollWidth > e.clientWidth)")
        if violations := axe(visit) + (["wider than its window"] if wide else []):
            found[path] = violations
        page.keyboard.press("Escape")
    return found


@pytest.mark.parametrize(("theme", "width"), [("light", NARROW_PX), ("dark", 1440)])
def test_every_dialog_is_accessible_and_fits(visit: Visit, theme: Any, width: int) -> None:
    """Each kind of dialog, in both themes."""
    publish_checkpoint(visit.stage.data)
    visit.page.set_viewport_size({"width": width, "height": 760})
    visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    assert _open_dialogs(visit) == {}


def test_every_page_fits_a_narrow_phone_and_is_accessible_on_it(visit: Visit) -> None:
    """What scrolls by itself can be reached with a keyboard, and no page scrolls sideways."""
    visit.page.set_viewport_size({"width": NARROW_PX, "height": 740})
    stage, found = visit.stage, {}
    order = stage.orders["short"]
    customer = stage.sign_in("support", "anna").get(order)["customer"]
    pages = [
        *(("support", "anna", path) for path in ("events", "circuits", "webhooks", "views", f"orders/{order}?at=5")),
        *(("auditor", "otto", f"audit{part}") for part in ("", "/checkpoints", "/reads", "/query", "/exports")),
        ("support", "anna", f"audit/erasures?customer={customer}"),
        ("customer", customer, f"orders/{order}"),
        ("courier", "cou-1", "deliveries"),
    ]
    for role, subject, path in pages:
        page = visit.open(path, role, subject)
        page.wait_for_selector("[aria-busy=true]", state="detached")
        visit.settle()
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        if violations := axe(visit) + (["scrolls sideways"] if wide else []):
            found[path] = violations
    assert found == {}


def test_keys_lead_to_the_pages_of_the_role_alone(visit: Visit) -> None:
    """A courier has other pages than support, and no key leads to a page that is refused."""
    page = visit.open("orders", "courier", "cou-keys")
    page.wait_for_selector("h1:has-text('Orders')")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert page.locator("dialog .places span").all_inner_texts() == ["o Orders", "d Deliveries"]
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_selector("h1:has-text('Deliveries')")


def test_utc_stands_beside_every_time_if_that_is_chosen(visit: Visit) -> None:
    """A finger cannot point at a time to see it in UTC."""
    page = visit.open("events")
    page.wait_for_selector("tr.row time")
    assert page.locator("time .utc").count() == 0
    page.click("button.who")
    page.check("dialog >> text=Show UTC beside each time")
    page.keyboard.press("Escape")
    first = page.locator("tr.row time >> nth=0")
    page.wait_for_selector("time .utc")
    instant = first.get_attribute("datetime") or ""
    assert first.inner_text().endswith(f"{instant[11:19]} UTC")
