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


class InvalidPicture(Rejected):
    """The content is no picture that is taken. ``field`` is that of the request. HTTP: 422."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"content: {problem}")
        self.field = "content"
        self.problem = problem


class PictureNotFound(Rejected):
    """The restaurant has no picture of this name. HTTP: 404."""

    def __init__(self, restaurant_id: RestaurantId, name: str) -> None:
        super().__init__(f"Restaurant {restaurant_id} has no picture {name}.")
        self.restaurant_id = restaurant_id
        self.name = name


class TooManyPictures(Rejected):
    """The restaurant has as many pictures as it may have."""

    def __init__(self, restaurant_id: RestaurantId, most: int) -> None:
        super().__init__(
            f"Restaurant {restaurant_id} has {most} pictures, which is the most. Name one of them instead."
        )
        self.restaurant_id = restaurant_id
        self.most = most


class MenuNotFound(Rejected):
    """The restaurant has published no menu of this version. HTTP: 404."""

    def __init__(self, restaurant_id: RestaurantId, menu_version: int, newest: int) -> None:
        has = f"its newest version is {newest}" if newest else "it has published none"
        super().__init__(f"Restaurant {restaurant_id} has no menu of version {menu_version}; {has}.")
        self.restaurant_id = restaurant_id
        self.menu_version = menu_version
        self.newest = newest
