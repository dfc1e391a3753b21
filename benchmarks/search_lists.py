"""The lists that ``benchmarks.search`` reads, each with other parameters at every read."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import Connection

from benchmarks.search_rows import SECONDS_APART, Rows, at
from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order.order import Status
from workflows.orders.visibility import Audience
from workflows.search.boards import list_offers, list_tickets
from workflows.search.event_list import list_events
from workflows.search.filters import BoardFilter, BucketSize, EventFilter, OrderFilter, OrderSort, StatsFilter
from workflows.search.order_list import list_orders
from workflows.search.order_query import OrderQuery
from workflows.search.stats import statistics as order_statistics
from workflows.settings import read
from workflows.time_budgets import Awaiting, read_budgets

SUPPORT = Actor(Role.SUPPORT, "sue")
BUDGETS = read({}, read_budgets)
LIMIT = 50

PageRead: TypeAlias = Callable[[Connection, random.Random], object]
"""Reads a page of a list."""


def lists(rows: Rows) -> dict[str, PageRead]:
    """Return each list by its name."""
    of = _Lists(rows)
    orders, events = of.orders, of.events
    return {
        "orders, all": orders(),
        "orders by status (completed)": orders(status=(Status.COMPLETED,)),
        "orders by three statuses": orders(status=(Status.PLACED, Status.PREPARING, Status.CANCELLED)),
        "orders by restaurant and minute": of.restaurant_and_minute,
        "orders by restaurant and status": orders(restaurant=rows.restaurant, status=(Status.CANCELLED,)),
        "orders by restaurant and a rare status": orders(restaurant=rows.restaurant, status=(Status.PREPARING,)),
        "orders by exact amount": of.one_amount,
        "orders above an amount": orders(amount_min=Money(8_000, "EUR")),
        "orders by exact amount, states and time": of.amount_and_more(exact=True),
        "orders above an amount, states and time": of.amount_and_more(exact=False),
        "orders by exact amount, as they changed": of.amount_and_more(exact=True, sort=OrderSort.CHANGED),
        "orders above an amount, as they changed": of.amount_and_more(exact=False, sort=OrderSort.CHANGED),
        "orders above an amount that wait": orders(amount_min=Money(8_000, "EUR"), sort=OrderSort.WAITING),
        "orders that wait": orders(waiting_for=Awaiting.READINESS, sort=OrderSort.WAITING),
        "orders overdue": orders(overdue=True),
        "orders parked, by cause": orders(cause="PaymentsUnavailable@payments"),
        "orders by payment reference": orders(payment_reference=lambda chance: f"auth_{of.number(chance)}"),
        "orders by the beginning of the id": orders(id_prefix=lambda chance: rows.id(of.number(chance))[:8]),
        "orders by the end of the id": orders(id_suffix=lambda chance: rows.id(of.number(chance))[-4:]),
        "orders changed since": orders(sort=OrderSort.CHANGED, changed_from=lambda c: at(of.number(c) * SECONDS_APART)),
        "orders by phone": orders(phone_index=of.phone_index),
        "orders by name": orders(name_words=of.name_words),
        "orders by a frequent first name": orders(name_words=rows.index.name("First000")),
        "orders by a rare first name": orders(name_words=rows.index.name("First499")),
        "orders of a customer": of.one_customer,
        "orders of a restaurant": of.one_restaurant,
        "orders of a courier": of.one_courier,
        "events, all": events(),
        "events by type": events(types=("OrderCancelled",)),
        "events by two types": events(types=("OrderCancelled", "OrderPlaced")),
        "events of people": events(people_only=True),
        "events by actor": events(actor=lambda c: f"cus_{c.randrange(rows.customers)}"),
        "events by restaurant and type": events(restaurant=rows.restaurant, types=("OrderCancelled",)),
        "events by trace": events(correlation=lambda c: f"trace-{of.number(c)}"),
        "tickets of a restaurant": of.tickets,
        "offers for a courier": of.offers,
        "statistics of an hour": of.statistics_of_an_hour,
    }


@dataclass(frozen=True)
class _Lists:
    """Reads of the rows of a benchmark. A parameter may be a function that draws its value."""

    rows: Rows

    def orders(self, actor: Actor = SUPPORT, sort: OrderSort = OrderSort.NEWEST, **wanted: Any) -> PageRead:
        """Return the read of a list of orders, half of the time with its second page."""

        def page(connection: Connection, chance: random.Random) -> object:
            query = OrderQuery(
                actor=actor,
                filter=OrderFilter(**_drawn(wanted, chance)),
                sort=sort,
                limit=LIMIT,
                cursor=None,
                now=at(self.rows.orders * SECONDS_APART),
                budgets=BUDGETS,
            )
            first = list_orders(connection, query)
            if first.next is not None and chance.random() < 0.5:
                list_orders(connection, replace(query, cursor=first.next))
            return first

        return page

    def events(self, **wanted: Any) -> PageRead:
        """Return the read of a list of events."""

        def page(connection: Connection, chance: random.Random) -> object:
            drawn = EventFilter(**_drawn(wanted, chance))
            return list_events(connection, drawn, Audience.SUPPORT, limit=LIMIT, cursor=None)

        return page

    def number(self, chance: random.Random) -> int:
        """Draw the number of an order."""
        return chance.randrange(self.rows.orders)

    def phone_index(self, chance: random.Random) -> str | None:
        """Draw the blind index of a customer's phone."""
        return self.rows.index.phone(f"+49171{chance.randrange(self.rows.customers):08}")

    def name_words(self, chance: random.Random) -> tuple[str, ...]:
        """Draw the blind indexes of a customer's first and last name."""
        return self.rows.index.name(self.rows.name(chance.randrange(self.rows.customers)))

    def restaurant_and_minute(self, connection: Connection, chance: random.Random) -> object:
        began = self.number(chance) * SECONDS_APART
        wanted: dict[str, Any] = {"placed_from": at(began), "placed_to": at(began + 60)}
        return self.orders(restaurant=self.rows.restaurant(chance), **wanted)(connection, chance)

    def one_amount(self, connection: Connection, chance: random.Random) -> object:
        exact = Money(chance.randrange(800, 9_000), "EUR")
        return self.orders(amount_min=exact, amount_max=exact)(connection, chance)

    def amount_and_more(self, *, exact: bool, sort: OrderSort = OrderSort.NEWEST) -> PageRead:
        """Return the read of orders with an amount, in some states, that were placed in the last tenth of the time."""
        wanted: dict[str, Any] = {
            "amount_min": Money(2_740 if exact else 5_000, "EUR"),
            "amount_max": Money(2_740, "EUR") if exact else None,
            "currency": "EUR",
            "status": (Status.COMPLETED, Status.CANCELLED),
            "placed_from": at(self.rows.orders * SECONDS_APART * 0.9),
        }
        return self.orders(sort=sort, **wanted)

    def one_customer(self, connection: Connection, chance: random.Random) -> object:
        return self.orders(Actor(Role.CUSTOMER, f"cus_{chance.randrange(self.rows.customers)}"))(connection, chance)

    def one_restaurant(self, connection: Connection, chance: random.Random) -> object:
        return self.orders(self._restaurant(chance))(connection, chance)

    def one_courier(self, connection: Connection, chance: random.Random) -> object:
        return self.orders(self._courier(chance))(connection, chance)

    def tickets(self, connection: Connection, chance: random.Random) -> object:
        return list_tickets(connection, self._restaurant(chance), BoardFilter(), limit=LIMIT, cursor=None)

    def offers(self, connection: Connection, chance: random.Random) -> object:
        return list_offers(connection, self._courier(chance), BoardFilter(), limit=LIMIT, cursor=None)

    def statistics_of_an_hour(self, connection: Connection, chance: random.Random) -> object:
        began = self.number(chance) * SECONDS_APART
        wanted = StatsFilter(placed_from=at(began), placed_to=at(began + 3_600), bucket=BucketSize.HOUR)
        return order_statistics(connection, SUPPORT, wanted)

    def _restaurant(self, chance: random.Random) -> Actor:
        return Actor(Role.RESTAURANT, self.rows.restaurant(chance))

    def _courier(self, chance: random.Random) -> Actor:
        return Actor(Role.COURIER, f"cou_{chance.randrange(self.rows.couriers)}")


def _drawn(wanted: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {name: value(chance) if callable(value) else value for name, value in wanted.items()}
