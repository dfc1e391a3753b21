"""What people write about an order is personal: it is stored sealed, whoever wrote it."""

from __future__ import annotations

from tests.handlers.conftest import Shop

PHONE = "+49 171 99887766"


def test_a_reason_that_a_courier_writes_is_not_stored_in_clear(shop: Shop) -> None:
    """Where nobody opened, whom they called: erasure must reach that, too."""
    order_id = shop.assigned()
    answer = shop.act(order_id, "delivery/decline", {"reason": f"call {PHONE}"})
    assert answer.status == 200, answer
    assert PHONE not in "".join(commit.ev for commit in shop.log.scan())


def test_a_reason_that_a_restaurant_writes_is_not_stored_in_clear(shop: Shop) -> None:
    """Restaurants name people as well."""
    order_id = shop.authorized()
    answer = shop.act(order_id, "preparation/reject", {"reason": f"call {PHONE}"})
    assert answer.status == 200, answer
    assert PHONE not in "".join(commit.ev for commit in shop.log.scan())
