"""The engine in memory under a virtual clock, and clients of it: hours pass in milliseconds.

It runs the real handlers, machines and sandbox of a simulated world without faults. Clients are those of
``workflows.client``; their requests go to the handlers through the routes of the template, without a socket.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from domain.order.order import Order
from workflows.client import ExpediterClient
from workflows.embedded.http import payload_format
from workflows.embedded.template import Template, read_template
from workflows.orders.command_handling import load
from workflows.sandbox.books_check import check_books
from workflows.simulation.baskets import EXAMPLE, RECIPIENT
from workflows.simulation.faults import Faults
from workflows.simulation.simulate import quiet
from workflows.simulation.wire import outage
from workflows.simulation.world import World

ROOT = Path(__file__).parents[1]
STEPS_MAX = 1_000_000


@cache
def deployed(*parameters: tuple[str, str]) -> Template:
    """Read the template with parameters, once a process."""
    return read_template(ROOT / "template.yaml", dict(parameters))


class SimulatedEngine:
    """One deployment. ``parameters`` are those of the template."""

    def __init__(self, **parameters: str) -> None:
        self.world = World(1, deployed(*sorted(parameters.items())), Faults(1, {}), observed=False)
        self._placed = 0

    def client(self, role: str, name: str) -> ExpediterClient:
        """Return a client that acts as this caller."""
        http = httpx.Client(transport=httpx.MockTransport(self._serve))
        return ExpediterClient("http://engine", f"{role}:{name}", http=http, sleep=self.sleep)

    @property
    def time(self) -> SimpleNamespace:
        """Replace the module ``time`` for code that waits: its seconds are those of this engine."""
        return SimpleNamespace(sleep=self.sleep, monotonic=lambda: self.world.scheduler.now().timestamp())

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        until = self.world.scheduler.now() + timedelta(seconds=seconds)
        self._run(lambda: self.world.scheduler.now() >= until)

    def until(self, order_id: str, holds: Callable[[Order], object]) -> Order:
        """Let time pass until the order is as described, for seven hours at most: at a circuit it waits six."""
        deadline = self.world.scheduler.now() + timedelta(hours=7)
        looked_at = 0

        def is_so() -> bool:
            nonlocal looked_at
            newest = self.world.newest[f"order#{order_id}"]
            if newest == looked_at:
                return self.world.scheduler.now() > deadline
            looked_at = newest
            return bool(holds(self.order(order_id)))

        self._run(is_so)
        order = self.order(order_id)
        assert holds(order), f"the order is {order.status}, {order.run_state}"
        return order

    def order(self, order_id: Any) -> Order:
        """Read the order from the log."""
        return load(self.world.log, order_id)[1]

    def kinds(self, order_id: str) -> list[str]:
        """List the types of the order's events."""
        return [type(event).__name__ for event in self.world.log.load(f"order#{order_id}").events]

    def fail_provider(self, provider: str, seconds: float) -> None:
        """Let a provider answer nothing for a time."""
        self.world.wire.outages[provider] = outage(self.world.scheduler.now(), seconds)

    @property
    def differences(self) -> list[str]:
        """List what the books of the providers and the log do not agree on."""
        return [found.what for found in check_books(self.world.log, self.world.sandbox).differences]

    # --- orders by stage -----------------------------------------------------------------------------------------

    def placed(self, payment_method: str = "pm_ok") -> str:
        """Place an order of 28.00: two pizzas of 10.00, water for 3.00, fees and tip of 5.00."""
        self._placed += 1
        body: Any = {
            **EXAMPLE,
            "customer": "cus_1",
            "restaurant": "rst_1",
            "payment_method": payment_method,
            "contact": RECIPIENT,
        }
        placed: str = self.client("service", "shop").place(body, f"order-{self._placed}")["id"]
        return placed

    def ticketed(self, payment_method: str = "pm_ok") -> str:
        """Place an order and wait until the restaurant has its ticket."""
        order_id = self.placed(payment_method)
        self.until(order_id, lambda order: order.ticket is not None)
        return order_id

    def accepted(self, payment_method: str = "pm_ok") -> str:
        """Bring an order to the offer to couriers."""
        order_id = self.ticketed(payment_method)
        ready_at = self.world.scheduler.now() + timedelta(minutes=20)
        self.client("restaurant", "rst_1").accept(order_id, ready_at)
        return order_id

    def ready(self, payment_method: str = "pm_ok") -> str:
        """Bring an order to a meal that waits for its courier."""
        order_id = self.accepted(payment_method)
        self.client("courier", "cou_1").assign(order_id)
        self.client("restaurant", "rst_1").ready(order_id)
        return order_id

    def picked_up(self, payment_method: str = "pm_ok") -> str:
        """Bring an order on its way to the customer."""
        order_id = self.ready(payment_method)
        self.client("courier", "cou_1").pick_up(order_id)
        return order_id

    def completed(self, payment_method: str = "pm_ok") -> str:
        """Bring an order to its good end."""
        order_id = self.picked_up(payment_method)
        self.client("courier", "cou_1").deliver(order_id)
        self.until(order_id, lambda order: order.status.value == "completed")
        return order_id

    # --- the inside ----------------------------------------------------------------------------------------------

    def _run(self, holds: Callable[[], bool]) -> None:
        with quiet():
            assert self.world.scheduler.run(holds, steps_max=self.world.scheduler.steps + STEPS_MAX)

    def _serve(self, sent: httpx.Request) -> httpx.Response:
        path = sent.url.path
        target, named = self.world.routes.find(sent.method, path)
        role, _, name = sent.headers["authorization"].removeprefix("Bearer ").partition(":")
        request = payload_format.HttpRequest(
            method=sent.method,
            path=path,
            query=sent.url.query.decode(),
            headers=tuple((key.lower(), value) for key, value in sent.headers.items()),
            body=sent.content,
            protocol="HTTP/1.1",
            source_ip="127.0.0.1",
            request_id="request",
            at=self.world.scheduler.now(),
        )
        event = payload_format.event(request, target.route, named, {"sub": name, "cognito:groups": [role]})
        answers: list[tuple[Any, Any]] = []
        self.world.invoke(target.function, event, lambda result, failure: answers.append((result, failure)))
        self._run(lambda: bool(answers))
        result, failure = answers[0]
        assert failure is None, failure
        answer = payload_format.response(result)
        return httpx.Response(answer.status, headers=list(answer.headers), content=answer.body)
