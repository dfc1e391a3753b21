"""The order as JSON: the money that was authorized, captured, released and refunded."""

from __future__ import annotations

import pytest

from tests.domain.order import stories as s
from workflows.orders.views import order_view
from workflows.orders.visibility import Audience


@pytest.mark.parametrize(
    ("lines", "authorized", "captured", "released", "refunded"),
    [
        (s.PLACED, "0.00", "0.00", "0.00", "0.00"),
        ((*s.PLACED, s.declined()), "0.00", "0.00", "0.00", "0.00"),
        (s.AUTHORIZED, "40.00", "0.00", "0.00", "0.00"),
        ((*s.AUTHORIZED, s.cancel(), s.voided()), "40.00", "0.00", "40.00", "0.00"),
        (s.COMPLETED, "40.00", "40.00", "0.00", "0.00"),
        ((*s.DELIVERED, s.captured("31.50")), "40.00", "31.50", "8.50", "0.00"),
        ((*s.COMPLETED, s.credit("5.00"), s.refunded()), "40.00", "40.00", "0.00", "5.00"),
    ],
)
def test_the_payment_of_an_order_shows_what_was_authorized_captured_released_and_refunded(
    lines, authorized, captured, released, refunded
):
    """An authorization and its capture are the same money, so they are never added."""
    payment = order_view(s.given(*lines).order, Audience.CUSTOMER)["payment"]
    amounts = {name: payment[name]["amount"] for name in ("authorized", "captured", "released", "refunded")}
    assert amounts == {"authorized": authorized, "captured": captured, "released": released, "refunded": refunded}
