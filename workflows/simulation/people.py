"""The people of a simulated order. They act through the HTTP API's own handlers, each answer until it is heard.

Whether somebody answers at all, cancels, or says it twice at once is drawn from the faults; what they say and how long
they take, from the world.
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
from workflows.simulation.faults import Fault
from workflows.simulation.world import World

RETRIES_OF_SUPPORT = 2
"""Times a parked order gets a new run before it is left as an incident."""

LOOK_S, COOK_S, RIDE_S = 20.0, 600.0, 600.0
"""Means: between two looks at the screen, of cooking, of riding."""


class Story:
    """One order and its people. It is placed at some time ``within_s`` seconds."""

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
        """As the log has it; nobody in the world reads it this way."""
        if self.order_id is None:
            return None
        newest = self.world.newest[order_stream(self.order_id)]
        if self._seen is None or self._seen[0] != newest:
            self._seen = (newest, load(self.world.log, self.order_id)[1])
        return self._seen[1]

    @property
    def at_rest(self) -> bool:
        order = self.order
        return order is not None and (
            order.run_state is RunState.ENDED or (order.run_state is RunState.PARKED and self.given_up)
        )

    # --- who they are --------------------------------------------------------------------------------------------

    def _customer(self) -> None:
        placed = self._say("POST", "/orders", "customer", self._body(), key=f"order-{self.number}")
        self.order_id = OrderId(placed["id"])
        spawn = self.world.scheduler.spawn
        spawn(self._restaurant)
        spawn(self._couriers)
        spawn(self._support)
        if self._strikes(Fault.CANCELLED):
            spawn(self.cancel, delay_s=self.random.expovariate(1 / 600))
        if self._strikes(Fault.STARTED_AGAIN):
            spawn(self.start_again, delay_s=self.random.expovariate(1 / 600))

    def cancel(self) -> None:
        """Somebody wishes that the order be cancelled."""
        self._wait_for_its_id()
        role = self.random.choice(("customer", "restaurant"))
        self._act("cancel", role, {"reason": "changed my mind"})

    def start_again(self) -> None:
        """Support starts a new run, whether it is needed or not."""
        self._wait_for_its_id()
        order = self.order
        if order is not None:
            self._start_run(order)

    def _restaurant(self) -> None:
        order = self._until(lambda order: order.ticket is not None)
        if order is None or order.ticket is None or self._strikes(Fault.NEVER_ANSWERS):
            return
        ticket = {"ticket": order.ticket.intent}
        self._take(60)
        if self.random.random() < 0.08:
            self._act("preparation/reject", "restaurant", {**ticket, "reason": "closed"})
            return
        soon = (self.world.scheduler.now() + timedelta(minutes=20)).isoformat()
        self._act("preparation/accept", "restaurant", {**ticket, "ready_at": soon})
        for line in (1, 2):
            if self.random.random() < 0.1:
                lack = {**ticket, "line": line, "available": self.random.choice((0, 0, 1))}
                self._act("preparation/item-unavailable", "restaurant", lack)
        self._take(COOK_S)
        if not self._strikes(Fault.NEVER_ANSWERS):
            self._act("preparation/ready", "restaurant", ticket)

    def _couriers(self) -> None:
        """Each offer is seen by a courier of its own."""
        seen: set[int] = set()
        while (order := self._until(lambda order: len(order.delivery.offers) > len(seen))) is not None:
            for offer in order.delivery.offers:
                if offer.intent not in seen:
                    seen.add(offer.intent)
                    self.world.scheduler.spawn(lambda intent=offer.intent: self._courier(intent))  # type: ignore[misc]  # bound now

    def _courier(self, intent: int) -> None:
        courier, offer = f"courier-{self.number}-{intent}", {"offer": intent}
        self._take(40)
        if self.random.random() < 0.1:
            self._act("delivery/decline", courier, {**offer, "reason": "too far"})
            return
        if self.random.random() < 0.15:
            self._take(300)  # answers an offer that may be withdrawn by now
        if self._strikes(Fault.NEVER_ANSWERS) or self._act("delivery/assign", courier, offer) is None:
            return
        order = self._until(lambda order: order.ticket is not None and order.ticket.state is TicketState.READY)
        if order is None:
            return
        if self.random.random() < 0.05:
            self._act("delivery/decline", courier, {**offer, "reason": "flat tyre"})
            return
        if self._strikes(Fault.NEVER_ANSWERS) or self._act("delivery/pick-up", courier, offer) is None:
            return
        self._take(RIDE_S)
        if self.random.random() < 0.06:
            self._act("delivery/fail", courier, {**offer, "reason": "nobody home", "fault": "customer"})
        elif not self._strikes(Fault.NEVER_ANSWERS):
            self._act("delivery/deliver", courier, offer)

    def _support(self) -> None:
        """Gives a parked order a new run a few times, then leaves it as the incident that it is."""
        for _ in range(RETRIES_OF_SUPPORT):
            order = self._until(lambda order: order.run_state is RunState.PARKED)
            if order is None:
                return
            self._take(900)
            self._start_run(order)
        if self._until(lambda order: order.run_state is RunState.PARKED) is not None:
            self.given_up = True

    def _wait_for_its_id(self) -> None:
        while self.order_id is None:
            self._take(1)

    # --- what they do --------------------------------------------------------------------------------------------

    def _start_run(self, order: Order) -> None:
        support = Actor(Role.SUPPORT, "sam")
        command = StartRun(run=order.run + 1, by=support, reason="try again")
        caller = Caller(support, correlation="simulation", causation="simulation")
        try:
            handle(self.world.log, command, order_id=order.order_id, key=f"run/{order.run + 1}", caller=caller)
        except Rejected:
            return

    def _until(self, holds: Any) -> Order | None:
        """Look at the order now and then until it holds; None once the order has ended."""
        while True:
            order = self.order
            assert order is not None  # people hear of an order once it is placed
            if order.run_state is RunState.ENDED or self.given_up:
                return None
            if holds(order):
                return order
            self._take(LOOK_S)

    def _take(self, mean_s: float) -> None:
        self.world.scheduler.pause(self.random.expovariate(1 / mean_s))

    def _act(self, action: str, who: str, body: Mapping[str, Any]) -> Any:
        """None when it was refused: the order has gone on without them."""
        key = f"{action}/{who}/{body.get('line', body.get('offer', ''))}"
        path = f"/orders/{self.order_id}/{action}"
        if self._strikes(Fault.TOLD_TWICE):
            self.world.scheduler.spawn(lambda: self._say("POST", path, who, body, key=f"{key}/again"))
        return self._say("POST", path, who, body, key=key)

    def _say(self, method: str, path: str, who: str, body: Mapping[str, Any], *, key: str) -> Any:
        """The same request until somebody answers it."""
        while True:
            answer = self._request(method, path, who, body, key)
            if answer is not None and answer.status < 500:
                return json.loads(answer.body) if answer.status < 300 else None
            self._take(5)

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
            self._take(0.2)
        return answers[0]

    def _strikes(self, fault: Fault) -> bool:
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
