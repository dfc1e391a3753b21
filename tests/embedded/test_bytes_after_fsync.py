"""No byte leaves the engine before the fsync of what it shows or follows from, at any of its ports."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from random import SystemRandom
from typing import Any, NamedTuple

import toy_handlers as toys
import toy_machines
from websockets.sync.client import connect

from tests.embedded.recorded_io import Message, Recording, recording, websocket_texts
from tests.publishing.verifying_receiver import receiving
from workflows.client import ExpediterClient
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.files import DATABASE
from workflows.embedded.http.server import HttpServer
from workflows.embedded.providers import CREDENTIALS, http_gateways
from workflows.embedded.step_functions.api import TARGET, StepFunctionsApi
from workflows.sandbox.api import SandboxApi
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import SANDBOX, open_sandbox
from workflows.sandbox.settings import SandboxSettings

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
DEADLINE_S = 30.0
ORDERS = 4

EVENTS = "SELECT pk || '/' || (sk + event.key) FROM events, json_each(ev, '$.e') AS event"
"""The stream and version of each event, e.g. order#ord_x/3."""

CALLS = " UNION ALL ".join(f"SELECT key FROM {provider}_calls" for provider in ("payment", "kitchen", "courier"))
"""The keys of the calls that the sandbox has performed."""

EXECUTIONS = """
SELECT arn || ' ' || 'RUNNING' FROM executions UNION ALL SELECT arn || ' ' || status FROM executions
UNION ALL SELECT json_extract(signal, '$.token') FROM journal WHERE kind = 'TokenSucceeded'
"""
"""The statuses that an execution has had, and the tokens that were settled."""

ORDER: dict[str, Any] = {
    "customer": "cus_1",
    "restaurant": "rst_1",
    "lines": [{"sku": "pizza", "name": "Pizza", "quantity": 1, "unit_price": {"amount": "10.00", "currency": "EUR"}}],
    "payment_method": "pm_ok",
    "contact": {"name": "Camille", "phone": "+33123456789", "address": "1 rue de Rivoli"},
}


class Effect(NamedTuple):
    """A message that left at a port, and what had to be durable before."""

    port: str
    message: Message
    cause: str

    def is_early(self, durable: Mapping[Hashable, int]) -> bool:
        return durable.get(self.cause, self.message.number) >= self.message.number


