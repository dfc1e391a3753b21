"""The restaurants of ``expediter up --demo-data`` and of the demo, with their menus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflows.client.catalogue_json import MenuItemJson, OptionGroupJson, ProfileJson, SectionJson, ServiceFeeJson
from workflows.client.order_json import MoneyJson

if TYPE_CHECKING:
    from workflows.client import ExpediterClient


@dataclass(frozen=True, slots=True)
class DemoRestaurant:
    """A restaurant to register, and the menu that it publishes."""

    profile: ProfileJson
    sections: list[SectionJson]

    @property
    def items(self) -> list[MenuItemJson]:
        return [item for section in self.sections for item in section["items"]]


def open_restaurants(client: ExpediterClient) -> None:
    """Register the restaurants, and publish the menu of those that have none yet.

    Args:
        client: Of a service or of support. A restaurant that is registered already stays as it is.
    """
    from workflows.client import ApiProblem

    for restaurant_id, demo in RESTAURANTS.items():
        try:
            registered = client.register_restaurant(restaurant_id, demo.profile)
        except ApiProblem as refused:
            if refused.name != "RestaurantAlreadyRegistered":
                raise
            registered = client.restaurant(restaurant_id)
        if not registered["menu_version"]:
            client.publish_menu(restaurant_id, demo.sections)


def _eur(amount: str) -> MoneyJson:
    return {"amount": amount, "currency": "EUR"}


def _item(sku: str, name: str, price: str, *groups: OptionGroupJson, tax_class: str = "food") -> MenuItemJson:
    return {
        "sku": sku,
        "name": name,
        "price": _eur(price),
        "tax_class": tax_class,
        "description": "",
        "picture": "",
        "groups": list(groups),
    }


def _extra(option: str, name: str, price: str) -> OptionGroupJson:
    return {
        "name": "Extras",
        "choose_min": 0,
        "choose_max": 2,
        "options": [{"option": option, "name": name, "price": _eur(price)}],
    }


def _profile(name: str, address: str, cuisine: str, service_fee: ServiceFeeJson | None = None) -> ProfileJson:
    """Make the profile of a restaurant that is always open, so that the demo works at any hour."""
    return {
        "name": name,
        "address": address,
        "currency": "EUR",
        "time_zone": "Europe/Paris",
        "opening_hours": [{"weekday": day, "opens": "00:00", "closes": "00:00"} for day in range(7)],
        "tax_classes": [{"name": "food", "rate_bp": 700}, {"name": "drink", "rate_bp": 1900}],
        "fee_tax_class": "drink",
        "minimum_order": _eur("0.00"),
        "delivery_fee": _eur("2.90"),
        "free_delivery_from": None,
        "service_fee": service_fee,
        "preparation_min": 20,
        "cuisines": [cuisine],
    }


_SERVICE_FEE: ServiceFeeJson = {"rate_bp": 500, "least": _eur("0.50"), "most": _eur("1.50")}

RESTAURANTS: Mapping[str, DemoRestaurant] = {
    "trattoria-nonna": DemoRestaurant(
        _profile("Trattoria Nonna", "8 rue Oberkampf, 75011 Paris", "italian"),
        [
            {
                "name": "Pizze",
                "items": [
                    _item("pizza-margherita", "Pizza Margherita", "9.50", _extra("burrata", "Burrata", "2.00")),
                    _item("pizza-diavola", "Pizza Diavola", "11.50"),
                ],
            },
            {"name": "Dolci", "items": [_item("tiramisu", "Tiramisù", "6.50")]},
            {"name": "Bevande", "items": [_item("acqua-1l", "Acqua, 1 l", "3.00", tax_class="drink")]},
        ],
    ),
    "ramen-ichiban": DemoRestaurant(
        _profile("Ramen Ichiban", "20 rue Sainte-Anne, 75001 Paris", "japanese", _SERVICE_FEE),
        [
            {
                "name": "Ramen",
                "items": [_item("shoyu-ramen", "Shoyu ramen", "13.90", _extra("extra-egg", "Extra egg", "1.80"))],
            },
            {
                "name": "Small plates",
                "items": [_item("gyoza-6", "Gyoza, six pieces", "6.20"), _item("edamame", "Edamame", "4.70")],
            },
        ],
    ),
    "curry-lane": DemoRestaurant(
        _profile("Curry Lane", "5 passage Brady, 75010 Paris", "indian", _SERVICE_FEE),
        [
            {
                "name": "Curries",
                "items": [
                    _item("butter-chicken", "Butter chicken", "14.25", _extra("garlic-naan", "Garlic naan", "3.15")),
                    _item("dal-makhani", "Dal makhani", "11.95"),
                ],
            },
            {"name": "Drinks", "items": [_item("mango-lassi", "Mango lassi", "4.35", tax_class="drink")]},
        ],
    ),
}
