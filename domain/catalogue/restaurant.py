"""The state of a restaurant: the fold of its events. ``evolve`` checks nothing and never raises."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from domain.catalogue.events import (
    BackInStock,
    CatalogueEvent,
    MenuPublished,
    OrderingPaused,
    OrderingResumed,
    Profile,
    RestaurantChanged,
    RestaurantRegistered,
    SoldOut,
)
from domain.catalogue.menu import Menu
from domain.catalogue.opening_hours import OpeningPeriod, is_open, next_opening
from domain.fast_replace import replace
from domain.identifiers import RestaurantId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingTimes:
    """When a restaurant takes orders: in its opening hours, while it has a menu and is not paused.

    A pause ends at ``paused_until``; None: when the restaurant resumes.
    """

    opening_hours: tuple[OpeningPeriod, ...]
    time_zone: str
    has_menu: bool
    paused: bool
    paused_until: datetime | None

    def is_paused(self, at: datetime) -> bool:
        """Whether a pause is in force at ``at``."""
        return self.paused and (self.paused_until is None or at < self.paused_until)

    def takes_orders(self, at: datetime) -> bool:
        """Whether it is open at ``at``, not paused, and has a menu."""
        return self.has_menu and not self.is_paused(at) and is_open(self.opening_hours, ZoneInfo(self.time_zone), at)

    def opens_at(self, at: datetime) -> datetime | None:
        """Return the first moment from ``at`` on at which it takes orders, in UTC.

        None if that is not known: it is paused without an end, has no opening hours or no menu.
        """
        if not self.has_menu:
            return None
        if self.is_paused(at):
            if self.paused_until is None:
                return None
            at = self.paused_until
        return next_opening(self.opening_hours, ZoneInfo(self.time_zone), at)


@dataclass(frozen=True, kw_only=True)
class Restaurant:
    """The fold of ``version`` events.

    ``profile`` is None until the restaurant is registered, ``menu`` until one is published. ``menu_version`` counts
    publications. ``sold_out`` has pairs of a sku and an option's id, which is empty for the item itself; it may name
    items that the menu no longer has.
    """

    restaurant_id: RestaurantId
    version: int = 0
    profile: Profile | None = None
    menu: Menu | None = None
    menu_version: int = 0
    sold_out: frozenset[tuple[str, str]] = frozenset()
    pause: OrderingPaused | None = None

    @property
    def ordering(self) -> OrderingTimes:
        """When it takes orders."""
        profile, pause = self.profile, self.pause
        return OrderingTimes(
            opening_hours=() if profile is None else profile.opening_hours,
            time_zone="UTC" if profile is None else profile.time_zone,
            has_menu=self.menu is not None,
            paused=pause is not None,
            paused_until=None if pause is None else pause.until,
        )

    def is_paused(self, at: datetime) -> bool:
        """Whether a pause is in force at ``at``."""
        return self.ordering.is_paused(at)

    def takes_orders(self, at: datetime) -> bool:
        """Whether it is open at ``at``, not paused, and has a menu."""
        return self.ordering.takes_orders(at)

    def opens_at(self, at: datetime) -> datetime | None:
        """Return the first moment from ``at`` on at which it takes orders, in UTC; None as ``OrderingTimes``."""
        return self.ordering.opens_at(at)


def initial_restaurant(restaurant_id: RestaurantId) -> Restaurant:
    """Return the state before the first event."""
    return Restaurant(restaurant_id=restaurant_id)


def evolve_restaurant(restaurant: Restaurant, events: Iterable[CatalogueEvent]) -> Restaurant:
    """Fold events onto a state."""
    for event in events:
        restaurant = replace(_evolved(restaurant, event), version=restaurant.version + 1)
    return restaurant


def _evolved(restaurant: Restaurant, event: CatalogueEvent) -> Restaurant:
    match event:
        case RestaurantRegistered() | RestaurantChanged():
            return replace(restaurant, profile=event.profile)
        case OrderingPaused():
            return replace(restaurant, pause=event)
        case OrderingResumed():
            return replace(restaurant, pause=None)
        case MenuPublished():
            return replace(restaurant, menu=event.menu, menu_version=event.menu_version)
        case SoldOut():
            return replace(restaurant, sold_out=restaurant.sold_out | {(event.sku, event.option)})
        case BackInStock():
            return replace(restaurant, sold_out=restaurant.sold_out - {(event.sku, event.option)})
        case _:
            assert_never(event)
