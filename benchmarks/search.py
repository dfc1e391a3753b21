"""How fast lists of orders, events and boards are with many orders stored, on SQLite and on PostgreSQL.

    python -m benchmarks.search

The rows are generated: most orders are completed, a thousandth is open, a few are parked; a fifth of all orders is of a
hundredth of the restaurants. Each list is read in pages of 50, with other parameters each time. ``--url`` names a
database to fill once and to measure again; ``--plans`` prints how the database reads each list.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, event, select

from benchmarks.results import Row, at_most, publish
from domain.identifiers import Actor, Role, order_id_for
from domain.money import Money
from domain.order.order import Status
from tests.sql.postgres import NoPostgres, postgres_server
from workflows.clock import SystemClock
from workflows.orders.blind_index import KEY_BYTES, BlindIndex
from workflows.orders.visibility import Audience
from workflows.projections.events import EVENTS
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore, build_table
from workflows.projections.tickets import TICKETS
from workflows.projections.views import all_views
from workflows.search.boards import list_offers, list_tickets
from workflows.search.event_list import list_events
from workflows.search.filters import BoardFilter, BucketSize, EventFilter, OrderFilter, OrderSort, StatsFilter
from workflows.search.order_list import OrderQuery, list_orders
from workflows.search.stats import statistics as order_statistics
from workflows.settings import read
from workflows.sql.database import SqlDatabase
from workflows.sql.schema import analyze, create_indexes, create_without_indexes, drop, exists, swap
from workflows.time_budgets import Awaiting, read_budgets

BATCH = 5_000
"""Orders that are stored in one transaction."""

SUPPORT = Actor(Role.SUPPORT, "sue")
BUDGETS = read({}, read_budgets)
SECONDS_APART = 2  # a million orders are 23 days
BASE_S = 1_770_000_000
LIMIT = 50


def at(second: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BASE_S + second)) + ".000000Z"


class Rows:
    """The rows of order ``number`` of ``orders``, by a seed of its own."""

    def __init__(self, orders: int) -> None:
        self.orders = orders
        self.restaurants = max(10, orders // 500)
        self.customers = max(10, orders // 10)
        self.couriers = max(10, orders // 1000)
        self.index = BlindIndex(b"k" * KEY_BYTES)

    def id(self, number: int) -> str:
        return order_id_for("benchmark", str(number))

    def restaurant(self, chance: random.Random) -> str:
        few = chance.random() < 0.2
        return f"rst_{chance.randrange(max(1, self.restaurants // 100) if few else self.restaurants)}"

    def order(self, number: int) -> dict[str, Any]:
        chance = random.Random(number)
        placed = number * SECONDS_APART
        is_open = number % 1000 == 0 or number > self.orders - 200
        parked = number % 5000 == 0
        status = "preparing" if is_open else "cancelled" if chance.random() < 0.08 else "completed"
        total = chance.randrange(800, 9_000)
        waits = is_open and not parked
        phone = f"+49171{number % self.customers:08}"
        length = chance.randrange(1_000, 3_000_000)
        stages = {name: length * (part + 1) // 8 for part, name in enumerate(_STAGES)}
        times = dict.fromkeys(_TIMES, at(placed + 60))
        return {
            **_NOTHING,
            **stages,
            **times,
            "order_id": self.id(number),
            "version": 14,
            "status": status,
            "run_state": "parked" if parked else "running" if is_open else "ended",
            "run": 1,
            "customer": f"cus_{number % self.customers}",
            "restaurant": self.restaurant(chance),
            "courier": f"cou_{chance.randrange(self.couriers)}",
            "currency": "EUR",
            "total_minor": total,
            "at_stake_minor": 0,
            "authorized_minor": total,
            "captured_minor": total,
            "refunded_minor": 0,
            "credited_minor": 0,
            "authorization_id": f"auth_{number}",
            "capture_id": f"cap_{number}",
            "placed_at": at(placed),
            "changed_at": at(placed + 2_400),
            "waiting_for": chance.choice(["readiness", "assignment"]) if waits else None,
            "waiting_since": at(placed + 60) if waits else None,
            "parked_error": "PaymentsUnavailable" if parked else None,
            "parked_cause": "PaymentsUnavailable@payments" if parked else None,
            "dependency": "payments" if parked else None,
            "parked_since": at(placed + 60) if parked else None,
            "offers": 1,
            "approvals": 0,
            "phone_index": self.index.phone(phone),
            "email_index": None,
            "name_index": self.index.name(f"customer {number % self.customers}"),
            "id_reversed": self.id(number).removeprefix("ord_")[::-1],
            "head": "0" * 64,
        }

    def events(self, number: int, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for version, (kind, role, actor) in enumerate(_EVENTS, start=1):
            yield {
                "order_id": order["order_id"],
                "version": version,
                "type": "OrderCancelled" if version == len(_EVENTS) and order["status"] == "cancelled" else kind,
                "schema": 1,
                "recorded_at": at(number * SECONDS_APART + version),
                "actor_role": role,
                "actor_id": order[actor] if actor else "expediter",
                "correlation": f"trace-{number}",
                "causation": f"trace-{number}",
                "commit_version": version,
                "key": f"key-{number}-{version}",
                "hash": "0" * 64,
                "customer": order["customer"],
                "restaurant": order["restaurant"],
                "reference": order["authorization_id"] if kind == "PaymentAuthorized" else None,
                "data": "{}",
            }

    def ticket(self, order: dict[str, Any]) -> dict[str, Any]:
        is_open = order["run_state"] != "ended"
        return {
            **{column.name: None for column in TICKETS.columns},
            **{name: order[name] for name in ("order_id", "version", "restaurant", "placed_at", "courier")},
            "ticket": 3,
            "state": "accepted" if is_open else "collected",
            "open": int(is_open),
            "order_status": order["status"],
            "sent_at": order["authorized_at"],
            "lines": json.dumps(
                [{"line": 1, "sku": "pizza", "name": "Pizza", "quantity": 1, "ordered": 1, "options": []}]
            ),
        }

    def offer(self, order: dict[str, Any]) -> dict[str, Any]:
        is_open = order["run_state"] != "ended"
        return {
            **{column.name: None for column in OFFERS.columns},
            **{name: order[name] for name in ("order_id", "version", "restaurant")},
            "courier": None if is_open else order["courier"],
            "offer": 5,
            "attempt": 1,
            "state": "requested" if is_open else "delivered",
            "open": int(is_open),
            "made_to": "",
            "declined_by": "",
            "order_status": order["status"],
            "placed_at": order["placed_at"],
            "offered_at": order["accepted_at"],
        }


_NOTHING = dict.fromkeys(ORDERS.columns.keys())
_STAGES = [name for name in list(_NOTHING) if name.endswith("_ms")]
_TIMES = [name for name in list(_NOTHING) if name.endswith("_at")]
_EVENTS = (
    ("OrderPlaced", "customer", "customer"),
    ("PaymentAuthorized", "system", ""),
    ("PreparationAccepted", "restaurant", "restaurant"),
    ("OrderCompleted", "system", ""),
)


def fill(database: SqlDatabase, rows: Rows, cores: int) -> None:
    """Store the rows, then make the indexes, as a rebuild does. Other processes generate the rows."""
    began_s = time.monotonic()
    store = ViewStore(database, all_views(rows.index), SystemClock())
    store.prepare()
    tables = {name: build_table(view, 1) for name, view in store.views.items()}
    with store.writing() as connection:
        for table in tables.values():
            drop(connection, table.name)  # of a run that was stopped
            create_without_indexes(connection, table)
    firsts = range(0, rows.orders, BATCH)
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for number, batch in enumerate(pool.imap(partial(_batch, rows), firsts), start=1):
            with store.writing() as connection:
                for name, table in tables.items():
                    _insert(connection, table, batch.get(name, []))
            if number % 20 == 0:
                print(f"  {number * BATCH} orders after {time.monotonic() - began_s:.0f} s", flush=True)
    print(f"  stored after {time.monotonic() - began_s:.0f} s", flush=True)
    for name, table in tables.items():
        for index in table.indexes:
            with store.writing() as connection:
                create_indexes(connection, table, only=index)
        with store.writing() as connection:
            swap(connection, table.name, name)
            store.set_built(connection, store.views[name], generation=1)
            analyze(connection, name)
    print(f"  indexed after {time.monotonic() - began_s:.0f} s", flush=True)


Batch: TypeAlias = dict[str, list[tuple[str | int | None, ...]]]


def _batch(rows: Rows, first: int) -> Batch:
    """Generate the rows of some orders, by table, with their values in the order of its columns."""
    batch: Batch = {name: [] for name in _VALUES}
    for number in range(first, min(first + BATCH, rows.orders)):
        order = rows.order(number)
        batch["orders"].append(_VALUES["orders"](order))
        batch["events"] += map(_VALUES["events"], rows.events(number, order))
        batch["tickets"].append(_VALUES["tickets"](rows.ticket(order)))
        batch["offers"].append(_VALUES["offers"](rows.offer(order)))
    return batch


_VALUES = {
    table.name: itemgetter(*(column.name for column in table.columns)) for table in (ORDERS, EVENTS, TICKETS, OFFERS)
}


def _insert(connection: Connection, table: Table, rows: list[tuple[str | int | None, ...]]) -> None:
    names = ", ".join(column.name for column in table.columns)
    cursor: Any = connection.connection.cursor()
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" for _ in table.columns)
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
        return
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def lists(rows: Rows) -> dict[str, Callable[[Connection, random.Random], object]]:
    """Return each list with a function that reads a page of it, with other parameters each time."""
    end = rows.orders * SECONDS_APART

    def orders(actor: Actor = SUPPORT, sort: OrderSort = OrderSort.NEWEST, **wanted: Any) -> Any:
        def page(connection: Connection, chance: random.Random) -> object:
            made = {name: value(chance) if callable(value) else value for name, value in wanted.items()}
            query = OrderQuery(
                actor=actor,
                filter=OrderFilter(**made),
                sort=sort,
                limit=LIMIT,
                cursor=None,
                now=at(end),
                budgets=BUDGETS,
            )
            found = list_orders(connection, query)
            if found.next is not None and chance.random() < 0.5:  # half of the reads are of a second page
                query = OrderQuery(
                    actor=actor,
                    filter=OrderFilter(**made),
                    sort=sort,
                    limit=LIMIT,
                    cursor=found.next,
                    now=at(end),
                    budgets=BUDGETS,
                )
                list_orders(connection, query)
            return found

        return page

    def events(**wanted: Any) -> Any:
        def page(connection: Connection, chance: random.Random) -> object:
            made = {name: value(chance) if callable(value) else value for name, value in wanted.items()}
            return list_events(connection, EventFilter(**made), Audience.SUPPORT, limit=LIMIT, cursor=None)

        return page

    def number(chance: random.Random) -> int:
        return chance.randrange(rows.orders)

    def amount(chance: random.Random) -> Money:
        return Money(chance.randrange(800, 9_000), "EUR")

    def restaurant_and_minute(connection: Connection, chance: random.Random) -> object:
        began = number(chance) * SECONDS_APART
        wanted = orders(restaurant=rows.restaurant(chance), placed_from=at(began), placed_to=at(began + 60))
        return wanted(connection, chance)

    def one_amount(connection: Connection, chance: random.Random) -> object:
        exact = amount(chance)
        return orders(amount_min=exact, amount_max=exact)(connection, chance)

    def of_customer(connection: Connection, chance: random.Random) -> object:
        return orders(Actor(Role.CUSTOMER, f"cus_{chance.randrange(rows.customers)}"))(connection, chance)

    def of_restaurant(connection: Connection, chance: random.Random) -> object:
        return orders(Actor(Role.RESTAURANT, rows.restaurant(chance)))(connection, chance)

    def of_courier(connection: Connection, chance: random.Random) -> object:
        return orders(Actor(Role.COURIER, f"cou_{chance.randrange(rows.couriers)}"))(connection, chance)

    def tickets(connection: Connection, chance: random.Random) -> object:
        actor = Actor(Role.RESTAURANT, rows.restaurant(chance))
        return list_tickets(connection, actor, BoardFilter(), limit=LIMIT, cursor=None)

    def offers(connection: Connection, chance: random.Random) -> object:
        actor = Actor(Role.COURIER, f"cou_{chance.randrange(rows.couriers)}")
        return list_offers(connection, actor, BoardFilter(), limit=LIMIT, cursor=None)

    def statistics_of_an_hour(connection: Connection, chance: random.Random) -> object:
        began = number(chance) * SECONDS_APART
        wanted = StatsFilter(placed_from=at(began), placed_to=at(began + 3_600), bucket=BucketSize.HOUR)
        return order_statistics(connection, SUPPORT, wanted)

    def index(name: str) -> Callable[[random.Random], str | None]:
        def made(chance: random.Random) -> str | None:
            customer = chance.randrange(rows.customers)
            return (
                rows.index.phone(f"+49171{customer:08}") if name == "phone" else rows.index.name(f"customer {customer}")
            )

        return made

    return {
        "orders, all": orders(),
        "orders by status (completed)": orders(status=(Status.COMPLETED,)),
        "orders by three statuses": orders(status=(Status.PLACED, Status.PREPARING, Status.CANCELLED)),
        "orders by restaurant and minute": restaurant_and_minute,
        "orders by restaurant and status": orders(restaurant=rows.restaurant, status=(Status.CANCELLED,)),
        "orders by restaurant and a rare status": orders(restaurant=rows.restaurant, status=(Status.PREPARING,)),
        "orders by exact amount": one_amount,
        "orders above an amount": orders(amount_min=Money(8_000, "EUR")),
        "orders that wait": orders(waiting_for=Awaiting.READINESS, sort=OrderSort.WAITING),
        "orders overdue": orders(overdue=True),
        "orders parked, by cause": orders(cause="PaymentsUnavailable@payments"),
        "orders by payment reference": orders(payment_reference=lambda chance: f"auth_{number(chance)}"),
        "orders by the beginning of the id": orders(id_prefix=lambda chance: rows.id(number(chance))[:8]),
        "orders by the end of the id": orders(id_suffix=lambda chance: rows.id(number(chance))[-4:]),
        "orders changed since": orders(sort=OrderSort.CHANGED, changed_from=lambda c: at(number(c) * SECONDS_APART)),
        "orders by phone": orders(phone_index=index("phone")),
        "orders by name": orders(name_index=index("name")),
        "orders of a customer": of_customer,
        "orders of a restaurant": of_restaurant,
        "orders of a courier": of_courier,
        "events, all": events(),
        "events by type": events(types=("OrderCancelled",)),
        "events by two types": events(types=("OrderCancelled", "OrderPlaced")),
        "events of people": events(people_only=True),
        "events by actor": events(actor=lambda c: f"cus_{c.randrange(rows.customers)}"),
        "events by restaurant and type": events(restaurant=rows.restaurant, types=("OrderCancelled",)),
        "events by trace": events(correlation=lambda c: f"trace-{number(c)}"),
        "tickets of a restaurant": tickets,
        "offers for a courier": offers,
        "statistics of an hour": statistics_of_an_hour,
    }


Times: TypeAlias = dict[str, tuple[float, float]]
"""p50 and p95 in milliseconds by list."""


def measure(database: SqlDatabase, rows: Rows, reads: int, only: str) -> Times:
    """Read pages of each list whose name contains ``only``. The first read of each, which fills caches, counts."""
    took: Times = {}
    for name, page in lists(rows).items():
        if only not in name:
            continue
        chance, times = random.Random(name), []
        for _ in range(reads):
            began_s = time.perf_counter()
            with database.reading() as connection:
                page(connection, chance)
            times.append((time.perf_counter() - began_s) * 1000)
        took[name] = statistics.median(times), statistics.quantiles(times, n=20)[18]
    return took


def show_plans(database: SqlDatabase, rows: Rows, only: str) -> None:
    """Print how the database executes the statements of one page of each list."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (ANALYZE, BUFFERS) "
    for name, page in lists(rows).items():
        if only not in name:
            continue
        print(f"\n--- {name}")
        with database.reading() as connection:

            def explained(_conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                if not statement.startswith("EXPLAIN"):
                    cursor.execute(explain + statement, parameters)
                    print(*(f"    {row[-1]}" for row in cursor.fetchall()), sep="\n", end="\n\n")

            event.listen(connection, "before_cursor_execute", explained)
            page(connection, random.Random(name))
            event.remove(connection, "before_cursor_execute", explained)


def main() -> None:
    chosen = _arguments()
    rows = Rows(chosen.orders or (10_000 if chosen.quick else 1_000_000))
    took: dict[str, Times] = {}
    filled_s: dict[str, float] = {}
    with ExitStack() as opened:
        for kind in ("SQLite", "PostgreSQL") if not chosen.url else ("SQLite", "PostgreSQL")["://" in chosen.url :][:1]:
            try:
                database = opened.enter_context(SqlDatabase(_url(kind, chosen.url, opened)))
            except NoPostgres as reason:
                print(f"PostgreSQL is skipped: {reason}")
                continue
            print(f"{kind}: {rows.orders} orders", flush=True)
            if not _is_filled(database, rows):
                began_s = time.monotonic()
                fill(database, rows, len(os.sched_getaffinity(0)))
                filled_s[kind] = time.monotonic() - began_s
            if chosen.plans:
                show_plans(database, rows, chosen.only)
            else:
                took[kind] = measure(database, rows, 10 if chosen.quick else chosen.reads, chosen.only)
    if took:
        whole = not chosen.only and not chosen.url and not chosen.orders and len(took) == 2  # both databases
        publish("search", _rows(rows, took, filled_s), quick=chosen.quick or not whole, as_json=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="10,000 orders and few reads; results are stored of whole runs on both alone",
    )
    parser.add_argument("--orders", type=int, help="orders to store; each has four events")
    parser.add_argument("--reads", type=int, default=100, help="reads of each list")
    parser.add_argument("--url", default="", help="a SQLite file or postgresql://...: filled unless it is, and kept")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the lists with this text in their names")
    parser.add_argument("--plans", action="store_true", help="print the plan of each statement instead of its time")
    return parser.parse_args()


def _url(kind: str, url: str, opened: ExitStack) -> str | Path:
    if url:
        return url if kind == "PostgreSQL" else Path(url)
    if kind == "PostgreSQL":
        return opened.enter_context(postgres_server()).new_database()
    return Path(opened.enter_context(tempfile.TemporaryDirectory())) / "views.sqlite"


def _is_filled(database: SqlDatabase, rows: Rows) -> bool:
    last = select(ORDERS.c.order_id).where(ORDERS.c.order_id == rows.id(rows.orders - 1))
    with database.reading() as connection:
        return exists(connection, "orders") and connection.execute(last).one_or_none() is not None


def _rows(rows: Rows, took: dict[str, Times], filled_s: dict[str, float]) -> list[Row]:
    detail = {"orders": rows.orders}
    lengths = [
        Row(
            name=f"{name}, {kind}",
            value=p95,
            unit="ms",
            target=at_most(100, of="value"),
            detail={**detail, "p50_ms": round(p50, 2)},
        )
        for name in lists(rows)
        for kind, times in took.items()
        if name in times
        for p50, p95 in [times[name]]
    ]
    filled = [Row(name=f"filling {kind}", value=seconds, unit="s", detail=detail) for kind, seconds in filled_s.items()]
    return lengths + filled


if __name__ == "__main__":
    main()
