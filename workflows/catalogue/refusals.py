"""Refusals of requests about restaurants and menus, besides those of the domain."""

from __future__ import annotations

from domain.identifiers import Actor, RestaurantId
from domain.order.refusals import Rejected


class CatalogueNotAllowed(Rejected):
    """The caller may not change this restaurant. HTTP: 403."""

    def __init__(self, actor: Actor, restaurant_id: RestaurantId) -> None:
        super().__init__(
            f"{actor.role.capitalize()} {actor.id} cannot change restaurant {restaurant_id}. "
            "Allowed: the restaurant itself, support and services."
        )
        self.actor = actor
        self.restaurant_id = restaurant_id


class MenuNotFound(Rejected):
    """The restaurant has published no menu of this version. HTTP: 404."""

    def __init__(self, restaurant_id: RestaurantId, menu_version: int, newest: int) -> None:
        has = f"its newest version is {newest}" if newest else "it has published none"
        super().__init__(f"Restaurant {restaurant_id} has no menu of version {menu_version}; {has}.")
        self.restaurant_id = restaurant_id
        self.menu_version = menu_version
        self.newest = newest
