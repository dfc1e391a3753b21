"""What the simulated customers order: lines with options, quantities, fees and tips in several currencies."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from domain.money import Money
from workflows.orders.json_values import money_json

CURRENCIES: Final = ("EUR", "EUR", "EUR", "USD", "JPY", "KWD")
"""As often as they are drawn: with two digits after the point, none and three."""

EXTRAS: Final = ("burrata", "large", "olives")

_ITEMS: Final = ("pizza", "salad", "tiramisu", "water")


def eur(amount: str) -> dict[str, str]:
    """Return an amount in euros as the API takes it."""
    return {"amount": amount, "currency": "EUR"}


EXAMPLE: Final[Mapping[str, Any]] = {
    "lines": [
        {"sku": "pizza", "name": "Pizza", "quantity": 2, "unit_price": eur("10.00")},
        {"sku": "water", "name": "Water", "quantity": 1, "unit_price": eur("3.00")},
    ],
    "delivery_fee": eur("3.00"),
    "service_fee": eur("1.00"),
    "tip": eur("1.00"),
}
"""Two pizzas of 10.00, water for 3.00, fees and tip of 5.00: 28.00 EUR. A part of the body of ``POST /orders``."""

RECIPIENT: Final = {"name": "Camille", "phone": "+33 1 99 00 10 11", "address": "1 rue des Lilas, Paris"}
"""The contact of simulated orders."""


def drawn_basket(random: Random) -> dict[str, Any]:
    """Draw what a service orders at prices of its own: the same part of the body as ``EXAMPLE``."""
    currency = random.choice(CURRENCIES)
    return {
        "lines": [_line(random, sku, currency) for sku in random.sample(_ITEMS, random.randint(1, len(_ITEMS)))],
        "delivery_fee": money_json(drawn_price(random, currency, 500)),
        "service_fee": money_json(drawn_price(random, currency, 200)),
        "tip": money_json(drawn_price(random, currency, 500)),
    }


def drawn_price(random: Random, currency: str, most: int) -> Money:
    """Draw an amount of up to ``most`` minor units. One in four is zero."""
    return Money(random.choice((0, 1, 1, 1)) * random.randint(1, most), currency)


def _line(random: Random, sku: str, currency: str) -> dict[str, Any]:
    options = random.sample(EXTRAS, random.choice((0, 0, 1, 2)))
    return {
        "sku": sku,
        "name": sku.title(),
        "quantity": random.randint(1, 4),
        "unit_price": money_json(Money(random.randint(1, 2_000), currency)),
        "options": [{"name": name, "price": money_json(drawn_price(random, currency, 300))} for name in options],
    }
