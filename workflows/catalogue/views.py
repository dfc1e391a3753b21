"""Restaurants, menus and quotes as JSON, in the shapes of ``workflows/client/catalogue_json.py``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from domain.catalogue.events import Profile
from domain.catalogue.menu import Menu, MenuItem, OptionGroup
from domain.catalogue.pricing import Quote
from domain.catalogue.restaurant import OrderingTimes, Restaurant
from domain.identifiers import RestaurantId
from domain.order.events import Line
from workflows.catalogue.picture_formats import TYPES
from workflows.clock import timestamp
from workflows.orders.json_values import money_json, plain

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.catalogue.pictures import StoredPicture
    from workflows.client.catalogue_json import (
        MenuItemJson,
        MenuJson,
        OptionGroupJson,
        PictureJson,
        ProfileJson,
        QuotedLineJson,
        QuoteJson,
        RestaurantJson,
    )


def restaurant_view(restaurant: Restaurant, now: datetime) -> RestaurantJson:
    """Return a registered restaurant as it is at ``now``."""
    assert restaurant.profile is not None, "a restaurant that is not registered is not shown"
    pause = restaurant.pause if restaurant.is_paused(now) else None
    takes_orders, opens_at = ordering_view(restaurant.ordering, now)
    return {
        "id": restaurant.restaurant_id,
        "version": restaurant.version,
        "profile": profile_view(restaurant.profile),
        "takes_orders": takes_orders,
        "opens_at": opens_at,
        "paused": pause is not None,
        "paused_until": plain(None if pause is None else pause.until),
        "menu_version": restaurant.menu_version,
        "sold_out": [{"sku": sku, "option": option} for sku, option in sorted(restaurant.sold_out)],
    }


def ordering_view(ordering: OrderingTimes, now: datetime) -> tuple[bool, str | None]:
    """Return ``takes_orders`` and ``opens_at``: while it takes orders the answer stays the same, so caches keep it."""
    if ordering.takes_orders(now):
        return True, None
    opens_at = ordering.opens_at(now)
    return False, None if opens_at is None else timestamp(opens_at)


def profile_view(profile: Profile) -> ProfileJson:
    """Return a profile in the shape in which it is also sent."""
    fee = profile.service_fee
    return {
        "name": profile.name,
        "address": profile.address,
        "currency": profile.currency,
        "time_zone": profile.time_zone,
        "opening_hours": [
            {"weekday": period.weekday, "opens": f"{period.opens:%H:%M}", "closes": f"{period.closes:%H:%M}"}
            for period in profile.opening_hours
        ],
        "tax_classes": [{"name": tax.name, "rate_bp": tax.rate_bp} for tax in profile.tax_classes],
        "fee_tax_class": profile.fee_tax_class,
        "minimum_order": money_json(profile.minimum_order),
        "delivery_fee": money_json(profile.delivery_fee),
        "free_delivery_from": plain(profile.free_delivery_from),
        "service_fee": None
        if fee is None
        else {"rate_bp": fee.rate_bp, "least": money_json(fee.least), "most": money_json(fee.most)},
        "preparation_min": profile.preparation_min,
        "cuisines": list(profile.cuisines),
    }


def menu_view(restaurant_id: RestaurantId, menu_version: int, menu: Menu) -> MenuJson:
    """Return a menu as it was published under a version."""
    return {
        "restaurant": restaurant_id,
        "menu_version": menu_version,
        "sections": [
            {"name": section.name, "items": [_item(item) for item in section.items]} for section in menu.sections
        ],
    }


def picture_view(restaurant_id: RestaurantId, picture: StoredPicture) -> PictureJson:
    """Return a picture that was uploaded."""
    return {
        "name": picture.name,
        "path": f"/restaurants/{restaurant_id}/pictures/{picture.name}",
        "type": TYPES[picture.frame.ending],
        "width": picture.frame.width,
        "height": picture.frame.height,
        "bytes": picture.size_bytes,
    }


def quote_view(restaurant_id: RestaurantId, quote: Quote) -> QuoteJson:
    """Return what an order would cost."""
    return {
        "restaurant": restaurant_id,
        "menu_version": quote.menu_version,
        "lines": [_line(line) for line in quote.lines],
        "items": money_json(quote.items),
        "delivery_fee": money_json(quote.delivery_fee),
        "service_fee": money_json(quote.service_fee),
        "tip": money_json(quote.tip),
        "total": money_json(quote.total),
    }


def _item(item: MenuItem) -> MenuItemJson:
    return {
        "sku": item.sku,
        "name": item.name,
        "price": money_json(item.price),
        "tax_class": item.tax_class,
        "description": item.description,
        "picture": item.picture,
        "groups": [_group(group) for group in item.groups],
    }


def _group(group: OptionGroup) -> OptionGroupJson:
    return {
        "name": group.name,
        "choose_min": group.choose_min,
        "choose_max": group.choose_max,
        "options": [
            {"option": option.option, "name": option.name, "price": money_json(option.price)}
            for option in group.options
        ],
    }


def _line(line: Line) -> QuotedLineJson:
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "unit_price": money_json(line.unit_price),
        "options": [{"name": option.name, "price": money_json(option.price)} for option in line.options],
        "tax_class": line.tax_class,
        "tax_rate_bp": line.tax_rate_bp,
        "total": money_json(line.total),
    }
