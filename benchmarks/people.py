"""Plays the people of many orders at once: each acts as soon as the engine waits for them.

So an order takes its usual path (a wait is registered, a report arrives, a token is settled) without the time that
people take. The kitchen answers once its ticket was sent and its wait registered, a courier once the offer was
made and its wait registered, all others once their wait was registered.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from benchmarks.driver import PeopleDriver
from benchmarks.histories import CUSTOMER
from benchmarks.observed_engine import ObservedPort
from benchmarks.peers.order_people import is_cancelled
from domain.identifiers import OrderId, order_id_for
from workflows.embedded.arns import execution_arn
from workflows.embedded.engine import EmbeddedEngine
from workflows.event_store.documents import Document
from workflows.hub.deferred import Deferred

THREADS = 32
"""People who can act at the same time."""

ENDS_WITHIN_S = 120.0


@dataclass(slots=True)
class _Order:
    """One order: the calls observed for it, and the acts already performed."""

    began: float
    cancels: bool
    done: Deferred[float]
    intent_versions: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    acted: set[str] = field(default_factory=set)


# Each act, and what must have been observed before it. "ready" is itself an act.
_ACTS = {
    "accept": {"ticket sent", "acceptance"},
    "ready": {"readiness"},
    "assign": {"offer made", "assignment"},
    "pick-up": {"pickup", "ready"},
    "deliver": {"delivery"},
}
_ABOUT = {
    "accept": "acceptance",
    "ready": "readiness",
    "assign": "assignment",
    "pick-up": "pickup",
    "deliver": "delivery",
}


def expected_ends(name: str, orders: int, cancelled: float) -> dict[OrderId, str]:
    """Return the end, "completed" or "cancelled", of each order that ``People.play`` plays with these arguments."""
    numbers = range(orders)
    ends = {number: "cancelled" if is_cancelled(number, cancelled) else "completed" for number in numbers}
    return {order_id_for(CUSTOMER, f"{name}-{number}"): end for number, end in ends.items()}


class People:
    """Plays orders on an engine that was opened with ``observed_engine(people.wrapped)``."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._gate = threading.Lock()
        self._early: dict[str, list[tuple[str, int]]] = {}  # observed before ``place`` returned
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="people")
        self._silent = False
        self._engine: EmbeddedEngine
        self._driver: PeopleDriver

    def wrapped(self, name: str, port: Any) -> Any:
        """Wrap a port, for ``observed_engine``."""
        watchers = {"documents": self._document, "kitchen": self._ticket, "couriers": self._offer}
        return ObservedPort(port, watchers[name]) if name in watchers else port

    def play(
        self, engine: EmbeddedEngine, driver: PeopleDriver, *, orders: int, in_flight: int, cancelled: float, name: str
    ) -> list[float]:
        """Play orders to their end.

        Args:
            driver: Performs the acts.
            in_flight: Orders played at the same time.
            cancelled: The share of orders that the customer cancels.
            name: Prefix of the orders' keys.

        Returns:
            Seconds of each order from its request to the durable end of its execution.
        """
        self._engine, self._driver = engine, driver
        free = threading.Semaphore(in_flight)
        played: list[Deferred[float]] = []
        for number in range(orders):
            cancels = is_cancelled(number, cancelled)
            free.acquire()
            done: Deferred[float] = Deferred()
            done.add_done_callback(lambda _: free.release())
            played.append(done)
            self._threads.submit(self._place, f"{name}-{number}", cancels, done)
        return [done.result(ENDS_WITHIN_S) for done in played]

    def hold(self, driver: PeopleDriver, *, orders: int, name: str) -> None:
        """Place orders and perform no acts on them."""
        self._silent = True
        for placed in [self._threads.submit(driver.place, f"{name}-{number}", "pm_ok") for number in range(orders)]:
            placed.result(ENDS_WITHIN_S)

    def close(self) -> None:
        self._threads.shutdown()

    # --- private -------------------------------------------------------------------------------------------------

    def _place(self, key: str, cancels: bool, done: Deferred[float]) -> None:
        began = time.perf_counter()
        try:
            order_id = self._driver.place(key, "pm_ok")
        except BaseException as error:
            done.set_exception(error)
            raise
        order = _Order(began, cancels, done)
        with self._gate:
            self._orders[order_id] = order
            early = self._early.pop(order_id, [])
        for what, intent_version in early:
            self._observed(order_id, what, intent_version)

    def _document(self, call: str, arguments: tuple[Any, ...], _: dict[str, Any], __: Any) -> None:
        if call == "put" and isinstance(document := arguments[0], Document) and document.pk.startswith("wait#"):
            order_id = document.pk.removeprefix("wait#")
            self._observed(order_id, document.body["awaited"], document.body["question"])

    def _ticket(self, call: str, _: tuple[Any, ...], named: dict[str, Any], __: Any) -> None:
        if call == "send_ticket":
            self._observed(named["reference"], "ticket sent", 0)

    def _offer(self, call: str, _: tuple[Any, ...], named: dict[str, Any], __: Any) -> None:
        if call == "offer":
            self._observed(named["reference"], "offer made", 0)

    def _observed(self, order_id: str, what: str, intent_version: int) -> None:
        if self._silent:
            return
        with self._gate:
            order = self._orders.get(order_id)
            if order is None:
                self._early.setdefault(order_id, []).append((what, intent_version))
                return
            order.seen.add(what)
            order.intent_versions[what] = intent_version
            acts = [act for act, needs in _ACTS.items() if act not in order.acted and needs <= order.seen]
            order.acted.update(acts)
        for act in acts:
            self._threads.submit(self._act, OrderId(order_id), order, act)

    def _act(self, order_id: OrderId, order: _Order, act: str) -> None:
        try:
            if act == "pick-up" and order.cancels:
                self._driver.act("cancel", order_id, 0)
            else:
                self._driver.act(act, order_id, order.intent_versions[_ABOUT[act]])
            if act == "ready":
                self._observed(order_id, "ready", 0)
            if act in ("pick-up", "deliver") and (act == "deliver" or order.cancels):
                self._end(order_id, order)
        except BaseException as error:
            if not order.done.done():
                order.done.set_exception(error)
            raise

    def _end(self, order_id: OrderId, order: _Order) -> None:
        ended = self._engine.executions.ended(execution_arn("OrderMachine", f"{order_id}-1"))

        def finish(done: Deferred[None]) -> None:
            with self._gate:
                self._orders.pop(order_id, None)
            error = done.exception()
            if error is not None:
                order.done.set_exception(error)
            else:
                order.done.set_result(time.perf_counter() - order.began)

        ended.add_done_callback(finish)
