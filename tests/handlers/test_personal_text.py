"""Free text about an order is personal data: it is stored encrypted, for every author."""

from __future__ import annotations

import pytest

from handlers.http import values
from tests.handlers.conftest import Shop

PHONE = "+49 171 99887766"


def test_a_couriers_reason_is_not_stored_in_plain_text(shop: Shop) -> None:
    """It may name the customer, so erasure must reach it too."""
    order_id = shop.assigned()
    answer = shop.act(order_id, "delivery/decline", {"reason": f"call {PHONE}"})
    assert answer.status == 200, answer
    assert PHONE not in "".join(commit.ev for commit in shop.log.scan())


def test_a_restaurants_reason_is_not_stored_in_plain_text(shop: Shop) -> None:
    """It may name the customer as well."""
    order_id = shop.authorized()
    answer = shop.act(order_id, "preparation/reject", {"reason": f"call {PHONE}"})
    assert answer.status == 200, answer
    assert PHONE not in "".join(commit.ev for commit in shop.log.scan())


def test_a_text_that_was_recorded_before_its_characters_were_refused_is_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of an older release holds what people wrote then."""
    order_id = shop.accepted()
    text = {"reason": "late \u202e.RUE 5"}
    with monkeypatch.context() as earlier:
        earlier.setattr(values, "problem_of", lambda _: None)
        assert shop.call("POST", f"/orders/{order_id}/cancel", text, key="1").status == 200
    refused = shop.call("POST", f"/orders/{order_id}/cancel", text, key="2")
    assert (refused.status, refused.fields) == (422, ["reason"])
    assert "U+202E" in refused.json["detail"]
    for path in ("", "/history", "/timeline"):
        answer = shop.call("GET", f"/orders/{order_id}{path}", role="support", sub="sue")
        assert answer.status == 200, answer
    events = shop.call("GET", f"/orders/{order_id}/history").json["events"]
    assert text["reason"] in [event["data"].get("reason") for event in events]
