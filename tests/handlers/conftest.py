"""A shop for the handler tests: APIs that are called with events of API Gateway, on an in-memory log."""

from __future__ import annotations

import gzip
import importlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from domain.catalogue.commands import PublishMenu, RegisterRestaurant
from domain.catalogue.events import Profile, TaxClass
from domain.catalogue.menu import Menu, MenuItem, MenuOption, OptionGroup, Section
from domain.catalogue.opening_hours import OpeningPeriod
from domain.identifiers import SYSTEM, Actor, RestaurantId, Role, Sku
from domain.money import Money
from domain.order.commands import Command, RecordFact
from domain.order.events import PaymentAuthorized, PaymentCaptured
from domain.order.order import Order
from tests.handlers.documented import assert_documented
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.head_tree import HeadTree
from workflows.audit.signed_notes import LocalSigner
from workflows.catalogue.restaurants import change_restaurant
from workflows.embedded.http import payload_format
from workflows.embedded.http.routes import RouteTable
from workflows.embedded.template import ApiRoute, read_template
from workflows.engine import EVENT_TYPES, assemble, serving
from workflows.event_store.codec import Codec
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import restaurant_stream
from workflows.in_memory.checkpoints import InMemoryCheckpoints
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.in_memory.pictures import InMemoryPictures
from workflows.orders.command_handling import Caller, handle, load
from workflows.runs.machines import MachineName

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MISSING = object()


class SettableClock:
    """Advances by one second with each reading, so that no two commits have the same time."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.content) if packed else self.content).decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    @property
    def problem(self) -> str:
        """Return the name of the problem, e.g. ``OrderNotFound``."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        return self.json["type"].removeprefix("urn:expediter:problem:")

    @property
    def fields(self) -> list[str]:
        return [error["field"] for error in self.json.get("errors", [])]


