"""Receipts: made on completion and on each refund, never changed, and without personal data of the customer."""

from __future__ import annotations

import pytest

from domain.identifiers import SYSTEM
from domain.money import Money
from tests.receipts.receipts import credited, receipt
from workflows.event_store.documents import ANY
from workflows.event_store.erasure import erase
from workflows.orders.command_handling import load
from workflows.receipts.issuing import issue_receipts

PERSONAL = ("Ada", "Byron", "+49 30 1234567", "Lindenstrasse", "pm_ok", "cold")


def test_a_completed_order_has_a_receipt_with_lines_choices_fees_tip_and_tax(shop):
    """25.90 of food and delivery contain 7 percent: 1.69. The tip has no tax."""
    order_id = shop.completed()
    made = receipt(shop, order_id, role="customer").json
    assert made["made_for"] == "completion"
    assert made["restaurant"] == {"id": "rosa", "name": "Da Rosa", "address": "Torstrasse 1, Berlin"}
    assert made["time_zone"] == "Europe/Berlin"
    [line] = made["lines"]
    assert (line["name"], line["quantity"], line["total"]["amount"]) == ("Pizza Margherita", 2, "23.00")
    assert [option["name"] for option in line["options"]] == ["Burrata"]
    assert [made[name]["amount"] for name in ("delivery_fee", "service_fee", "tip", "total", "captured", "paid")] == [
        *("2.90", "0.00", "1.50", "27.40", "27.40", "27.40"),
    ]
    assert [(tax["tax_class"], tax["gross"]["amount"], tax["tax"]["amount"]) for tax in made["taxes"]] == [
        (None, "1.50", "0.00"),
        ("food", "25.90", "1.69"),
    ]


def test_each_refund_has_a_receipt_of_its_own_and_the_first_stays_as_it_was(shop):
    """The newest one has the credit and the refund; an earlier one is read by its version."""
    order_id = shop.completed()
    first = receipt(shop, order_id)
    credited(shop, order_id, Money(740, "EUR"))
    second = receipt(shop, order_id).json
    assert second["made_for"] == "refund"
    assert [second[name]["amount"] for name in ("credit", "total", "captured", "paid")] == [
        *("7.40", "20.00", "27.40", "20.00"),
    ]
    assert [refund["amount"]["amount"] for refund in second["refunds"]] == ["7.40"]
    assert sum(Money.parse(tax["gross"]["amount"], "EUR").minor for tax in second["taxes"]) == 2000
    again = receipt(shop, order_id, query={"version": first.json["version"]})
    assert again.content == first.content


def test_an_order_without_a_receipt_says_when_it_gets_one(shop):
    """Also for a version that none was made for."""
    order_id = shop.picked_up()
    assert (receipt(shop, order_id).status, receipt(shop, order_id).problem) == (404, "NoReceipt")
    done = shop.completed(key="key-2")
    assert receipt(shop, done, query={"version": 1}).problem == "NoReceipt"


@pytest.mark.parametrize(
    ("role", "sub", "status"),
    [
        ("customer", "ada", 200),
        ("customer", "bob", 404),
        ("support", "sue", 200),
        ("auditor", "olga", 200),
        ("restaurant", "rosa", 403),
        ("courier", "carl", 403),
    ],
)
def test_customers_read_their_own_receipts_and_support_and_auditors_all(shop, role, sub, status):
    """For a stranger the order does not exist."""
    order_id = shop.completed()
    assert receipt(shop, order_id, role=role, sub=sub).status == status


def test_a_stored_receipt_is_returned_even_if_it_would_be_made_otherwise_today(shop):
    """A later release, or a lost restaurant, changes no receipt that was made."""
    order_id = shop.completed()
    history, _ = load(shop.log, order_id)
    issue_receipts(shop.log, shop.engine.documents, history, history.events)
    pk = f"receipt/order#{order_id}"
    version = receipt(shop, order_id).json["version"]
    stored = shop.engine.documents.get(pk, str(version))
    shop.engine.documents.put(type(stored)(pk, str(version), {**stored.body, "time_zone": "Asia/Tokyo"}), expected=ANY)
    assert receipt(shop, order_id).json["time_zone"] == "Asia/Tokyo"


def test_a_receipt_names_the_restaurant_as_it_was_when_the_order_was_placed(shop):
    """A new owner does not appear on old receipts."""
    order_id = shop.completed()
    profile = shop.call("GET", "/restaurants/rosa", role="restaurant", sub="rosa").json["profile"]
    changed = shop.call(
        "POST", "/restaurants/rosa/profile", {**profile, "name": "Da Mario"}, role="restaurant", sub="rosa"
    )
    assert changed.status == 200, changed
    assert receipt(shop, order_id).json["restaurant"]["name"] == "Da Rosa"


def test_a_receipt_has_no_personal_data_so_erasure_leaves_it_as_it_is(shop):
    """Neither stored nor printed: tax law lets a receipt be kept, and nothing in it has to be erased."""
    order_id = shop.completed()
    credited(shop, order_id, Money(100, "EUR"))
    before = {form: receipt(shop, order_id, accept=form).content for form in ("application/json", "text/html")}
    assert not any(word in text.decode() for text in before.values() for word in PERSONAL)
    erase(shop.log, shop.keyring, shop.clock, "ada", actor=SYSTEM, reason="asked")
    for form, text in before.items():
        assert receipt(shop, order_id, accept=form).content == text


def test_a_failure_to_make_a_receipt_delays_no_order(shop, caplog):
    """It is logged, and made when it is read."""
    order_id = shop.completed()
    history, _ = load(shop.log, order_id)
    issue_receipts(None, shop.engine.documents, history, history.events)
    assert "a receipt could not be made" in caplog.text
    assert receipt(shop, order_id).status == 200
