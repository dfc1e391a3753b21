"""Registering and changing a restaurant, pausing its orders, publishing its menu, marking items sold out."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from domain.catalogue.checks import ITEMS_MAX
from domain.catalogue.commands import (
    ChangeRestaurant,
    MarkBackInStock,
    MarkSoldOut,
    PauseOrdering,
    PublishMenu,
    RegisterRestaurant,
    ResumeOrdering,
)
from domain.catalogue.events import (
    BackInStock,
    MenuPublished,
    OrderingPaused,
    OrderingResumed,
    RestaurantChanged,
    SoldOut,
    TaxClass,
)
from domain.catalogue.menu import Menu, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.refusals import (
    InvalidMenu,
    InvalidRestaurant,
    RestaurantAlreadyRegistered,
    RestaurantNotFound,
    UnknownItem,
)
from domain.identifiers import Sku
from domain.money import Money
from tests.domain.catalogue.trattoria import (
    COLA,
    FRIDAY_EVENING,
    MENU,
    OPENED,
    PIZZA,
    PROFILE,
    PUBLISHED,
    REGISTERED,
    TRATTORIA,
    eur,
    given,
    menu_with,
    profile_with,
    restaurant,
)

HALF_AN_HOUR = timedelta(minutes=30)


def test_a_restaurant_is_registered_once():
    """A retry finds its own restaurant; another profile under the same id is refused."""
    register = RegisterRestaurant(restaurant=TRATTORIA, profile=PROFILE)
    given().when(register).then(REGISTERED)
    given(REGISTERED).when(register).nothing()
    other = RegisterRestaurant(restaurant=TRATTORIA, profile=profile_with(name="Da Gino"))
    given(REGISTERED).when(other).refused(RestaurantAlreadyRegistered)


@pytest.mark.parametrize(
    "command",
    [
        ChangeRestaurant(profile=PROFILE),
        PublishMenu(menu=MENU),
        MarkSoldOut(sku=Sku("pizza")),
        MarkBackInStock(sku=Sku("pizza")),
        PauseOrdering(until=None, reason="", at=FRIDAY_EVENING),
        ResumeOrdering(at=FRIDAY_EVENING),
    ],
)
def test_a_restaurant_that_is_not_registered_cannot_be_changed(command):
    """Every command but the registration needs a registered restaurant."""
    given().when(command).refused(RestaurantNotFound, restaurant_id=TRATTORIA)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"address": "x" * 201}, "address"),
        ({"currency": "eur"}, "currency"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"opening_hours": (OpeningPeriod(weekday=7, opens=time(9), closes=time(17)),)}, "opening_hours[0].weekday"),
        (
            {"opening_hours": (OpeningPeriod(weekday=0, opens=time(9, 0, 30), closes=time(17)),)},
            "opening_hours[0].opens",
        ),
        ({"tax_classes": (*PROFILE.tax_classes, TaxClass(name="food", rate_bp=1))}, "tax_classes[2].name"),
        ({"tax_classes": (TaxClass(name="drinks", rate_bp=10_001),)}, "tax_classes[0].rate_bp"),
        ({"fee_tax_class": "luxury"}, "fee_tax_class"),
        ({"minimum_order": eur("-0.01")}, "minimum_order"),
        ({"delivery_fee": Money(290, "USD")}, "delivery_fee"),
        ({"preparation_min": -1}, "preparation_min"),
        ({"cuisines": ("",)}, "cuisines[0]"),
    ],
)
def test_a_profile_that_breaks_a_rule_is_refused_with_the_path_of_the_field(changes, field):
    """At the registration and at every change."""
    profile = profile_with(**changes)
    given().when(RegisterRestaurant(restaurant=TRATTORIA, profile=profile)).refused(InvalidRestaurant, field=field)
    given(REGISTERED).when(ChangeRestaurant(profile=profile)).refused(InvalidRestaurant, field=field)


def test_a_change_replaces_the_profile_but_not_the_currency():
    """Menus and orders have the currency, so it stays."""
    renamed = profile_with(name="Lina's")
    given(*OPENED).when(ChangeRestaurant(profile=renamed)).then(RestaurantChanged(profile=renamed))
    given(*OPENED).when(ChangeRestaurant(profile=PROFILE)).nothing()
    zero = Money.zero("USD")
    dollars = profile_with(
        currency="USD", minimum_order=zero, delivery_fee=zero, free_delivery_from=None, service_fee=None
    )
    given(REGISTERED).when(ChangeRestaurant(profile=dollars)).refused(InvalidRestaurant, field="currency")


def test_a_tax_class_of_the_published_menu_cannot_be_removed():
    """Every item of the menu in force has a tax rate."""
    without = profile_with(tax_classes=PROFILE.tax_classes[1:])
    given(REGISTERED).when(ChangeRestaurant(profile=without)).then(RestaurantChanged(profile=without))
    given(*OPENED).when(ChangeRestaurant(profile=without)).refused(InvalidRestaurant, field="tax_classes")


def test_a_busy_restaurant_takes_no_orders_for_half_an_hour():
    """A pause ends by itself, or earlier by hand."""
    until = FRIDAY_EVENING + HALF_AN_HOUR
    pause = PauseOrdering(until=until, reason="busy", at=FRIDAY_EVENING)
    paused = OrderingPaused(until=until, reason="busy")
    given(*OPENED).when(pause).then(paused)
    given(*OPENED, paused).when(pause).nothing()
    busy = restaurant(*OPENED, paused)
    assert not busy.takes_orders(FRIDAY_EVENING)
    assert busy.opens_at(FRIDAY_EVENING) == until
    assert busy.takes_orders(until)
    given(*OPENED, paused).when(ResumeOrdering(at=FRIDAY_EVENING)).then(OrderingResumed())
    given(*OPENED, paused).when(ResumeOrdering(at=until)).nothing()
    given(*OPENED, paused, OrderingResumed()).when(ResumeOrdering(at=FRIDAY_EVENING)).nothing()
    assert restaurant(*OPENED, paused, OrderingResumed()).takes_orders(FRIDAY_EVENING)


def test_a_pause_without_an_end_lasts_until_it_is_resumed():
    """The time at which the restaurant opens again is unknown, so no time is named."""
    paused = OrderingPaused(until=None, reason="water damage")
    closed = restaurant(*OPENED, paused)
    assert not closed.takes_orders(FRIDAY_EVENING + timedelta(days=400))
    assert closed.opens_at(FRIDAY_EVENING) is None


@pytest.mark.parametrize("until", [FRIDAY_EVENING, FRIDAY_EVENING - HALF_AN_HOUR, FRIDAY_EVENING + timedelta(days=31)])
def test_a_pause_ends_in_the_future_and_within_thirty_days(until):
    """A longer one is a change of the opening hours."""
    pause = PauseOrdering(until=until, reason="", at=FRIDAY_EVENING)
    given(*OPENED).when(pause).refused(InvalidRestaurant, field="until")


def test_each_publication_of_another_menu_has_the_next_version():
    """Publishing the menu in force again changes nothing."""
    small = menu_with(COLA)
    given(REGISTERED).when(PublishMenu(menu=MENU)).then(PUBLISHED)
    given(*OPENED).when(PublishMenu(menu=MENU)).nothing()
    given(*OPENED).when(PublishMenu(menu=small)).then(MenuPublished(menu_version=2, menu=small))
    back = (*OPENED, MenuPublished(menu_version=2, menu=small))
    given(*back).when(PublishMenu(menu=MENU)).then(MenuPublished(menu_version=3, menu=MENU))


GROUP = OptionGroup(
    name="size", choose_min=0, choose_max=1, options=(MenuOption(option="big", name="Big", price=eur("1.00")),)
)
ITEM = "sections[0].items[0]"


@pytest.mark.parametrize(
    ("menu", "field"),
    [
        (Menu(sections=()), "sections"),
        (Menu(sections=(Section(name="Empty", items=()),)), "sections"),
        (Menu(sections=(Section(name="", items=(COLA,)),)), "sections[0].name"),
        (
            Menu(sections=(Section(name="A", items=(COLA,)), Section(name="B", items=(COLA,)))),
            "sections[1].items[0].sku",
        ),
        (Menu(sections=(Section(name="A", items=(COLA,) * (ITEMS_MAX + 1)),)), "sections"),
        (menu_with(replace(COLA, sku=Sku("a b"))), f"{ITEM}.sku"),
        (menu_with(replace(COLA, name="")), f"{ITEM}.name"),
        (menu_with(replace(COLA, price=eur("-0.01"))), f"{ITEM}.price"),
        (menu_with(replace(COLA, price=Money(300, "JPY"))), f"{ITEM}.price"),
        (menu_with(replace(COLA, tax_class="luxury")), f"{ITEM}.tax_class"),
        (menu_with(replace(COLA, description="x" * 2_001)), f"{ITEM}.description"),
        (menu_with(replace(COLA, groups=(GROUP, GROUP))), f"{ITEM}.groups[1].name"),
        (menu_with(replace(COLA, groups=(GROUP, replace(GROUP, name="other")))), f"{ITEM}.groups[1].options[0].option"),
        (menu_with(replace(COLA, groups=(replace(GROUP, options=()),))), f"{ITEM}.groups[0].options"),
        (menu_with(replace(COLA, groups=(replace(GROUP, choose_min=2),))), f"{ITEM}.groups[0].choose_max"),
        (menu_with(replace(COLA, groups=(replace(GROUP, choose_max=0),))), f"{ITEM}.groups[0].choose_max"),
        (menu_with(replace(COLA, groups=(replace(GROUP, choose_max=21),))), f"{ITEM}.groups"),
    ],
)
def test_a_menu_that_breaks_a_rule_is_refused_with_the_path_of_the_field(menu, field):
    """Nothing of it is published."""
    given(*OPENED).when(PublishMenu(menu=menu)).refused(InvalidMenu, field=field)


@pytest.mark.parametrize("option", ["", "burrata"])
def test_an_item_or_an_option_is_sold_out_until_it_is_back(option):
    """Marking it twice changes nothing, and a new menu does not bring it back."""
    sold_out, back = SoldOut(sku=PIZZA.sku, option=option), BackInStock(sku=PIZZA.sku, option=option)
    mark, unmark = MarkSoldOut(sku=PIZZA.sku, option=option), MarkBackInStock(sku=PIZZA.sku, option=option)
    given(*OPENED).when(mark).then(sold_out)
    given(*OPENED, sold_out).when(mark).nothing()
    given(*OPENED, sold_out).when(unmark).then(back)
    given(*OPENED).when(unmark).nothing()
    republished = MenuPublished(menu_version=2, menu=menu_with(PIZZA))
    given(*OPENED, sold_out, republished).when(mark).nothing()


@pytest.mark.parametrize(("sku", "option"), [("steak", ""), ("pizza", "caviar"), ("cola", "burrata")])
def test_only_what_is_on_the_menu_can_be_marked_sold_out(sku, option):
    """The refusal names what is missing."""
    given(*OPENED).when(MarkSoldOut(sku=Sku(sku), option=option)).refused(UnknownItem, sku=sku, option=option)


def test_a_restaurant_takes_no_orders_before_it_has_a_menu():
    """There is nothing to order."""
    assert not restaurant(REGISTERED).takes_orders(FRIDAY_EVENING)
    assert restaurant(REGISTERED).opens_at(FRIDAY_EVENING) is None
    assert restaurant(*OPENED).takes_orders(FRIDAY_EVENING)