class Shop:
    """An engine with its API, the sandbox over HTTP as its providers, and a receiver of its webhooks."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self._opened = opened
        surroundings = Surroundings(clock=SystemClock(), random=SystemRandom())
        sandbox = opened.enter_context(closing(open_sandbox(folder / SANDBOX, SandboxSettings(), surroundings)))
        providers = opened.enter_context(closing(SandboxApi(sandbox, "secret")))
        self.sandbox_port = opened.enter_context(closing(HttpServer(providers.app, 0))).port
        self.receiver = opened.enter_context(receiving())
        names = ("payments", "kitchen", "couriers")
        (folder / CREDENTIALS).write_text(json.dumps(dict.fromkeys(names, "secret")))
        urls = {f"{name.title()}Url": f"http://127.0.0.1:{self.sandbox_port}/{name}" for name in names}
        gateways = http_gateways(urls)
        assert gateways is not None
        parameters = {**urls, "WebhookTargets": "any"}
        self.engine = opened.enter_context(
            EmbeddedEngine.open(
                folder, template=TEMPLATE, parameters=parameters, gateways=gateways, projector_apart=False
            )
        )
        self.port = self.engine.serve(0)
        api = opened.enter_context(closing(StepFunctionsApi(self.engine.executions, self.engine.reports)))
        self.step_functions_port = int(api.url.rpartition(":")[2])

    @property
    def ports(self) -> set[int]:
        return {self.port, self.step_functions_port, self.sandbox_port, self.receiver.server_port}

    def client(self, role: str, name: str) -> ExpediterClient:
        url, token = f"http://127.0.0.1:{self.port}", self.engine.tokens.mint(role, name)
        return self._opened.enter_context(ExpediterClient(url, token))

    def play(self) -> None:
        """Bring orders to their ends, one of them by cancelling. The people act on what support's socket shows."""
        customer, restaurant = self.client("customer", "cus_1"), self.client("restaurant", "rst_1")
        courier, service = self.client("courier", "cou_1"), self.client("service", "shop")
        self.receiver.register(service)
        acts: dict[str, Callable[[str], object]] = {
            "PreparationRequested": lambda order: restaurant.accept(order, datetime.now(UTC) + timedelta(minutes=20)),
            "CourierRequested": courier.assign,
            "CourierAssigned": restaurant.ready,
            "PreparationReady": courier.pick_up,
            "OrderPickedUp": courier.deliver,
        }
        ticket = self.client("support", "anna").live_ticket()
        address = f"ws://127.0.0.1:{self.port}{ticket['path']}?ticket={ticket['ticket']}"
        with connect(address, compression=None) as socket, ThreadPoolExecutor(ORDERS) as people:
            socket.send('{"subscribe": "orders"}')
            socket.recv(DEADLINE_S)
            doing = [people.submit(service.place, ORDER, f"key-{number}") for number in range(ORDERS)]  # type: ignore[arg-type]  # a dict
            cancelled, polled = (done.result(DEADLINE_S)["id"] for done in doing[:2])
            doing.append(people.submit(self._poll, polled))
            ended: set[str] = set()
            while len(ended) < ORDERS:
                message = json.loads(socket.recv(DEADLINE_S))
                order_id = message["order_id"]
                for event in message["events"]:
                    if order_id == cancelled and event["type"] == "CourierAssigned":
                        doing.append(people.submit(customer.cancel, order_id, "changed my mind"))
                    elif event["type"] in acts:
                        doing.append(people.submit(acts[event["type"]], order_id))
                ended.update([order_id] if message["ended"] else [])
            for done in doing:
                done.result(DEADLINE_S)
        for order_id in ended:
            arn = arns.execution_arn("OrderMachine", f"{order_id}-1")
            self.engine.executions.ended(arn).result(DEADLINE_S)
            step_functions(self.step_functions_port, "DescribeExecution", executionArn=arn)
        while Counter(event["type"].split(".")[2] for event in self.receiver.events)["placed"] < ORDERS:
            assert self.receiver.arrived.acquire(timeout=DEADLINE_S)

    def _poll(self, order_id: str) -> None:
        """Read an order again and again until it has ended; each read is answered by a change."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        token, tag = self.engine.tokens.mint("customer", "cus_1"), '"0"'
        status = ""
        while status not in ("completed", "cancelled"):
            headers = {"Authorization": f"Bearer {token}", "If-None-Match": tag}
            connection.request("GET", f"/orders/{order_id}?wait_s=5", headers=headers)
            answer = connection.getresponse()
            body, tag = answer.read(), answer.headers["ETag"]
            status = json.loads(body)["status"] if body else status
        connection.close()


def step_functions(port: int, operation: str, **parameters: str) -> dict[str, Any]:
    """Call the endpoint of Step Functions and return its answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    connection.request("POST", "/", json.dumps(parameters), {"X-Amz-Target": TARGET + operation})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def effects_of_orders(recorded: Recording, shop: Shop) -> Iterator[Effect]:
    """Yield what follows from the log: each names an order and a version, which must be durable before."""
    for request, answer in recorded.exchanges(shop.port):
        if tag := answer.header("etag"):
            named = re.search(rb" /orders/(\w+)", request.data[:100]) or re.search(rb'"id":"(\w+)"', answer.body)
            assert named is not None, answer
            yield Effect("answers", answer, f"order#{named[1].decode()}/{json.loads(tag)}")
    for sent in recorded.connections_from(shop.port).values():
        if sent[0].data.startswith(b"HTTP/1.1 101"):
            for message in websocket_texts(sent):
                shown = json.loads(message.data)
                if "order_id" in shown:
                    yield Effect("live updates", message, f"order#{shown['order_id']}/{shown['version']}")
    for request in recorded.requests(shop.sandbox_port):
        order_id, version = request.header("idempotency-key").split("/")[:2]
        yield Effect("provider calls", request, f"order#{order_id}/{version}")
    for request in recorded.requests(shop.receiver.server_port):
        yield Effect("webhooks", request, f"order#{request.header('webhook-id')}")