class Shop:
    """The APIs behind the routes of the template, on one log."""

    def __init__(self) -> None:
        self.template_routes = [entry for entry in ROUTES if entry[1].method != "HEAD"]  # each belongs to a GET
        self.environment = {f"{name}_MACHINE": name for name in MachineName.__members__}
        self.clock = SettableClock()
        self.keyring = InMemoryKeyRing()
        self.log = InMemoryEventLog(Codec(self.keyring, EVENT_TYPES), self.clock)
        no_gateway: Any = None  # the APIs call no gateway and start no machine
        self.engine = assemble(
            log=self.log,
            documents=InMemoryDocuments(),
            executions=no_gateway,
            payments=no_gateway,
            kitchen=no_gateway,
            couriers=no_gateway,
            clock=self.clock,
            keyring=self.keyring,
            pictures=InMemoryPictures(),
            heads=HeadTree(
                store=InMemoryCheckpoints(), changed=FeedHeads(self.log), signer=LocalSigner(b"s" * 32), log=self.log
            ),
        )
        open_restaurant(self.log, "rosa")
        self.clock.time = NOON
        self._requests = itertools.count(1)
        self._commands = itertools.count(1)

    # --- over HTTP -----------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: Any = MISSING,
        *,
        role: str = "customer",
        sub: str = "ada",
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        text: str | bytes | None = None,
    ) -> Answer:
        """Send one request as a client would. ``text`` is a raw body, which need not be JSON."""
        claims = {"sub": sub, "cognito:groups": [role]}
        return self.call_as(claims, method, path, body, key=key, headers=headers, query=query, text=text)

    def call_as(
        self,
        claims: Mapping[str, Any] | None,
        method: str,
        path: str,
        body: Any = MISSING,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        text: str | bytes | None = None,
    ) -> Answer:
        """Send one request with a token of these claims, or without a token."""
        sent = {"host": "localhost", **({"idempotency-key": key} if key is not None else {})}
        content = b""
        if text is not None or body is not MISSING:
            sent["content-type"] = "application/json"
            content = json.dumps(body).encode() if text is None else text if isinstance(text, bytes) else text.encode()
        sent |= {name.lower(): value for name, value in (headers or {}).items()}
        request = payload_format.HttpRequest(
            method=method,
            path=path,
            query=urlencode(query or {}),
            headers=tuple(sent.items()),
            body=content,
            protocol="HTTP/1.1",
            source_ip="127.0.0.1",
            request_id=f"request-{next(self._requests)}",
            at=self.clock.time,
        )
        function, route, parameters = self.route(method, path)
        answer = self.invoke(function, payload_format.event(request, route, parameters, None if route.open else claims))
        assert_documented(method, route.path, answer)
        return answer

    def invoke(self, function: str, event: dict[str, Any]) -> Answer:
        """Invoke a function and read its response as HTTP; event and response pass through JSON as on Lambda."""
        module, _, name = function.rpartition(".")
        handler = getattr(importlib.import_module(module), name)
        with serving(self.engine, self.environment):
            result = handler(json.loads(json.dumps(event)), None)
        response = payload_format.response(json.loads(json.dumps(result)))
        return Answer(response.status, dict(response.headers), response.body)

    def route(self, method: str, path: str) -> tuple[str, ApiRoute, dict[str, str]]:
        """Return the function's handler, the route and the path parameters that API Gateway would choose."""
        target, parameters = TABLE.find(method, path)
        return FUNCTIONS[target.function].handler, target.route, parameters

    def place(self, key: str = "key-1", sub: str = "ada", **changes: Any) -> str:
        """Place an order of Ada's at Rosa's and return its id. With ``lines`` a service places it at those prices."""
        if "lines" in changes:
            sent = priced_body(customer=sub, **changes)
            answer = self.call("POST", "/orders", sent, key=key, role="service", sub="shopfront")
        else:
            answer = self.call("POST", "/orders", order_body(**changes), key=key, sub=sub)
        assert answer.status == 201, answer
        return answer.json["id"]

    def act(self, order_id: str, action: str, body: Any = MISSING, **how: Any) -> Answer:
        """Send a report such as ``preparation/ready``, by default as the restaurant Rosa or the courier Carl."""
        role, sub = ("restaurant", "rosa") if action.startswith("preparation") else ("courier", "carl")
        return self.call("POST", f"/orders/{order_id}/{action}", body, **{"role": role, "sub": sub, **how})

    # --- behind the APIs -----------------------------------------------------------------------------------------

    def command(self, order_id: str, command: Command) -> Order:
        """Record a command as a step of the state machines would."""
        caller = Caller(SYSTEM, "correlation", "causation")
        return handle(self.log, command, order_id=order_id, key=f"step/{next(self._commands)}", caller=caller).order

    def order(self, order_id: str) -> Order:
        return load(self.log, order_id)[1]

    def authorized(self, **how: Any) -> str:
        """Place an order and authorize its payment, so that the restaurant has a ticket."""
        order_id = self.place(**how)
        order = self.order(order_id)
        asked = order.payment.authorization
        fact = PaymentAuthorized(answers=asked.intent, authorization_id="auth-1", amount=asked.amount, at=NOON)
        self.command(order_id, RecordFact(fact=fact))
        return order_id

    def accepted(self, **how: Any) -> str:
        """Make an accepted order, so that couriers have an offer."""
        order_id = self.authorized(**how)
        answer = self.act(order_id, "preparation/accept", {"ready_at": "2026-05-04T12:30:00Z"})
        assert answer.status == 200, answer
        return order_id

    def assigned(self, courier: str = "carl", **how: Any) -> str:
        """Make an order that a courier has taken."""
        order_id = self.accepted(**how)
        answer = self.act(order_id, "delivery/assign", {}, sub=courier)
        assert answer.status == 200, answer
        return order_id

    def picked_up(self, **how: Any) -> str:
        """Make an order that was picked up."""
        order_id = self.assigned(**how)
        assert self.act(order_id, "preparation/ready").status == 200
        assert self.act(order_id, "delivery/pick-up").status == 200
        return order_id

    def completed(self, **how: Any) -> str:
        """Make an order that was delivered and paid for, so that it has a receipt."""
        order_id = self.picked_up(**how)
        assert self.act(order_id, "delivery/deliver").status == 200
        [capture] = self.order(order_id).payment.captures
        fact = PaymentCaptured(
            answers=capture.intent, capture_id=f"cap-{next(self._commands)}", amount=capture.amount, at=NOON
        )
        self.command(order_id, RecordFact(fact=fact))
        return order_id

    def stored(self) -> list[Any]:
        """Return all commits, but for those that opened Rosa's restaurant."""
        return [commit for commit in self.log.scan() if commit.pk != restaurant_stream(RestaurantId("rosa"))]


