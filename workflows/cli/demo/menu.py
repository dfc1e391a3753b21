"""The orders of the demo: random items of a few restaurants, decided by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workflows.client.order_json import MoneyJson, OptionJson, PlaceJson, PlaceLineJson

_CURRENCY = "EUR"

_RESTAURANTS = {
    "trattoria-nonna": (
        ("pizza-margherita", "Pizza Margherita", "9.50", ("Burrata", "2.00")),
        ("pizza-diavola", "Pizza Diavola", "11.50", None),
        ("tiramisu", "Tiramisù", "6.50", None),
        ("acqua-1l", "Acqua, 1 l", "3.00", None),
    ),
    "ramen-ichiban": (
        ("shoyu-ramen", "Shoyu ramen", "13.90", ("Extra egg", "1.80")),
        ("gyoza-6", "Gyoza, six pieces", "6.20", None),
        ("edamame", "Edamame", "4.70", None),
    ),
    "curry-lane": (
        ("butter-chicken", "Butter chicken", "14.25", ("Garlic naan", "3.15")),
        ("dal-makhani", "Dal makhani", "11.95", None),
        ("mango-lassi", "Mango lassi", "4.35", None),
    ),
}

_PEOPLE = (
    ("Camille Roux", "+33 1 99 00 10 11", "12 rue des Lilas, 75019 Paris"),
    ("Ada Byron", "+49 30 1234567", "Lindenstrasse 9, 10969 Berlin"),
    ("Ines Duarte", "+351 21 555 0142", "Rua do Salitre 30, 1250-198 Lisboa"),
    ("Jonas Berg", "+46 8 555 019 20", "Odengatan 44, 113 51 Stockholm"),
)


@dataclass(frozen=True, slots=True)
class DemoOrder:
    """A customer and the body of the order to place."""

    customer: str
    body: PlaceJson


def demo_order(random: Random, payment_method: str) -> DemoOrder:
    """Draw an order of two or three items of one restaurant. Amounts are texts, never floats."""
    restaurant = random.choice(sorted(_RESTAURANTS))
    items = random.sample(_RESTAURANTS[restaurant], k=random.choice((2, 3)))
    name, phone, address = random.choice(_PEOPLE)
    body: PlaceJson = {
        "restaurant": restaurant,
        "lines": [_line(random, *item) for item in items],
        "delivery_fee": _money("2.90"),
        "service_fee": _money("0.99"),
        "tip": _money(random.choice(("0.00", "1.50", "2.35"))),
        "payment_method": payment_method,
        "contact": {"name": name, "phone": phone, "address": address},
    }
    return DemoOrder(f"cus-{random.randrange(10_000):04d}", body)


def _line(random: Random, sku: str, name: str, price: str, option: tuple[str, str] | None) -> PlaceLineJson:
    options: list[OptionJson] = (
        [{"name": option[0], "price": _money(option[1])}] if option and random.random() < 0.5 else []
    )
    return {
        "sku": sku,
        "name": name,
        "quantity": random.choice((1, 1, 2, 3)),
        "unit_price": _money(price),
        "options": options,
    }


def _money(amount: str) -> MoneyJson:
    return {"amount": amount, "currency": _CURRENCY}
