"""Real engines with real sockets: the test plays the people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from workflows.client import ExpediterClient
from workflows.embedded.engine import EmbeddedEngine
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
DEADLINE_S = 20.0


class Socket:
    """One subscriber's socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, **message: Any) -> Socket:
        self.connection.send(json.dumps(message))
        return self

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=DEADLINE_S))
        return message

    def until(self, holds: Callable[[dict[str, Any]], object]) -> list[dict[str, Any]]:
        """Return the messages up to the first of which this holds."""
        received = [self.receive()]
        while not holds(received[-1]):
            received.append(self.receive())
        return received

    def subscribe(self, topic: str, since: int | None = None) -> dict[str, Any]:
        """Subscribe and return the confirmation."""
        self.send(subscribe=topic, **({} if since is None else {"since": since}))
        return self.receive()


class Engine:
    """An engine on a folder, which can be stopped and started again at the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened = ExitStack()
        self._clients = ExitStack()
        self._keys = count()
        self.http = self._clients.enter_context(httpx.Client(timeout=DEADLINE_S))
        self.port = 0
        self.start()

    def start(self) -> None:
        self.embedded = self._opened.enter_context(
            EmbeddedEngine.open(
                self._folder,
                template=TEMPLATE,
                gateways=sandbox_gateways(SandboxSettings()),
                workers=4,
                projector_apart=False,
            )
        )
        self.port = self.embedded.serve(self.port)

    def stop(self) -> None:
        """Stop the engine; its clients stay."""
        self._opened.close()

    def close(self) -> None:
        self.stop()
        self._clients.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, role: str, name: str, ttl_s: int = 3600) -> str:
        return self.embedded.tokens.mint(role, name, ttl_s)

    def client(self, role: str, name: str) -> ExpediterClient:
        return self._clients.enter_context(ExpediterClient(self.url, self.token(role, name)))

    def ticket(self, role: str, name: str, ttl_s: int = 3600) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token(role, name, ttl_s)}"}
        answer = self.http.post(f"{self.url}/live-tickets", headers=headers)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def open(self, ticket: dict[str, Any]) -> Socket:
        address = f"ws://127.0.0.1:{self.port}{ticket['path']}?ticket={ticket['ticket']}"
        return Socket(self._clients.enter_context(connect(address, compression=None)))

    def socket(self, role: str, name: str) -> Socket:
        return self.open(self.ticket(role, name))

    def metrics(self) -> str:
        return self.http.get(f"{self.url}/metrics").text

    def place(self, customer: str = "cus_1", payment_method: str = "pm_ok") -> str:
        """Place an order of one pizza at rst_1 and return its id."""
        order = {
            "customer": customer,
            "restaurant": "rst_1",
            "lines": [
                {
                    "sku": "pizza",
                    "name": "Pizza",
                    "quantity": 1,
                    "unit_price": {"amount": "10.00", "currency": "EUR"},
                }
            ],
            "payment_method": payment_method,
            "contact": {"name": "Camille", "phone": "+33123456789", "address": "1 rue de Rivoli"},
        }
        placed = self.client("service", "shop").place(order, key=f"key-{next(self._keys)}")  # type: ignore[arg-type]  # a dict
        return placed["id"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(tmp_path)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def one_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for tests that place no orders."""
    opened = Engine(tmp_path_factory.mktemp("engine"))
    yield opened
    opened.close()