def answers_of_sandbox(recorded: Recording, shop: Shop) -> Iterator[Effect]:
    for request, answer in recorded.exchanges(shop.sandbox_port):
        assert answer.data.startswith(b"HTTP/1.1 200"), answer
        yield Effect("sandbox", answer, request.header("idempotency-key"))


def answers_of_step_functions(recorded: Recording, port: int) -> Iterator[Effect]:
    for request, answer in recorded.exchanges(port):
        asked, answered = json.loads(request.body), json.loads(answer.body)
        arn = answered.get("executionArn")
        yield Effect(
            "step functions", answer, f"{arn} {answered.get('status', 'RUNNING')}" if arn else asked["taskToken"]
        )


def test_no_byte_leaves_before_the_fsync_of_its_cause(tmp_path: Path) -> None:
    """Whole orders with everything over sockets: what an answer, update, call or webhook shows survives a power cut."""
    with recording() as recorded, ExitStack() as opened:
        shop = Shop(tmp_path, opened)
        shop.play()
        ports = shop.ports
    assert [sent for sent in recorded.sent if not {sent.local, sent.peer} & ports] == []
    check(recorded, tmp_path / DATABASE, EVENTS, list(effects_of_orders(recorded, shop)), least=_LEAST)
    check(recorded, tmp_path / SANDBOX, CALLS, list(answers_of_sandbox(recorded, shop)), least={"sandbox": 4 * ORDERS})
    described = list(answers_of_step_functions(recorded, shop.step_functions_port))
    check(recorded, tmp_path / DATABASE, EXECUTIONS, described, least={"step functions": ORDERS})


_LEAST = {"answers": 5 * ORDERS, "live updates": 5 * ORDERS, "provider calls": 4 * ORDERS, "webhooks": ORDERS}
"""The fewest messages at each port, so that the test cannot pass because nothing was seen."""


def test_step_functions_answers_after_the_fsync_of_what_was_asked(
    open_world: Callable[..., Any], tmp_path: Path
) -> None:
    """A start and a settled token are durable when their caller gets the answer."""
    with recording() as recorded:
        world = open_world({"Waiting": toy_machines.WAITING})
        with closing(StepFunctionsApi(world.driver, world.reports)) as api, ThreadPoolExecutor(8) as callers:
            port = int(api.url.rpartition(":")[2])
            list(callers.map(lambda number: _started_and_settled(port, f"durable-{number}"), range(8)))
    answers = list(answers_of_step_functions(recorded, port))
    check(recorded, tmp_path / "engine.sqlite", EXECUTIONS, answers, least={"step functions": 3 * 8})


def _started_and_settled(port: int, name: str) -> None:
    machine = arns.machine_arn("Waiting")
    arn = step_functions(port, "StartExecution", stateMachineArn=machine, name=name, input=f'{{"place": "{name}"}}')
    token = toys.PLACES[name].token.result(DEADLINE_S)
    step_functions(port, "SendTaskSuccess", taskToken=token, output="{}")
    step_functions(port, "DescribeExecution", executionArn=arn["executionArn"])


def check(recorded: Recording, database: Path, rows: str, effects: list[Effect], *, least: Mapping[str, int]) -> None:
    """Compare when effects left with when their causes became durable."""
    scratch = database.parent / f"image of {database.name}, {len(rows)}"
    scratch.mkdir()
    durable = recorded.durable_from(database, scratch, rows)
    early = [effect for effect in effects if effect.is_early(durable)]
    assert not early, "\n".join(f"{port}, before {cause}: {message.data!r}" for port, message, cause in early[:3])
    seen = Counter(effect.port for effect in effects)
    assert all(seen[port] >= number for port, number in least.items()), seen
