"""The error of a key that was used for two calls: it is logged and stored for ever, so it must quote no content."""

from __future__ import annotations

import pytest

from domain.identifiers import RestaurantId, Sku, order_id_for
from domain.money import Money
from domain.order.events import Line
from workflows.gateways.errors import KeyMisused

ORDER = order_id_for("app", "misused")


def test_the_error_of_a_misused_key_contains_no_payment_method(payments):
    """Of neither call, from the sandbox and over HTTP."""
    key = payments.calls.key()

    def authorize(method):
        amount = Money(4711, "EUR")
        return payments.gateway.authorize(reference=ORDER, payment_method=method, amount=amount, key=key, timeout_s=10)

    authorize("pm_first")
    with pytest.raises(KeyMisused) as misused:
        authorize("pm_other")
    message = f"key {key} belongs to one call (authorize) and was used again for another (authorize)"
    assert str(misused.value) == message
    assert (misused.value.first, misused.value.now) == ("authorize", "authorize")


def test_the_error_of_a_misused_key_contains_no_ordered_item(kitchen):
    """Even if the name of a dish has braces, quotes and line breaks."""
    key = kitchen.calls.key()

    def send(name):
        line = Line(sku=Sku("ramen"), name=name, quantity=1, unit_price=Money(100, "EUR"))
        kitchen.gateway.send_ticket(
            reference=ORDER, restaurant=RestaurantId("rosa"), lines=(line,), key=key, timeout_s=10
        )

    send("Ramen")
    with pytest.raises(KeyMisused) as misused:
        send('Ramen for Ada {"\n}')
    assert str(misused.value).endswith("(send_ticket) and was used again for another (send_ticket)")
