"""Free text about an order is personal data: it is stored encrypted, for every author."""

from __future__ import annotations

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
