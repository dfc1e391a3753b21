"""Commands about restaurants and menus. They carry the times, because the decision has no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.catalogue.events import Profile
from domain.catalogue.menu import Menu
from domain.identifiers import RestaurantId, Sku


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRestaurant:
    """Register a new restaurant. Registering it again with the same profile changes nothing."""

    restaurant: RestaurantId
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRestaurant:
    """Replace the profile as a whole. Its currency cannot change, because menus and orders use it."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOrdering:
    """Pause ordering. ``until`` is after ``at`` and at most 30 days later; None: until ``ResumeOrdering``."""

    until: datetime | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOrdering:
    """End a pause."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMenu:
    """Replace the menu as a whole. Publishing the same menu again changes nothing."""

    menu: Menu


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSoldOut:
    """Take an item, or one option of it, off the menu for now. ``option`` is empty for the item itself."""

    sku: Sku
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkBackInStock:
    """Put an item, or one option of it, back on the menu. ``option`` is empty for the item itself."""

    sku: Sku
    option: str = ""


CatalogueCommand: TypeAlias = (
    RegisterRestaurant | ChangeRestaurant | PauseOrdering | ResumeOrdering | PublishMenu | MarkSoldOut | MarkBackInStock
)
