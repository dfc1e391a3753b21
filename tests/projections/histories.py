"""Histories of orders and restaurants for tests of the views, as a log returns them: every version of random plays."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

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
from domain.identifiers import SYSTEM, Actor, OrderId, Role
from domain.order.refusals import Rejected
from tests.domain.catalogue.trattoria import (
    FRIDAY_EVENING,
    MENU,
    PIZZA,
    PROFILE,
    TRATTORIA,
    eur,
    menu_with,
    profile_with,
)
from tests.domain.order.stories import ORDER_ID
from tests.domain.order.world import World, played
from tests.recorded import HandClock
from workflows.catalogue.restaurants import change_restaurant
from workflows.engine import EVENT_TYPES
from workflows.event_store import streams
from workflows.event_store.codec import Codec
from workflows.event_store.commits import History, NewCommit
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream, restaurant_stream
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.access import record_read
from workflows.orders.access_events import OrderShown
from workflows.orders.blind_index import KEY_BYTES, BlindIndex
from workflows.orders.command_handling import Caller
from workflows.projections.view import View

BLIND_INDEX = BlindIndex(b"k" * KEY_BYTES)


class OneOrderLog:
    """A log in memory with one order, and its history after each commit."""

    def __init__(self, world: World) -> None:
        self.keyring = InMemoryKeyRing()
        self.clock = HandClock()
        self.log: EventLog = InMemoryEventLog(Codec(self.keyring, EVENT_TYPES), self.clock)
        self.histories = list(self._appended(world))

    @property
    def newest(self) -> History:
        return self.histories[-1]

    def _appended(self, world: World):
        history = self.log.load(order_stream(ORDER_ID))
        yield history
        for number, sent in enumerate(each for each in world.sent if each.events):
            self.clock.advance(minutes=1)
            new = NewCommit(
                key=f"key-{number}",
                events=sent.events,
                actor=SYSTEM,
                correlation="test",
                causation="test",
                body_hash=str(number),
                subject="customer",
            )
            history = self.log.append(history, new)
            yield history


class OneRestaurantLog:
    """A log in memory with one restaurant, and its history after each change. Changes that are refused are left out."""

    def __init__(self, changes: Iterable[CatalogueCommand]) -> None:
        self.clock = HandClock()
        self.log: EventLog = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), self.clock)
        stream = restaurant_stream(TRATTORIA)
        self.histories = [self.log.load(stream)]
        for change in changes:
            self.clock.advance(minutes=1)
            with suppress(Rejected):
                change_restaurant(self.log, TRATTORIA, change, Caller(Actor(Role.SUPPORT, "sue"), "test", "test"))
            if (history := self.log.load(stream)).version > self.histories[-1].version:
                self.histories.append(history)

    @property
    def newest(self) -> History:
        return self.histories[-1]


OPENING: tuple[CatalogueCommand, ...] = (
    RegisterRestaurant(restaurant=TRATTORIA, profile=PROFILE),
    PublishMenu(menu=MENU),
)
CHANGES: tuple[CatalogueCommand, ...] = (
    *OPENING,
    ChangeRestaurant(profile=profile_with(name="Café Líná", cuisines=("Italian", "pizza|pasta"))),
    PauseOrdering(until=None, reason="busy", at=FRIDAY_EVENING),
    PauseOrdering(until=FRIDAY_EVENING + timedelta(minutes=30), reason="busy", at=FRIDAY_EVENING),
    ResumeOrdering(at=FRIDAY_EVENING),
    PublishMenu(menu=menu_with(PIZZA)),
    PublishMenu(menu=menu_with(replace(PIZZA, name="Pizza Bufala", price=eur("12.00")))),
    MarkSoldOut(sku=PIZZA.sku),
    MarkSoldOut(sku=PIZZA.sku, option="burrata"),
    MarkBackInStock(sku=PIZZA.sku),
)
"""Every command, in versions that change what is stored."""


Sample: TypeAlias = tuple[Any, bool, Iterable[CatalogueCommand]]
"""A play of an order as ``tests.domain.order.world`` makes it, whether reports contradict each other in it, and changes
of a restaurant."""


class OneReadLog:
    """A log in memory with one recorded read of two orders, and its histories: before it and after it."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.log: EventLog = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), self.clock)
        orders = [OrderShown(order_id=OrderId(f"ord_{number}"), customer="ada") for number in (1, 2)]
        caller = Caller(Actor(Role.SUPPORT, "sue"), "trace", "request")
        record_read(
            self.log, caller, route="GET", orders=orders, fields=["phone"], reason="case 1", at=self.clock.now()
        )
        (stream,) = {commit.pk for commit in self.log.scan()}
        self.newest = self.log.load(stream)
        self.histories = [self.log.load(f"{stream}0"), self.newest]


def log_of(view: View, sample: Sample) -> OneOrderLog | OneRestaurantLog | OneReadLog:
    """Return the part of a sample that a view is made of, as a log. A read has no other events than the one."""
    play, contradictory, changes = sample
    match view.category:
        case streams.ORDER:
            return OneOrderLog(played(play, contradictory=contradictory))
        case streams.RESTAURANT:
            return OneRestaurantLog(changes)
        case _:
            return OneReadLog()
