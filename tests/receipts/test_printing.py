"""Receipts as HTML and PDF: the same facts in each form, in any script, the same bytes each time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.money import Money
from handlers.http.printing import preferred
from tests.receipts.receipts import credited, pdf_text, receipt
from workflows.receipts.html import receipt_html
from workflows.receipts.pdf import MISSING, NOTE, receipt_pdf
from workflows.receipts.sheet import Sheet, sheet_of
from workflows.receipts.text import receipt_text


def named(shop: Any, restaurant: str, item: str) -> Sheet:
    """Make a receipt with these names."""
    made = receipt(shop, shop.completed()).json
    made["restaurant"]["name"] = restaurant
    made["lines"][0]["name"] = item
    return sheet_of(made)


def test_every_form_shows_the_same_rows(shop):
    """A bookkeeper may print any of them."""
    order_id = shop.completed()
    credited(shop, order_id, Money(740, "EUR"))
    sheet = sheet_of(receipt(shop, order_id).json)
    forms = [receipt_text(sheet), receipt_html(sheet), pdf_text(receipt_pdf(sheet))]
    for expected in (
        *("Da Rosa", "Torstrasse 1, Berlin", order_id, "Pizza Margherita", "23.00 EUR", "each 9.50 EUR", "Burrata"),
        *("Delivery fee", "Tip", "Credit", "-7.40 EUR", "Total", "20.00 EUR", "Refunded 2026-05-04", "food 7%"),
        "2026-05-04 14:00 CEST",
    ):
        assert [expected in form for form in forms] == [True, True, True], expected


@pytest.mark.parametrize(
    "name",
    ["شاورما دجاج مع ثوم", "פלאפל בפיתה", "Σουβλάκι", "Борщ", "Żurek z jajkiem", "Crème brûlée", "Phở bò"],
)
def test_names_in_other_scripts_are_in_every_form(shop, name):
    """From right to left too; the text can be selected and searched in the PDF."""
    sheet = named(shop, name, name)
    text = pdf_text(receipt_pdf(sheet))
    assert text.count(name) == 2, text
    assert MISSING not in text
    assert name in receipt_html(sheet)
    assert name in receipt_text(sheet)


def test_an_emoji_in_a_name_is_printed(shop):
    """In one colour; joiners and tones of skin only change how it looks."""
    text = pdf_text(receipt_pdf(named(shop, "Pizza 🍕 & Sushi 🍣", "Taco 🌮 👍\U0001f3fd")))
    assert "🍕" in text
    assert "🌮" in text
    assert MISSING not in text


def test_a_character_without_a_picture_leaves_a_visible_mark_and_a_note(shop):
    """It does not vanish, and the HTML receipt shows it."""
    sheet = named(shop, "寿司", "Sushi")
    text = pdf_text(receipt_pdf(sheet))
    assert f"{MISSING}{MISSING}" in text
    assert NOTE.split(";")[0] in text.replace("\n", " ")
    assert "寿司" in receipt_html(sheet)


def test_the_same_receipt_gives_the_same_bytes(shop):
    """Today and tomorrow: the time in the file is that of the receipt."""
    order_id = shop.completed()
    first = receipt(shop, order_id, accept="application/pdf")
    shop.clock.time += timedelta(days=400)
    second = receipt(shop, order_id, accept="application/pdf")
    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF")
    assert first.content == second.content


def test_a_name_cannot_change_the_page_or_the_direction_of_other_text(shop):
    """Markup is shown as text; marks that turn text around are dropped."""
    sheet = named(shop, "<script>alert(1)</script>", "Pizza \u202e00.1 RUE\u2066\x07")
    page = receipt_html(sheet)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert all(mark not in form for mark in ("\u202e", "\u2066", "\x07") for form in (page, receipt_text(sheet)))


def test_a_long_receipt_goes_on_on_the_next_page(shop):
    """No line is lost at the end of a page, and long names are wrapped."""
    made = receipt(shop, shop.completed()).json
    line = made["lines"][0]
    made["lines"] = [{**line, "name": f"Dish {number} " + "with a long name " * 9} for number in range(60)]
    text = pdf_text(receipt_pdf(sheet_of(made)))
    assert all(f"Dish {number} " in text for number in range(60))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/pdf", "application/pdf"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html;q=0.5, application/pdf", "application/pdf"),
        ("text/html;q=0, application/pdf;q=0.1", "application/pdf"),
        ("text/*", "text/html"),
        ("image/png", "application/json"),
        ("text/html;q=high", "application/json"),
    ],
)
def test_the_caller_chooses_the_form(accept, form):
    """By the header Accept, as browsers and programs send it."""
    assert preferred(accept) == form


def test_a_browser_gets_a_page_that_loads_nothing(shop):
    """The policy forbids scripts and pictures."""
    answer = receipt(shop, shop.completed(), accept="text/html")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
