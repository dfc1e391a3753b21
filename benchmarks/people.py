"""The people of many orders at once: each acts when the engine has come to the point where it waits for them.

So an order takes the walk it takes in life (a wait registered, an answer, a token), only that nobody thinks. The
kitchen answers when its ticket was sent, a courier when the offer stands, and the rest when their wait is registered.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from benchmarks.driver import Hands
from benchmarks.observed_engine import Told
from domain.identifiers import OrderId
from workflows.embedded.arns import execution_arn
from workflows.embedded.engine import EmbeddedEngine
from workflows.event_store.documents import Document

THREADS = 32
"""As many people act at one moment."""

ENDS_WITHIN_S = 120.0


@dataclass(slots=True)
class _Order:
    """What was seen of an order, and what follows when all of it was."""

    began: float
    cancels: bool
    done: Future[float]
    questions: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    acted: set[str] = field(default_factory=set)


# The act, and what must have been seen for it. "ready" and "assigned" are acts of people themselves.
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


class People:
    """``watch`` the ports of an engine, then ``play``."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._gate = threading.Lock()
        self._early: dict[str, list[tuple[str, int]]] = {}  # seen before ``place`` returned
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="people")
        self._silent = False
        self._engine: EmbeddedEngine
        self._hands: Hands

    def wrapped(self, name: str, port: Any) -> Any:
        """For ``observed_engine``."""
        watchers = {"documents": self._document, "kitchen": self._ticket, "couriers": self._offer}
        return Told(port, watchers[name]) if name in watchers else port

    def play(
        self, engine: EmbeddedEngine, hands: Hands, *, orders: int, in_flight: int, cancelled: float, name: str
    ) -> list[float]:
        """Play all; how long each took, in seconds, from the request to the durable end of its execution."""
        self._engine, self._hands = engine, hands
        free = threading.Semaphore(in_flight)
        played: list[Future[float]] = []
        for number in range(orders):
            cancels = cancelled > 0 and number % round(1 / cancelled) == 0
            free.acquire()
            done: Future[float] = Future()
            done.add_done_callback(lambda _: free.release())
            played.append(done)
            self._threads.submit(self._place, f"{name}-{number}", cancels, done)
        return [done.result(ENDS_WITHIN_S) for done in played]

    def hold(self, hands: Hands, *, orders: int, name: str) -> None:
        """Place orders that nobody answers."""
        self._silent = True
        for placed in [self._threads.submit(hands.place, f"{name}-{number}", "pm_ok") for number in range(orders)]:
            placed.result(ENDS_WITHIN_S)

    def close(self) -> None:
        self._threads.shutdown()

    # --- private -------------------------------------------------------------------------------------------------

    def _place(self, key: str, cancels: bool, done: Future[float]) -> None:
        began = time.perf_counter()
        try:
            order_id = self._hands.place(key, "pm_ok")
        except BaseException as error:
            done.set_exception(error)
            raise
        order = _Order(began, cancels, done)
        with self._gate:
            self._orders[order_id] = order
            early = self._early.pop(order_id, [])
        for what, intent_version in early:
            self._saw(order_id, what, intent_version)

    def _document(self, call: str, arguments: tuple[Any, ...], _: dict[str, Any], __: Any) -> None:
        if call == "put" and isinstance(document := arguments[0], Document) and document.pk.startswith("wait#"):
            order_id = document.pk.removeprefix("wait#")
            self._saw(order_id, document.body["awaited"], document.body["question"])

    def _ticket(self, call: str, _: tuple[Any, ...], named: dict[str, Any], __: Any) -> None:
        if call == "send_ticket":
            self._saw(named["reference"], "ticket sent", 0)

    def _offer(self, call: str, _: tuple[Any, ...], named: dict[str, Any], __: Any) -> None:
        if call == "offer":
            self._saw(named["reference"], "offer made", 0)

    def _saw(self, order_id: str, what: str, intent_version: int) -> None:
        if self._silent:
            return
        with self._gate:
            order = self._orders.get(order_id)
            if order is None:
                self._early.setdefault(order_id, []).append((what, intent_version))
                return
            order.seen.add(what)
            order.questions[what] = intent_version
            acts = [act for act, needs in _ACTS.items() if act not in order.acted and needs <= order.seen]
            order.acted.update(acts)
        for act in acts:
            self._threads.submit(self._act, OrderId(order_id), order, act)

    def _act(self, order_id: OrderId, order: _Order, act: str) -> None:
        try:
            if act == "pick-up" and order.cancels:
                self._hands.act("cancel", order_id, 0)
            else:
                self._hands.act(act, order_id, order.questions[_ABOUT[act]])
            if act == "ready":
                self._saw(order_id, "ready", 0)
            if act in ("pick-up", "deliver") and (act == "deliver" or order.cancels):
                self._end(order_id, order)
        except BaseException as error:
            if not order.done.done():
                order.done.set_exception(error)
            raise

    def _end(self, order_id: OrderId, order: _Order) -> None:
        ended = self._engine.executions.ended(execution_arn("OrderMachine", f"{order_id}-1"))

        def tell(done: Future[None]) -> None:
            with self._gate:
                self._orders.pop(order_id, None)
            error = done.exception()
            if error is not None:
                order.done.set_exception(error)
            else:
                order.done.set_result(time.perf_counter() - order.began)

        ended.add_done_callback(tell)
