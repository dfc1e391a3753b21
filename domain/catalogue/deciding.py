"""``decide_restaurant``: turn a command and the state of a restaurant into events, or raise a refusal."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from domain.catalogue.checks import menu_problems, profile_problems
from domain.catalogue.commands import (
    CatalogueCommand,
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
    CatalogueEvent,
    MenuPublished,
    OrderingPaused,
    OrderingResumed,
    Profile,
    RestaurantChanged,
    RestaurantRegistered,
    SoldOut,
)
from domain.catalogue.refusals import (
    InvalidMenu,
    InvalidRestaurant,
    RestaurantAlreadyRegistered,
    RestaurantNotFound,
    UnknownItem,
)
from domain.catalogue.restaurant import Restaurant

PAUSE_MAX = timedelta(days=30)
"""The longest pause with an end. A longer one is a change of the opening hours, or a pause without an end."""


def decide_restaurant(command: CatalogueCommand, restaurant: Restaurant) -> tuple[CatalogueEvent, ...]:
    """Decide on a command.

    Returns:
        The events to append; empty if the command changes nothing.

    Raises:
        Rejected: The subclass names the broken rule. Append nothing.
    """
    if isinstance(command, RegisterRestaurant):
        return _register(command, restaurant)
    if restaurant.profile is None:
        raise RestaurantNotFound(restaurant.restaurant_id)
    match command:
        case ChangeRestaurant():
            return _change(command, restaurant, restaurant.profile)
        case PauseOrdering():
            return _pause(command, restaurant)
        case ResumeOrdering():
            return (OrderingResumed(),) if restaurant.is_paused(command.at) else ()
        case PublishMenu():
            return _publish(command, restaurant, restaurant.profile)
        case MarkSoldOut():
            return _mark_sold_out(command, restaurant)
        case MarkBackInStock():
            is_back = (command.sku, command.option) not in restaurant.sold_out
            return () if is_back else (BackInStock(sku=command.sku, option=command.option),)
        case _:
            assert_never(command)


def _register(command: RegisterRestaurant, restaurant: Restaurant) -> tuple[CatalogueEvent, ...]:
    if restaurant.profile == command.profile:
        return ()
    if restaurant.profile is not None:
        raise RestaurantAlreadyRegistered(restaurant.restaurant_id)
    _check_profile(command.profile)
    return (RestaurantRegistered(restaurant=command.restaurant, profile=command.profile),)


def _change(command: ChangeRestaurant, restaurant: Restaurant, profile: Profile) -> tuple[CatalogueEvent, ...]:
    if command.profile == profile:
        return ()
    _check_profile(command.profile)
    if command.profile.currency != profile.currency:
        raise InvalidRestaurant("currency", f"stays {profile.currency}: menus and orders have it")
    if restaurant.menu is not None:
        for field, problem in menu_problems(restaurant.menu, command.profile):
            raise InvalidRestaurant("tax_classes", f"the published menu would be invalid: {field} {problem}")
    return (RestaurantChanged(profile=command.profile),)


def _pause(command: PauseOrdering, restaurant: Restaurant) -> tuple[CatalogueEvent, ...]:
    if command.until is not None and not command.at < command.until <= command.at + PAUSE_MAX:
        raise InvalidRestaurant("until", f"must be in the future and at most {PAUSE_MAX.days} days ahead")
    is_same = (
        restaurant.is_paused(command.at) and restaurant.pause is not None and restaurant.pause.until == command.until
    )
    return () if is_same else (OrderingPaused(until=command.until, reason=command.reason),)


def _publish(command: PublishMenu, restaurant: Restaurant, profile: Profile) -> tuple[CatalogueEvent, ...]:
    if command.menu == restaurant.menu:
        return ()
    for field, problem in menu_problems(command.menu, profile):
        raise InvalidMenu(field, problem)
    return (MenuPublished(menu_version=restaurant.menu_version + 1, menu=command.menu),)


def _mark_sold_out(command: MarkSoldOut, restaurant: Restaurant) -> tuple[CatalogueEvent, ...]:
    item = None if restaurant.menu is None else restaurant.menu.item(command.sku)
    if item is None or (command.option and item.option(command.option) is None):
        raise UnknownItem(command.sku, command.option, restaurant.menu_version)
    if (command.sku, command.option) in restaurant.sold_out:
        return ()
    return (SoldOut(sku=command.sku, option=command.option),)


def _check_profile(profile: Profile) -> None:
    for field, problem in profile_problems(profile):
        raise InvalidRestaurant(field, problem)
