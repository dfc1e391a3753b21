"""A restaurant whose menu, stock and opening change while orders come, and the rule that its prices obey.

Its currency, fees and tax classes are drawn once a world. The items, and the options that they have, stay the same; the
prices and the tax classes of the items change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from domain.catalogue.events import Profile, ServiceFee, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.catalogue.restaurant import Restaurant, evolve_restaurant, initial_restaurant
from domain.identifiers import Actor, RestaurantId, Role, Sku
from domain.money import Money, total
from domain.order.events import Line, OrderPlaced
from domain.order.order import Order
from workflows.catalogue.restaurants import change_restaurant, load_restaurant, published_menu
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream, restaurant_stream
from workflows.orders.command_handling import Caller
from workflows.orders.json_values import money_json
from workflows.simulation.baskets import CURRENCIES, drawn_price
from workflows.simulation.world import World

RESTAURANT = RestaurantId("rst_1")
CHANGES = 20
"""Changes in a world, about one a minute: as many as orders are placed in."""

SIZES = ("large", "small")
TAX_CLASSES = (
    TaxClass(name="food", rate_bp=1_000),
    TaxClass(name="drinks", rate_bp=2_000),
    TaxClass(name="free", rate_bp=0),
)

_OPTIONS: dict[Sku, tuple[str, ...]] = {Sku("pizza"): (*SIZES, "burrata", "olives"), Sku("salad"): (), Sku("water"): ()}
"""The options of each item: a pizza has one size, and up to two extras."""

_PLACES = [(sku, option) for sku, options in _OPTIONS.items() for option in ("", *options)]
"""Everything that can be sold out: items, and their options."""


class SimulatedRestaurant:
    """Opens at once, and then changes at random. At the end everything can be ordered."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"menus {seed}")
        self._currency = currency_of(seed)
        self._change(RegisterRestaurant(restaurant=RESTAURANT, profile=_drawn_profile(seed)))
        self._change(PublishMenu(menu=self._menu()))
        world.scheduler.spawn(self._changes)

    def _changes(self) -> None:
        for _ in range(CHANGES):
            self._world.scheduler.pause(self._random.expovariate(1 / 60))
            self._change(self._random_command())
        for sku, option in _PLACES:
            self._change(MarkBackInStock(sku=sku, option=option))
        self._change(ResumeOrdering(at=self._world.scheduler.now()))

    def _random_command(self) -> CatalogueCommand:
        now, (sku, option) = self._world.scheduler.now(), self._random.choice(_PLACES)
        return self._random.choice(
            (
                PublishMenu(menu=self._menu()),
                MarkSoldOut(sku=sku, option=option),
                MarkBackInStock(sku=sku, option=option),
                PauseOrdering(until=None, reason="busy", at=now),
                ResumeOrdering(at=now),
            )
        )

    def _menu(self) -> Menu:
        return Menu(sections=(Section(name="All", items=tuple(self._item(sku) for sku in _OPTIONS)),))

    def _item(self, sku: Sku) -> MenuItem:
        sizes = [self._option(name) for name in _OPTIONS[sku] if name in SIZES]
        extras = [self._option(name) for name in _OPTIONS[sku] if name not in SIZES]
        groups = (
            OptionGroup(name="Size", choose_min=1, choose_max=1, options=tuple(sizes)),
            OptionGroup(name="Extras", choose_min=0, choose_max=2, options=tuple(extras)),
        )
        return MenuItem(
            sku=sku,
            name=sku.title(),
            price=Money(self._random.randrange(100, 2_000), self._currency),
            tax_class=self._random.choice(TAX_CLASSES).name,
            groups=groups if sizes else (),
        )

    def _option(self, name: str) -> MenuOption:
        return MenuOption(option=name, name=name, price=drawn_price(self._random, self._currency, 300))

    def _change(self, command: CatalogueCommand) -> None:
        caller = Caller(Actor(Role.RESTAURANT, RESTAURANT), "menus", "menus")
        change_restaurant(self._world.log, RESTAURANT, command, caller)


def currency_of(seed: int) -> str:
    """Return the currency of a world's restaurant."""
    return Random(f"currency of {seed}").choice(CURRENCIES)


def drawn_selection(random: Random, seed: int) -> dict[str, Any]:
    """Draw what a customer orders from the menu of a world: the items and the tip of the body of ``POST /orders``."""
    skus = random.sample(tuple(_OPTIONS), random.randint(1, len(_OPTIONS)))
    return {
        "items": [
            {"sku": sku, "quantity": random.randint(1, 3), "options": _drawn_options(random, sku)} for sku in skus
        ],
        "tip": money_json(drawn_price(random, currency_of(seed), 500)),
    }


