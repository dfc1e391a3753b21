"""Drivers of an engine: they perform the acts of people, as commands in the process or through the HTTP API."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

from benchmarks import histories
from domain.identifiers import Actor, CourierId, OrderId, Role, order_id_for
from domain.order.commands import CancelOrder, Command, RecordFact
from domain.order.events import (
    CourierAssigned,
    Fact,
    OrderDelivered,
    OrderPickedUp,
    PreparationAccepted,
    PreparationReady,
)
from workflows.clock import timestamp
from workflows.embedded.engine import EmbeddedEngine
from workflows.orders.command_handling import Caller, handle

COURIER = CourierId("cou_1")
_PLACED = histories.place(OrderId("ord_x"))


class PeopleDriver(Protocol):
    """Performs the acts of people."""

    def place(self, key: str, payment_method: str) -> OrderId:
        """Place an order. ``key`` makes repeats the same order."""
        ...

    def act(self, act: str, order_id: OrderId, intent_version: int) -> None:
        """Perform an act.

        Args:
            act: One of accept, ready, assign, pick-up, deliver, cancel.
            intent_version: The version of the ticket or offer that the act is about.
        """
        ...


class CommandDriver:
    """Calls the command handling on the hub, as the API's functions do after parsing a request."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        self._hub = engine._hub
        self._log = engine.ports.log
        self._now = engine.ports.clock.now

    def place(self, key: str, payment_method: str) -> OrderId:
        order_id = order_id_for(histories.CUSTOMER, key)
        self._handle(histories.place(order_id, payment_method=payment_method, at=self._now()), order_id, key)
        return order_id

    def act(self, act: str, order_id: OrderId, intent_version: int) -> None:
        if act == "cancel":
            by = Actor(Role.CUSTOMER, histories.CUSTOMER)
            self._handle(CancelOrder(by=by, reason="it takes too long"), order_id, act)
        else:
            self._handle(RecordFact(fact=self._fact(act, intent_version)), order_id, act)

    def _fact(self, act: str, intent_version: int) -> Fact:
        now = self._now()
        facts: dict[str, Callable[[], Fact]] = {
            "accept": lambda: PreparationAccepted(answers=intent_version, ready_at=now, at=now),
            "ready": lambda: PreparationReady(answers=intent_version, at=now),
            "assign": lambda: CourierAssigned(answers=intent_version, courier=COURIER, at=now),
            "pick-up": lambda: OrderPickedUp(answers=intent_version, at=now),
            "deliver": lambda: OrderDelivered(answers=intent_version, at=now),
        }
        return facts[act]()

    def _handle(self, command: Command, order_id: OrderId, key: str) -> None:
        caller = Caller(Actor(Role.CUSTOMER, histories.CUSTOMER), correlation=order_id, causation="benchmark")
        self._hub.ask(lambda: handle(self._log, command, order_id=order_id, key=f"benchmark/{key}", caller=caller))


class HttpDriver:
    """Calls the HTTP API, over one kept connection a thread."""

    def __init__(self, engine: EmbeddedEngine, port: int, *, minimal: bool = False) -> None:
        """Connect nothing yet.

        Args:
            minimal: Reports of restaurants and couriers ask for answers without the order.
        """
        self._port = port
        self._prefer = {"Prefer": "return=minimal"} if minimal else {}
        self._now = engine.ports.clock.now
        self._tokens = {role: engine.tokens.mint(role, subject) for role, subject in CALLERS.items()}
        self._threads = threading.local()

    def place(self, key: str, payment_method: str) -> OrderId:
        order = self._post("/orders", "service", ORDER | {"payment_method": payment_method}, key)
        return OrderId(order["id"])

    def act(self, act: str, order_id: OrderId, intent_version: int) -> None:
        paths: dict[str, tuple[str, str, dict[str, Any]]] = {
            "accept": ("preparation/accept", "restaurant", {"ticket": intent_version, "ready_at": self._soon()}),
            "ready": ("preparation/ready", "restaurant", {"ticket": intent_version}),
            "assign": ("delivery/assign", "courier", {"offer": intent_version}),
            "pick-up": ("delivery/pick-up", "courier", {"offer": intent_version}),
            "deliver": ("delivery/deliver", "courier", {"offer": intent_version}),
            "cancel": ("cancel", "customer", {"reason": "it takes too long"}),
        }
        path, role, body = paths[act]
        self._post(f"/orders/{order_id}/{path}", role, body, act)

    def _soon(self) -> str:
        return timestamp(self._now() + timedelta(minutes=15))

    def _post(self, path: str, role: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {
            "Authorization": f"Bearer {self._tokens[role]}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            **(self._prefer if role in ("restaurant", "courier") else {}),
        }
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read() or "{}")
        if response.status >= 300:
            raise RuntimeError(f"{response.status} {path}: {answer}")
        return answer


def _money(minor: int) -> dict[str, str]:
    return {"amount": f"{minor / 100:.2f}", "currency": "EUR"}


CALLERS = {"customer": histories.CUSTOMER, "service": "shopfront", "restaurant": "rst_1", "courier": COURIER}

ORDER: dict[str, Any] = {
    "customer": histories.CUSTOMER,
    "restaurant": _PLACED.restaurant,
    "lines": [
        {"sku": line.sku, "name": line.name, "quantity": line.quantity, "unit_price": _money(line.unit_price.minor)}
        for line in _PLACED.lines
    ],
    "delivery_fee": _money(_PLACED.delivery_fee.minor),
    "service_fee": _money(_PLACED.service_fee.minor),
    "tip": _money(_PLACED.tip.minor),
    "contact": {
        "name": histories.CONTACT.name,
        "phone": histories.CONTACT.phone,
        "address": histories.CONTACT.address,
    },
}
