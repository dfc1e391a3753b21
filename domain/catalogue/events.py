"""The events of a restaurant. Class and field names are the storage format: add, never rename."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.catalogue.menu import Menu
from domain.catalogue.opening_hours import OpeningPeriod
from domain.identifiers import RestaurantId, Sku
from domain.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxClass:
    """Goods that are taxed alike. ``rate_bp`` is in hundredths of a percent (700 is 7 %); prices include the tax."""

    name: str
    rate_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFee:
    """A share of the price of the items in hundredths of a percent, at least ``least`` and at most ``most``."""

    rate_bp: int
    least: Money
    most: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a restaurant tells about itself, but for its menu.

    ``minimum_order`` is compared with the price of the items, without fees and tip. The delivery is free from
    ``free_delivery_from`` on (None: never). ``fee_tax_class`` is the tax class of delivery and service fee.
    ``preparation_min`` is the usual time in minutes. All amounts are in ``currency``.
    """

    name: str
    address: str
    currency: str
    time_zone: str
    opening_hours: tuple[OpeningPeriod, ...]
    tax_classes: tuple[TaxClass, ...]
    fee_tax_class: str
    minimum_order: Money
    delivery_fee: Money
    free_delivery_from: Money | None
    service_fee: ServiceFee | None
    preparation_min: int
    cuisines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RestaurantRegistered:
    """The restaurant joined. It takes orders once it has published a menu."""

    restaurant: RestaurantId
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class RestaurantChanged:
    """The profile was replaced as a whole."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingPaused:
    """The restaurant takes no orders until ``until``, even in its opening hours; None: until it resumes."""

    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingResumed:
    """A pause was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuPublished:
    """A menu replaced the one before. Versions count from 1. What was sold out stays sold out if it is still there."""

    menu_version: int
    menu: Menu


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldOut:
    """An item, or one option of it, cannot be ordered for now. ``option`` is empty for the item itself."""

    sku: Sku
    option: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackInStock:
    """An item, or one option of it, can be ordered again. ``option`` is empty for the item itself."""

    sku: Sku
    option: str = ""


CatalogueEvent: TypeAlias = (
    RestaurantRegistered | RestaurantChanged | OrderingPaused | OrderingResumed | MenuPublished | SoldOut | BackInStock
)
