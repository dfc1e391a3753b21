"""The orders of the demo: random items of its restaurants, decided by a seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from workflows.cli.demo_data import RESTAURANTS
from workflows.client.catalogue_json import MenuItemJson
from workflows.client.order_json import PlaceItemJson, PlaceJson

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
    """Draw an order of two or three items of one restaurant's menu, which has their prices."""
    restaurant = random.choice(sorted(RESTAURANTS))
    items = random.sample(RESTAURANTS[restaurant].items, k=random.choice((2, 3)))
    name, phone, address = random.choice(_PEOPLE)
    body: PlaceJson = {
        "restaurant": restaurant,
        "items": [_selection(random, item) for item in items],
        "tip": {"amount": random.choice(("0.00", "1.50", "2.35")), "currency": "EUR"},
        "payment_method": payment_method,
        "contact": {"name": name, "phone": phone, "address": address},
    }
    return DemoOrder(f"cus-{random.randrange(10_000):04d}", body)


def _selection(random: Random, item: MenuItemJson) -> PlaceItemJson:
    extras = [option["option"] for group in item["groups"] for option in group["options"]]
    options = extras if extras and random.random() < 0.5 else []
    return {"sku": item["sku"], "quantity": random.choice((1, 1, 2, 3)), "options": options}
