"""Menus: reads of a published menu at the function, from memory.

Twenty restaurants with menus of a hundred items are read in turn by one thread, from an event of API Gateway to the
response of the function. HTTP is not part of it (``benchmarks.latency``).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from datetime import time as clock_time
from statistics import median
from typing import Any

from benchmarks.options import options
from benchmarks.results import Row, at_least, publish
from domain.catalogue.commands import PublishMenu, RegisterRestaurant
from domain.catalogue.events import Profile, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.identifiers import Actor, RestaurantId, Role, Sku
from domain.money import Money
from handlers.catalogue_api import handler
from workflows.catalogue.restaurants import change_restaurant
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES, Engine, assemble, serving
from workflows.event_store.codec import Codec
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller

RESTAURANTS = [RestaurantId(f"restaurant-{number}") for number in range(20)]
ITEMS = 100
MIDNIGHT = clock_time(0)

ROUTE = "/restaurants/{restaurant_id}/menus/{menu_version}"


def main() -> None:
    chosen = options(__doc__)
    engine = _engine()
    reads, rounds = chosen.size(5_000, 500), chosen.size(7, 3)
    with serving(engine, {}):
        first = {restaurant: handler(_event(restaurant, {}), None) for restaurant in RESTAURANTS}
        plain = [_event(restaurant, {}) for restaurant in RESTAURANTS]
        compressed = [_event(restaurant, {"accept-encoding": "gzip"}) for restaurant in RESTAURANTS]
        known = [_event(each, {"if-none-match": first[each]["headers"]["ETag"]}) for each in RESTAURANTS]
        rows = [
            Row(
                name=name,
                value=_per_second(events, reads, rounds),
                unit="/s",
                target=at_least(5_000, of="value"),
                detail={"bytes": len(first[RESTAURANTS[0]]["body"].encode())},
            )
            for name, events in (
                ("a menu of 100 items", plain),
                ("a menu of 100 items, compressed", compressed),
                ("a menu that the caller has: 304", known),
            )
        ]
    publish("menus", rows, quick=chosen.quick, as_json=chosen.json)


def _per_second(events: Sequence[dict[str, Any]], reads: int, rounds: int) -> float:
    """Return the median of the rounds."""
    return median(
        _timed(lambda: [handler(event, None) for event in itertools.islice(itertools.cycle(events), reads)], reads)
        for _ in range(rounds)
    )


def _timed(read_all: Callable[[], object], reads: int) -> float:
    began = time.perf_counter()
    read_all()
    return reads / (time.perf_counter() - began)


def _event(restaurant: str, headers: dict[str, str]) -> dict[str, Any]:
    path = ROUTE.format(restaurant_id=restaurant, menu_version=1)
    return {
        "version": "2.0",
        "routeKey": f"GET {ROUTE}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "localhost", **headers},
        "pathParameters": {"restaurant_id": restaurant, "menu_version": "1"},
        "requestContext": {"http": {"method": "GET", "path": path}, "requestId": "bench"},
        "isBase64Encoded": False,
    }


def _engine() -> Engine:
    log = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), SystemClock())
    caller = Caller(Actor(Role.SUPPORT, "bench"), "bench", "bench")
    for restaurant in RESTAURANTS:
        change_restaurant(log, restaurant, RegisterRestaurant(restaurant=restaurant, profile=_profile()), caller)
        change_restaurant(log, restaurant, PublishMenu(menu=_menu()), caller)
    gateways: Any = None  # these reads call none
    return assemble(
        log=log,
        documents=InMemoryDocuments(),
        executions=gateways,
        payments=gateways,
        kitchen=gateways,
        couriers=gateways,
        clock=SystemClock(),
    )


def _profile() -> Profile:
    return Profile(
        name="Trattoria",
        address="Torstrasse 1, Berlin",
        currency="EUR",
        time_zone="Europe/Berlin",
        opening_hours=tuple(OpeningPeriod(weekday=day, opens=MIDNIGHT, closes=MIDNIGHT) for day in range(7)),
        tax_classes=(TaxClass(name="food", rate_bp=700),),
        fee_tax_class="food",
        minimum_order=Money.zero("EUR"),
        delivery_fee=Money(290, "EUR"),
        free_delivery_from=None,
        service_fee=None,
        preparation_min=20,
    )


def _menu() -> Menu:
    sizes = OptionGroup(
        name="Size",
        choose_min=1,
        choose_max=1,
        options=tuple(
            MenuOption(option=size, name=size.capitalize(), price=Money(200 * number, "EUR"))
            for number, size in enumerate(("small", "normal", "large"))
        ),
    )
    items = [
        MenuItem(
            sku=Sku(f"item-{number}"),
            name=f"Pizza of the house number {number}",
            price=Money(900 + number, "EUR"),
            tax_class="food",
            description="Tomatoes, mozzarella di bufala, basil and olive oil, from the stone oven",
            groups=(sizes,),
        )
        for number in range(ITEMS)
    ]
    return Menu(
        sections=tuple(
            Section(name=f"Part {start}", items=tuple(items[start : start + 10])) for start in range(0, ITEMS, 10)
        )
    )


if __name__ == "__main__":
    main()
