"""An engine's HTTP front with the real handlers, and both clients on connections that can be made to fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.handlers.conftest import body, shop  # noqa: F401 - fixtures
from workflows.client import AsyncExpediterClient, ExpediterClient
from workflows.clock import SystemClock
from workflows.embedded.alarms import Alarms
from workflows.embedded.http.api import HttpApi
from workflows.embedded.http.server import HttpServer
from workflows.embedded.http.tokens import AccessTokens
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.template import read_template
from workflows.hub.hub import Hub

ROOT = Path(__file__).parents[2]
TOKENS = AccessTokens(b"a secret of thirty-two bytes ....")


@pytest.fixture
def url(shop) -> Iterator[str]:  # noqa: F811 - the fixture
    """Serve the shop's APIs with an engine's front and return its address."""
    template, clock, hub = read_template(ROOT / "template.yaml"), SystemClock(), Hub()
    alarms = Alarms(clock, hub)
    functions = Functions(template.functions, clock=clock, hub=hub, alarms=alarms, workers=4)
    functions.start(shop.engine)
    server = HttpServer(HttpApi(template, functions, TOKENS, clock).app, port=0)
    yield f"http://127.0.0.1:{server.port}"
    server.close()
    functions.close(timeout_s=5)
    alarms.close()
    hub.close()


class Script:
    """The events of one client's requests, in turn; after the last one every request works.

    ``lost``: the request does not arrive. ``unheard``: its answer is lost. A response is returned instead of a request.
    """

    def __init__(self, *events: Any) -> None:
        self.events = list(events)
        self.sent: list[httpx.Request] = []

    def next(self, request: httpx.Request) -> Any:
        self.sent.append(request)
        event = self.events.pop(0) if self.events else None
        if event == "lost":
            raise httpx.ConnectError("connection refused")
        if isinstance(event, httpx.Response):  # a copy: a response belongs to the client that read it
            return httpx.Response(event.status_code, headers=event.headers, content=event.content)
        return event


class ScriptedTransport(httpx.BaseTransport):
    """A real connection with a script."""

    def __init__(self, script: Script) -> None:
        self._real = httpx.HTTPTransport()
        self._script = script

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        event = self._script.next(request)
        if isinstance(event, httpx.Response):
            return event
        response = self._real.handle_request(request)
        if event == "unheard":
            response.read()
            raise httpx.ReadTimeout("timed out")
        return response

    def close(self) -> None:
        self._real.close()


class AsyncScriptedTransport(httpx.AsyncBaseTransport):
    """A real connection with a script, for the asynchronous client."""

    def __init__(self, script: Script) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._script = script

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        event = self._script.next(request)
        if isinstance(event, httpx.Response):
            return event
        response = await self._real.handle_async_request(request)
        if event == "unheard":
            await response.aread()
            raise httpx.ReadTimeout("timed out")
        return response

    async def aclose(self) -> None:
        await self._real.aclose()


class FakeTime:
    """A clock that only waiting advances. ``passing`` is called after each wait with the total of seconds."""

    def __init__(self) -> None:
        self.passed_s = 0.0
        self.waits: list[float] = []
        self.passing: Callable[[float], None] = lambda _passed_s: None

    def clock(self) -> float:
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed_s += seconds
        self.passing(self.passed_s)

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Awaited:
    """An asynchronous client whose methods are awaited for the caller, so that one test runs with both clients."""

    def __init__(self, client: AsyncExpediterClient, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **kwargs: self._loop.run_until_complete(method(*args, **kwargs))

    def history(self, *args: Any, **kwargs: Any) -> list[Any]:
        async def read() -> list[Any]:
            return [event async for event in self._client.history(*args, **kwargs)]

        return self._loop.run_until_complete(read())


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


@pytest.fixture(params=["blocking", "async"])
def open_client(request: pytest.FixtureRequest, fake_time: FakeTime) -> Iterator[Callable[..., Any]]:
    """Open clients of both kinds by address, token and the events of their requests."""
    loop = asyncio.new_event_loop()
    opened: list[Any] = []

    def open_(url: str, token: Any, *events: Any, **options: Any) -> tuple[Any, Script]:
        script = Script(*events)
        if request.param == "blocking":
            http = httpx.Client(transport=ScriptedTransport(script))
            timing = {"sleep": fake_time.sleep, "clock": fake_time.clock}
            client: Any = ExpediterClient(url, token, http=http, **timing, **options)
            opened.append(http.close)
        else:
            async_http = httpx.AsyncClient(transport=AsyncScriptedTransport(script))
            async_timing: Any = {"sleep": fake_time.async_sleep, "clock": fake_time.clock}
            client = Awaited(AsyncExpediterClient(url, token, http=async_http, **async_timing, **options), loop)
            opened.append(lambda: loop.run_until_complete(async_http.aclose()))
        return client, script

    yield open_
    for close in opened:
        close()
    loop.close()


@pytest.fixture
def connect(url: str, open_client: Any) -> Callable[..., Any]:
    """Open clients of the shop's front by role, id and the events of their requests."""

    def connect(role: str = "customer", subject: str = "ada", *events: Any) -> tuple[Any, Script]:
        client, script = open_client(url, TOKENS.mint(role, subject), *events)
        return client, script

    return connect