FUNCTIONS = read_template(ROOT / "template.yaml").functions
TABLE = RouteTable(FUNCTIONS)
ROUTES = [(function.handler, route) for function in FUNCTIONS.values() for route in function.routes]


def money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def open_restaurant(log: EventLog, name: str) -> None:
    """Register a restaurant that is always open, with pizza at 9.50, burrata on it at 2.00, and delivery at 2.90."""
    profile = Profile(
        name="Da Rosa",
        address="Torstrasse 1, Berlin",
        currency="EUR",
        time_zone="Europe/Berlin",
        opening_hours=tuple(OpeningPeriod(weekday=day, opens=time(0), closes=time(0)) for day in range(7)),
        tax_classes=(TaxClass(name="food", rate_bp=700),),
        fee_tax_class="food",
        minimum_order=Money.zero("EUR"),
        delivery_fee=Money(290, "EUR"),
        free_delivery_from=None,
        service_fee=None,
        preparation_min=20,
        cuisines=(),
    )
    burrata = MenuOption(option="burrata", name="Burrata", price=Money(200, "EUR"))
    pizza = MenuItem(
        sku=Sku("pizza-margherita"),
        name="Pizza Margherita",
        price=Money(950, "EUR"),
        tax_class="food",
        groups=(OptionGroup(name="Extras", choose_min=0, choose_max=3, options=(burrata,)),),
    )
    menu = Menu(sections=(Section(name="Pizze", items=(pizza,)),))
    restaurant, caller = RestaurantId(name), Caller(Actor(Role.RESTAURANT, name), "opening", "opening")
    change_restaurant(log, restaurant, RegisterRestaurant(restaurant=restaurant, profile=profile), caller)
    change_restaurant(log, restaurant, PublishMenu(menu=menu), caller)


def order_body(**changes: Any) -> dict[str, Any]:
    """Make a customer's body for ``POST /orders``: 2 pizzas with burrata 23.00, delivery 2.90, tip 1.50, total 27.40.

    The prices are Rosa's.
    """
    return _changed(
        {
            "restaurant": "rosa",
            "items": [{"sku": "pizza-margherita", "quantity": 2, "options": ["burrata"]}],
            "tip": money("1.50"),
            **PAID_BY_ADA,
        },
        changes,
    )


def priced_body(**changes: Any) -> dict[str, Any]:
    """Make a service's body for the same order, with prices of its own."""
    pizza = {
        "sku": "pizza-margherita",
        "name": "Pizza Margherita",
        "quantity": 2,
        "unit_price": money("9.50"),
        "options": [{"name": "Burrata", "price": money("2.00")}],
    }
    body = {
        "customer": "ada",
        "restaurant": "rosa",
        "lines": [pizza],
        "delivery_fee": money("2.90"),
        "tip": money("1.50"),
        **PAID_BY_ADA,
    }
    return _changed(body, changes)


PAID_BY_ADA = {
    "payment_method": "pm_ok",
    "contact": {"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, Berlin"},
}


def _changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (body | changes).items() if value is not MISSING}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def body() -> Any:
    """Make a body for ``POST /orders``, with changes."""
    return order_body
