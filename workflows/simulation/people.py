"""The people of a simulated order: customer, restaurant, couriers and support.

They act through the handlers of the HTTP API and repeat each request until it is answered. The faults decide whether a
person answers at all, cancels, or reports twice at once. The world's random numbers decide answers and times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.identifiers import Actor, OrderId, Role
from domain.order.commands import StartRun
from domain.order.order import Order, RunState
from domain.order.preparation import TicketState
from domain.order.refusals import Rejected
from workflows.embedded.http import payload_format
from workflows.event_store.streams import order_stream
from workflows.orders.command_handling import Caller, handle, load
from workflows.simulation.faults import InjectedFault
from workflows.simulation.world import World

RETRIES_OF_SUPPORT = 2
"""How often support starts a new run of a parked order before leaving it as an incident."""

LOOK_S, COOK_S, RIDE_S = 20.0, 600.0, 600.0
"""Mean times between two looks at the screen, of cooking, and of riding."""


class SimulatedOrder:
    """One order and its people. The order is placed at a random time in the first ``within_s`` seconds."""

    def __init__(self, world: World, number: int, *, within_s: float = 900.0) -> None:
        self.world = world
        self.random = world.random
        self.number = number
        self.order_id: OrderId | None = None
        self.given_up = False
        self._seen: tuple[int, Order] | None = None
        world.scheduler.spawn(self._customer, delay_s=self.random.uniform(0, within_s))

    @property
    def order(self) -> Order | None:
        """The order as the log has it, read without the ports of a process. None before it is placed."""
        if self.order_id is None:
            return None
        newest = self.world.newest[order_stream(self.order_id)]
        if self._seen is None or self._seen[0] != newest:
            self._seen = (newest, load(self.world.log, self.order_id)[1])
        return self._seen[1]

    @property
    def at_rest(self) -> bool:
        """Whether the order has ended, or is parked and support has given up."""
        order = self.order
        return order is not None and (
            order.run_state is RunState.ENDED or (order.run_state is RunState.PARKED and self.given_up)
        )

    # --- the people ----------------------------------------------------------------------------------------------

    def _customer(self) -> None:
        placed = self._send("POST", "/orders", "customer", self._body(), key=f"order-{self.number}")
        self.order_id = OrderId(placed["id"])
        spawn = self.world.scheduler.spawn
        spawn(self._restaurant)
        spawn(self._couriers)
        spawn(self._support)
        if self._strikes(InjectedFault.CANCELLED):
            spawn(self.cancel, delay_s=self.random.expovariate(1 / 600))
        if self._strikes(InjectedFault.STARTED_AGAIN):
            spawn(self.start_again, delay_s=self.random.expovariate(1 / 600))

    def cancel(self) -> None:
        """Request the cancellation as the customer or the restaurant."""
        self._wait_until_placed()
        role = self.random.choice(("customer", "restaurant"))
        self._act("cancel", role, {"reason": "changed my mind"})

    def start_again(self) -> None:
        """Start a new run as support, whether one is needed or not."""
        self._wait_until_placed()
        order = self.order
        if order is not None:
            self._start_run(order)

    def _restaurant(self) -> None:
        order = self._until(lambda order: order.ticket is not None)
        if order is None or order.ticket is None or self._strikes(InjectedFault.NEVER_ANSWERS):
            return
        ticket = {"ticket": order.ticket.intent}
        self._pause(60)
        if self.random.random() < 0.08:
            self._act("preparation/reject", "restaurant", {**ticket, "reason": "closed"})
            return
        soon = (self.world.scheduler.now() + timedelta(minutes=20)).isoformat()
        self._act("preparation/accept", "restaurant", {**ticket, "ready_at": soon})
        for line in (1, 2):
            if self.random.random() < 0.1:
                lack = {**ticket, "line": line, "available": self.random.choice((0, 0, 1))}
                self._act("preparation/item-unavailable", "restaurant", lack)
        self._pause(COOK_S)
        if not self._strikes(InjectedFault.NEVER_ANSWERS):
            self._act("preparation/ready", "restaurant", ticket)

    def _couriers(self) -> None:
        """Let another courier answer each offer."""
        seen: set[int] = set()
        while (order := self._until(lambda order: len(order.delivery.offers) > len(seen))) is not None:
            for offer in order.delivery.offers:
                if offer.intent not in seen:
                    seen.add(offer.intent)
                    self.world.scheduler.spawn(lambda intent=offer.intent: self._courier(intent))  # type: ignore[misc]  # bound now

    def _courier(self, intent: int) -> None:
        courier, offer = f"courier-{self.number}-{intent}", {"offer": intent}
        self._pause(40)
        if self.random.random() < 0.1:
            self._act("delivery/decline", courier, {**offer, "reason": "too far"})
            return
        if self.random.random() < 0.15:
            self._pause(300)  # the offer may be withdrawn by now
        if self._strikes(InjectedFault.NEVER_ANSWERS) or self._act("delivery/assign", courier, offer) is None:
            return
        order = self._until(lambda order: order.ticket is not None and order.ticket.state is TicketState.READY)
        if order is None:
            return
        if self.random.random() < 0.05:
            self._act("delivery/decline", courier, {**offer, "reason": "flat tyre"})
            return
        if self._strikes(InjectedFault.NEVER_ANSWERS) or self._act("delivery/pick-up", courier, offer) is None:
            return
        self._pause(RIDE_S)
        if self.random.random() < 0.06:
            self._act("delivery/fail", courier, {**offer, "reason": "nobody home", "fault": "customer"})
        elif not self._strikes(InjectedFault.NEVER_ANSWERS):
            self._act("delivery/deliver", courier, offer)

    def _support(self) -> None:
        """Start a new run of a parked order a few times, then leave it as an incident."""
        for _ in range(RETRIES_OF_SUPPORT):
            order = self._until(lambda order: order.run_state is RunState.PARKED)
            if order is None:
                return
            self._pause(900)
            self._start_run(order)
        if self._until(lambda order: order.run_state is RunState.PARKED) is not None:
            self.given_up = True

    def _wait_until_placed(self) -> None:
        while self.order_id is None:
            self._pause(1)

    # --- their requests ------------------------------------------------------------------------------------------

    def _start_run(self, order: Order) -> None:
        support = Actor(Role.SUPPORT, "sam")
        command = StartRun(run=order.run + 1, by=support, reason="try again")
        caller = Caller(support, correlation="simulation", causation="simulation")
        try:
            handle(self.world.log, command, order_id=order.order_id, key=f"run/{order.run + 1}", caller=caller)
        except Rejected:
            return

    def _until(self, holds: Any) -> Order | None:
        """Read the order now and then until the condition holds. None if the order ends or support gives up before."""
        while True:
            order = self.order
            assert order is not None  # people act only once the order is placed
            if order.run_state is RunState.ENDED or self.given_up:
                return None
            if holds(order):
                return order
            self._pause(LOOK_S)

    def _pause(self, mean_s: float) -> None:
        self.world.scheduler.pause(self.random.expovariate(1 / mean_s))

    def _act(self, action: str, who: str, body: Mapping[str, Any]) -> Any:
        """Make a request about the order. None if it was refused, because the order has gone on."""
        key = f"{action}/{who}/{body.get('line', body.get('offer', ''))}"
        path = f"/orders/{self.order_id}/{action}"
        if self._strikes(InjectedFault.REPORTED_TWICE):
            self.world.scheduler.spawn(lambda: self._send("POST", path, who, body, key=f"{key}/again"))
        return self._send("POST", path, who, body, key=key)

    def _send(self, method: str, path: str, who: str, body: Mapping[str, Any], *, key: str) -> Any:
        """Repeat a request until it gets an answer below 500. None if the answer is a refusal."""
        while True:
            answer = self._request(method, path, who, body, key)
            if answer is not None and answer.status < 500:
                return json.loads(answer.body) if answer.status < 300 else None
            self._pause(5)

    def _request(
        self, method: str, path: str, who: str, body: Mapping[str, Any], key: str
    ) -> payload_format.HttpResponse | None:
        target, named = self.world.routes.find(method, path)
        request = payload_format.HttpRequest(
            method=method,
            path=path,
            query="",
            headers=(("idempotency-key", key), ("content-type", "application/json")),
            body=json.dumps(body).encode(),
            protocol="HTTP/1.1",
            source_ip="127.0.0.1",
            request_id=key,
            at=self.world.scheduler.now(),
        )
        role = "courier" if who.startswith("courier") else who
        claims = {"sub": {"customer": "cus_1", "restaurant": "rst_1"}.get(who, who), "cognito:groups": [role]}
        answers: list[payload_format.HttpResponse | None] = []
        event = payload_format.event(request, target.route, named, claims)
        self.world.invoke(
            target.function,
            event,
            lambda result, failure: answers.append(None if failure else payload_format.response(result)),
        )
        while not answers:
            self._pause(0.2)
        return answers[0]

    def _strikes(self, fault: InjectedFault) -> bool:
        return self.world.faults.strikes((fault,), f"order {self.number}") is not None

    def _body(self) -> dict[str, Any]:
        def eur(amount: str) -> dict[str, str]:
            return {"amount": amount, "currency": "EUR"}

        methods = ["pm_ok"] * 12 + ["pm_declined", "pm_capture_refused", "pm_void_refused", "pm_refund_refused"]
        return {
            "restaurant": "rst_1",
            "lines": [
                {"sku": "pizza", "name": "Pizza", "quantity": 2, "unit_price": eur("10.00")},
                {"sku": "water", "name": "Water", "quantity": 1, "unit_price": eur("3.00")},
            ],
            "delivery_fee": eur("3.00"),
            "service_fee": eur("1.00"),
            "tip": eur("1.00"),
            "payment_method": self.random.choice(methods),
            "contact": {"name": "Camille", "phone": "+33 1 99 00 10 11", "address": "1 rue des Lilas, Paris"},
        }
