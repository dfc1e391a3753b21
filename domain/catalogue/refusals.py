"""Refusals of commands about restaurants and menus, and of selections that cannot be ordered."""

from __future__ import annotations

from datetime import datetime

from domain.identifiers import RestaurantId
from domain.money import Money
from domain.order.refusals import Rejected


class RestaurantNotFound(Rejected):
    """The restaurant is not registered. HTTP: 404."""

    def __init__(self, restaurant_id: RestaurantId) -> None:
        super().__init__(f"Restaurant {restaurant_id} is not registered.")
        self.restaurant_id = restaurant_id


class RestaurantAlreadyRegistered(Rejected):
    """Another profile was registered under this id before."""

    def __init__(self, restaurant_id: RestaurantId) -> None:
        super().__init__(f"Restaurant {restaurant_id} is registered with another profile. Change it instead.")
        self.restaurant_id = restaurant_id


class InvalidRestaurant(Rejected):
    """A field of a profile or a pause breaks a rule. HTTP: 422."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class InvalidMenu(Rejected):
    """A field of a menu breaks a rule. ``field`` is its path, e.g. ``sections[0].items[2].price``. HTTP: 422."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class RestaurantClosed(Rejected):
    """The restaurant takes no orders now. ``opens_at`` is in UTC, None if it is not known."""

    def __init__(self, restaurant_id: RestaurantId, opens_at: datetime | None) -> None:
        when = "Try again later." if opens_at is None else f"It opens at {opens_at:%Y-%m-%d %H:%M} UTC."
        super().__init__(f"Restaurant {restaurant_id} takes no orders now. {when}")
        self.restaurant_id = restaurant_id
        self.opens_at = opens_at


class UnknownItem(Rejected):
    """The menu has no such item, or the item has no such option. HTTP: 422."""

    def __init__(self, sku: str, option: str, menu_version: int) -> None:
        missing = f"option {option!r} of item {sku!r}" if option else f"item {sku!r}"
        super().__init__(f"There is no {missing} on the menu (version {menu_version}). Read the menu again.")
        self.sku = sku
        self.option = option
        self.menu_version = menu_version


class ItemSoldOut(Rejected):
    """The item, or an option of it, is sold out for now. ``option`` is empty for the item itself."""

    def __init__(self, sku: str, option: str) -> None:
        gone = f"Option {option!r} of item {sku!r}" if option else f"Item {sku!r}"
        super().__init__(f"{gone} is sold out. Choose something else.")
        self.sku = sku
        self.option = option


class ChoiceMissing(Rejected):
    """Too few options of a group were chosen. HTTP: 422."""

    def __init__(self, sku: str, group: str, least: int) -> None:
        super().__init__(f"Item {sku!r} needs {least} or more of {group!r}. Choose among its options.")
        self.sku = sku
        self.group = group
        self.least = least


class TooManyChoices(Rejected):
    """Too many options of a group were chosen. HTTP: 422."""

    def __init__(self, sku: str, group: str, most: int) -> None:
        super().__init__(f"Item {sku!r} takes at most {most} of {group!r}. Leave some out.")
        self.sku = sku
        self.group = group
        self.most = most


class BelowMinimum(Rejected):
    """The items cost less than the restaurant's minimum. HTTP: 422."""

    def __init__(self, minimum: Money, items: Money) -> None:
        super().__init__(f"The items cost {items}, and the restaurant takes orders from {minimum} on. Add something.")
        self.minimum = minimum
        self.items = items


class PriceChanged(Rejected):
    """The order costs something else than the customer expects."""

    def __init__(self, expected: Money, now: Money) -> None:
        super().__init__(f"The order costs {now} now, not {expected}. Ask for a new quote.")
        self.expected = expected
        self.now = now
