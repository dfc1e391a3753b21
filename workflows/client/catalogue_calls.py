"""Requests about restaurants, their menus, and quotes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote as quoted

from .api_call import ApiCall
from .api_call import listed as _list
from .api_call import rfc3339 as _rfc3339
from .api_call import set_fields as _set
from .catalogue_json import MenuJson, PictureJson, ProfileJson, QuoteJson, RestaurantJson, SectionJson
from .order_json import MoneyJson, PlaceItemJson
from .search_json import ListedRestaurantsJson, PopularItemsJson


def restaurant(restaurant_id: str) -> ApiCall[RestaurantJson]:
    """Read a restaurant as it is now: its profile, whether it takes orders, and what is sold out."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id))


def menu(restaurant_id: str, menu_version: int) -> ApiCall[MenuJson]:
    """Read the menu that was published under a version."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id, f"menus/{menu_version}"))


def quote(restaurant_id: str, items: Sequence[PlaceItemJson], *, tip: MoneyJson | None = None) -> ApiCall[QuoteJson]:
    """Price items of a menu, with fees and tip, without placing an order."""
    return ApiCall(method="POST", path="/quotes", body={"restaurant": restaurant_id, "items": items, **_set(tip=tip)})


def register_restaurant(restaurant_id: str, profile: ProfileJson) -> ApiCall[RestaurantJson]:
    """Let a restaurant join. The same profile again changes nothing."""
    return ApiCall(method="POST", path="/restaurants", body={"restaurant": restaurant_id, **profile})


def change_restaurant(restaurant_id: str, profile: ProfileJson) -> ApiCall[RestaurantJson]:
    """Replace the profile as a whole."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "profile"), body=profile)


def publish_menu(restaurant_id: str, sections: Sequence[SectionJson]) -> ApiCall[RestaurantJson]:
    """Publish a menu under the next version. It replaces the one before as a whole."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "menu"), body={"sections": sections})


def upload_picture(restaurant_id: str, content: bytes) -> ApiCall[PictureJson]:
    """Upload a PNG, JPEG or WebP of at most 1 MiB. An item of a menu then names it by its ``name``."""
    body = {"content": b64encode(content).decode()}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "pictures"), body=body)


def pause_restaurant(restaurant_id: str, reason: str, until: datetime | None = None) -> ApiCall[RestaurantJson]:
    """Take no orders until a time (with a time zone), or else until ``resume_restaurant``."""
    body = {"reason": reason, **_set(until=None if until is None else _rfc3339(until))}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "pause"), body=body)


def resume_restaurant(restaurant_id: str) -> ApiCall[RestaurantJson]:
    """End a pause."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "resume"))


def mark_sold_out(restaurant_id: str, sku: str, option: str | None = None) -> ApiCall[RestaurantJson]:
    """Mark an item, or one option of it, sold out for now."""
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "sold-out"), body={"sku": sku, **_set(option=option)})


def mark_back_in_stock(restaurant_id: str, sku: str, option: str | None = None) -> ApiCall[RestaurantJson]:
    """Mark an item, or one option of it, as available again."""
    body = {"sku": sku, **_set(option=option)}
    return ApiCall(method="POST", path=_restaurant(restaurant_id, "back-in-stock"), body=body)


def restaurants(
    *,
    name: str | None = None,
    cuisine: str | None = None,
    dish: str | None = None,
    open_now: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> ApiCall[ListedRestaurantsJson]:
    """List restaurants by name. Texts are compared without case and accents.

    Args:
        dish: Words in the name of an item that is on the menu and not sold out.
        open_now: Only those that take orders now.
    """
    return _list("/restaurants", **locals())


def popular_items(restaurant_id: str, *, limit: int = 10) -> ApiCall[PopularItemsJson]:
    """List the items of a restaurant's menu that were ordered most in the last 30 days."""
    return ApiCall(method="GET", path=_restaurant(restaurant_id, "popular"), query={"limit": str(limit)})


def _restaurant(restaurant_id: str, rest: str = "") -> str:
    return f"/restaurants/{quoted(restaurant_id, safe='')}" + (f"/{rest}" if rest else "")
