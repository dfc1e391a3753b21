"""The rows of orders for ``benchmarks.search``, generated without a log.

Most orders are completed, a thousandth is open, a few are parked; a fifth of all orders is of a hundredth of the
restaurants.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from domain.identifiers import order_id_for
from domain.personal import Contact
from workflows.orders.blind_index import KEY_BYTES, BlindIndex
from workflows.projections.offers import OFFERS
from workflows.projections.orders import ORDERS
from workflows.projections.tickets import TICKETS

SECONDS_APART = 2  # a million orders are 23 days
BASE_S = 1_770_000_000


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

    def name(self, customer: int) -> str:
        """Return a customer's name. Of 500 first names the most frequent is that of a customer in 22."""
        return f"First{int(random.Random(customer).random() ** 2 * 500):03} Last{customer}"

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
            **self.index.of(Contact(name=self.name(number % self.customers), phone=phone, address="")),
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

    def amounts(self, number: int, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the total, for each tenth order a larger hold, and for each twentieth a refund."""
        held = [order["total_minor"] + 250] if number % 10 == 0 else []
        refunded = [number % 700 + 50] if number % 20 == 0 else []
        for version, minor in enumerate([order["total_minor"], *held, *refunded], start=1):
            yield {"order_id": order["order_id"], "version": version, "minor": minor, "currency": order["currency"]}


_NOTHING = dict.fromkeys(ORDERS.columns.keys())
_STAGES = [name for name in list(_NOTHING) if name.endswith("_ms")]
_TIMES = [name for name in list(_NOTHING) if name.endswith("_at")]
_EVENTS = (
    ("OrderPlaced", "customer", "customer"),
    ("PaymentAuthorized", "system", ""),
    ("PreparationAccepted", "restaurant", "restaurant"),
    ("OrderCompleted", "system", ""),
)
