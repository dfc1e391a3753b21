"""A restaurant for the tests of the catalogue, and stories about it: ``given(events).when(command).then(events)``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from domain.catalogue.commands import CatalogueCommand
from domain.catalogue.deciding import decide_restaurant
from domain.catalogue.events import (
    CatalogueEvent,
    MenuPublished,
    Profile,
    RestaurantRegistered,
    ServiceFee,
    TaxClass,
)
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.restaurant import Restaurant, evolve_restaurant, initial_restaurant
from domain.identifiers import RestaurantId, Sku
from domain.money import Money
from domain.order.refusals import Rejected

TRATTORIA = RestaurantId("rest-17")
FRIDAY_EVENING = datetime(2026, 5, 8, 17, 0, tzinfo=UTC)
"""19:00 in Berlin, where the trattoria is open from 17:00 to 01:00."""


def eur(amount: str) -> Money:
    return Money.parse(amount, "EUR")


EVENINGS = tuple(OpeningPeriod(weekday=day, opens=time(17), closes=time(1)) for day in range(7))

PROFILE = Profile(
    name="Trattoria Lina",
    address="Torstrasse 1, Berlin",
    currency="EUR",
    time_zone="Europe/Berlin",
    opening_hours=EVENINGS,
    tax_classes=(TaxClass(name="food", rate_bp=700), TaxClass(name="drinks", rate_bp=1900)),
    fee_tax_class="drinks",
    minimum_order=eur("12.00"),
    delivery_fee=eur("2.90"),
    free_delivery_from=eur("40.00"),
    service_fee=ServiceFee(rate_bp=500, least=eur("0.50"), most=eur("2.00")),
    preparation_min=25,
    cuisines=("italian",),
)

PIZZA = MenuItem(
    sku=Sku("pizza"),
    name="Pizza Margherita",
    price=eur("9.50"),
    tax_class="food",
    groups=(
        OptionGroup(
            name="size",
            choose_min=1,
            choose_max=1,
            options=(
                MenuOption(option="normal", name="Normal", price=eur("0.00")),
                MenuOption(option="large", name="Large", price=eur("3.00")),
            ),
        ),
        OptionGroup(
            name="extras",
            choose_min=0,
            choose_max=3,
            options=(
                MenuOption(option="burrata", name="Burrata", price=eur("2.50")),
                MenuOption(option="olives", name="Olives", price=eur("1.00")),
            ),
        ),
    ),
)
COLA = MenuItem(sku=Sku("cola"), name="Cola", price=eur("3.00"), tax_class="drinks")
MENU = Menu(sections=(Section(name="Pizze", items=(PIZZA,)), Section(name="Drinks", items=(COLA,))))

REGISTERED = RestaurantRegistered(restaurant=TRATTORIA, profile=PROFILE)
PUBLISHED = MenuPublished(menu_version=1, menu=MENU)
OPENED = (REGISTERED, PUBLISHED)


def restaurant(*events: CatalogueEvent) -> Restaurant:
    """Fold events of the trattoria; its registration and its menu if there are none."""
    return evolve_restaurant(initial_restaurant(TRATTORIA), events or OPENED)


def menu_with(item: MenuItem) -> Menu:
    """Return a menu of one item."""
    return Menu(sections=(Section(name="All", items=(item,)),))


def profile_with(**changes: Any) -> Profile:
    return replace(PROFILE, **changes)


@dataclass(frozen=True)
class Story:
    """Events that happened, and a command to decide on."""

    events: tuple[CatalogueEvent, ...]
    command: CatalogueCommand | None = None

    def when(self, command: CatalogueCommand) -> Story:
        return replace(self, command=command)

    def then(self, *events: CatalogueEvent) -> None:
        """Expect exactly these new events."""
        assert self.command is not None
        state = evolve_restaurant(initial_restaurant(TRATTORIA), self.events)
        assert decide_restaurant(self.command, state) == events

    def nothing(self) -> None:
        """Expect no new event."""
        self.then()

    def refused(self, kind: type[Rejected], **facts: object) -> None:
        """Expect a refusal of exactly this class with these attributes."""
        assert self.command is not None
        state = evolve_restaurant(initial_restaurant(TRATTORIA), self.events)
        with pytest.raises(Rejected) as refusal:
            decide_restaurant(self.command, state)
        assert type(refusal.value) is kind
        assert {name: getattr(refusal.value, name) for name in facts} == facts


def given(*events: CatalogueEvent) -> Story:
    return Story(events)