def _drawn_options(random: Random, sku: Sku) -> list[str]:
    sizes = [name for name in _OPTIONS[sku] if name in SIZES]
    extras = [name for name in _OPTIONS[sku] if name not in SIZES]
    return random.sample(sizes, min(len(sizes), 1)) + random.sample(extras, random.randint(0, len(extras)))


def price_violations(log: EventLog, order: Order) -> Iterator[str]:
    """Check that an order from a menu costs what that version of the menu says, with the fees of the restaurant."""
    placed = order.placed
    if placed is None or placed.menu_version is None:
        return
    menu = published_menu(log, placed.restaurant, placed.menu_version)
    profile = load_restaurant(log, RESTAURANT).profile
    assert profile is not None, "it took an order"
    items = total((_price(menu, line) for line in placed.lines), profile.currency)
    if total((line.total for line in placed.lines), profile.currency) != items:
        yield f"{order.order_id}: its items do not cost {items}, as version {placed.menu_version} of the menu says"
    is_free = profile.free_delivery_from is not None and items >= profile.free_delivery_from
    delivery_fee = Money.zero(profile.currency) if is_free else profile.delivery_fee
    if placed.delivery_fee != delivery_fee:
        yield f"{order.order_id}: its delivery does not cost {delivery_fee}"
    if not _is_service_fee(profile.service_fee, items, placed.service_fee):
        yield f"{order.order_id}: {placed.service_fee} is not the service fee for {items}"
    taxes = {tax.name: tax.rate_bp for tax in profile.tax_classes}
    for line in placed.lines:
        item = menu.item(line.sku)
        if item is None or (line.tax_class, line.tax_rate_bp) != (item.tax_class, taxes[item.tax_class]):
            yield f"{order.order_id}: {line.sku} has not the tax class that the menu says"


def _price(menu: Menu, line: Line) -> Money:
    """Return what a line costs by the menu. Options have their ids as names."""
    item = menu.item(line.sku)
    assert item is not None, "it was ordered from this menu"
    options = {option.option: option.price for group in item.groups for option in group.options}
    return total((item.price, *(options[option.name] for option in line.options)), item.price.currency) * line.quantity


def _is_service_fee(fee: ServiceFee | None, items: Money, charged: Money) -> bool:
    """Whether the fee is the share of the items to the nearest minor unit, or the bound that the share exceeds."""
    if fee is None:
        return not charged
    share = items.minor * fee.rate_bp
    if share <= fee.least.minor * 10_000:
        return charged == fee.least
    if share >= fee.most.minor * 10_000:
        return charged == fee.most
    return 2 * abs(charged.minor * 10_000 - share) <= 10_000


def placing_violations(log: EventLog, changes: Sequence[FeedEntry], order: Order, asked_at: int) -> Iterator[str]:
    """Check that the restaurant took such an order at some moment between the request and the order's first commit.

    An item that was sold out, or a restaurant that was paused, all that time must refuse it. A change within that time
    may come before or after it.

    Args:
        changes: All commits of the log, read once for all orders.
        asked_at: The position of the newest commit when the request was first sent.
    """
    placed = order.placed
    if placed is None or placed.menu_version is None:
        return
    stream, restaurant, is_allowed = restaurant_stream(placed.restaurant), initial_restaurant(placed.restaurant), False
    for entry in changes:
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
    ordered = {(line.sku, name) for line in placed.lines for name in ("", *(option.name for option in line.options))}
    is_sold_out = bool(ordered & restaurant.sold_out)
    return restaurant.menu_version == placed.menu_version and restaurant.pause is None and not is_sold_out


def _drawn_profile(seed: int) -> Profile:
    """Draw currency and fees. The minimum is zero, so that every order is taken in the end."""
    random, currency = Random(f"profile of {seed}"), currency_of(seed)
    service_fee = ServiceFee(rate_bp=random.randrange(1, 1_500), least=Money(50, currency), most=Money(300, currency))
    return Profile(
        name="Trattoria",
        address="8 rue Oberkampf, Paris",
        currency=currency,
        time_zone="Europe/Paris",
        opening_hours=tuple(OpeningPeriod(weekday=day, opens=time(0), closes=time(0)) for day in range(7)),
        tax_classes=TAX_CLASSES,
        fee_tax_class=random.choice(TAX_CLASSES).name,
        minimum_order=Money.zero(currency),
        delivery_fee=drawn_price(random, currency, 500),
        free_delivery_from=random.choice((None, Money(random.randrange(1_000, 5_000), currency))),
        service_fee=random.choice((None, service_fee)),
        preparation_min=20,
        cuisines=(),
    )
