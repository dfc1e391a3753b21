"""A restaurant whose menu, stock and opening change while orders come, and the rule that its prices obey."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from random import Random
from typing import Any

from domain.catalogue.commands import (
    CatalogueCommand,
    MarkBackInStock,
    MarkSoldOut,
    PauseOrdering,
    PublishMenu,
    RegisterRestaurant,
    ResumeOrdering,
)
from domain.catalogue.events import Profile, TaxClass
from domain.catalogue.menu import Menu, MenuItem, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.restaurant import Restaurant, evolve_restaurant, initial_restaurant
from domain.identifiers import Actor, RestaurantId, Role, Sku
from domain.money import Money, total
from domain.order.events import OrderPlaced
from domain.order.order import Order
from workflows.catalogue.restaurants import change_restaurant, load_restaurant, published_menu
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream, restaurant_stream
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.orders.command_handling import Caller
from workflows.simulation.world import World

RESTAURANT = RestaurantId("rst_1")
CHANGES = 20
"""Changes in a world, about one a minute: as many as orders are placed in."""

_EUR = "EUR"
_SKUS = (Sku("pizza"), Sku("water"))


class SimulatedRestaurant:
    """Opens at once, and then changes at random. At the end everything can be ordered."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"menus {seed}")
        self._change(RegisterRestaurant(restaurant=RESTAURANT, profile=_profile()))
        self._change(PublishMenu(menu=self._menu()))
        world.scheduler.spawn(self._changes)

    def _changes(self) -> None:
        for _ in range(CHANGES):
            self._world.scheduler.pause(self._random.expovariate(1 / 60))
            self._change(self._random_command())
        for sku in _SKUS:
            self._change(MarkBackInStock(sku=sku, option=""))
        self._change(ResumeOrdering(at=self._world.scheduler.now()))

    def _random_command(self) -> CatalogueCommand:
        now, sku = self._world.scheduler.now(), self._random.choice(_SKUS)
        return self._random.choice(
            (
                PublishMenu(menu=self._menu()),
                MarkSoldOut(sku=sku, option=""),
                MarkBackInStock(sku=sku, option=""),
                PauseOrdering(until=None, reason="busy", at=now),
                ResumeOrdering(at=now),
            )
        )

    def _menu(self) -> Menu:
        items = tuple(
            MenuItem(sku=sku, name=sku.title(), price=Money(self._random.randrange(100, 2_000), _EUR), tax_class="food")
            for sku in _SKUS
        )
        return Menu(sections=(Section(name="All", items=items),))

    def _change(self, command: CatalogueCommand) -> None:
        caller = Caller(Actor(Role.RESTAURANT, RESTAURANT), "menus", "menus")
        change_restaurant(self._world.log, RESTAURANT, command, caller)


def price_violations(log: EventLog, order: Order) -> Iterator[str]:
    """Check that an order from a menu costs what that version of the menu says, with the fees of the restaurant."""
    placed = order.placed
    if placed is None or placed.menu_version is None:
        return
    menu, profile = (
        published_menu(log, placed.restaurant, placed.menu_version),
        load_restaurant(log, RESTAURANT).profile,
    )
    assert profile is not None, "it took an order"
    prices = {item.sku: item.price for section in menu.sections for item in section.items}
    items = total((prices[line.sku] * line.quantity for line in placed.lines), profile.currency)
    if total((line.total for line in placed.lines), profile.currency) != items:
        yield f"{order.order_id}: its items do not cost {items}, as version {placed.menu_version} of the menu says"
    if placed.delivery_fee != profile.delivery_fee:
        yield f"{order.order_id}: its delivery does not cost {profile.delivery_fee}"


def placing_violations(log: InMemoryEventLog, order: Order, asked_at: int) -> Iterator[str]:
    """Check that the restaurant took such an order at some moment between the request and the order's first commit.

    An item that was sold out, or a restaurant that was paused, all that time must refuse it. A change within that time
    may come before or after it.

    Args:
        asked_at: The position of the newest commit when the request was first sent.
    """
    placed = order.placed
    if placed is None or placed.menu_version is None:
        return
    stream, restaurant, is_allowed = restaurant_stream(placed.restaurant), initial_restaurant(placed.restaurant), False
    for entry in log.changes(0, log.newest()):
        if entry.position > asked_at:
            is_allowed = is_allowed or _takes(restaurant, placed)
        if entry.commit.pk == order_stream(order.order_id):
            break
        if entry.commit.pk == stream:
            events: Any = tuple(recorded.event for recorded in log.events(entry.commit))
            restaurant = evolve_restaurant(restaurant, events)
    if not is_allowed:
        yield f"{order.order_id}: at no moment of its request the restaurant took such an order"


def _takes(restaurant: Restaurant, placed: OrderPlaced) -> bool:
    is_sold_out = any((line.sku, "") in restaurant.sold_out for line in placed.lines)
    return restaurant.menu_version == placed.menu_version and restaurant.pause is None and not is_sold_out


def _profile() -> Profile:
    return Profile(
        name="Trattoria",
        address="8 rue Oberkampf, Paris",
        currency=_EUR,
        time_zone="Europe/Paris",
        opening_hours=tuple(OpeningPeriod(weekday=day, opens=time(0), closes=time(0)) for day in range(7)),
        tax_classes=(TaxClass(name="food", rate_bp=1_000),),
        fee_tax_class="food",
        minimum_order=Money.zero(_EUR),
        delivery_fee=Money(300, _EUR),
        free_delivery_from=None,
        service_fee=None,
        preparation_min=20,
        cuisines=(),
    )
