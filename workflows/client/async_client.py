"""The asynchronous client: the same methods as ``ExpediterClient``, to be awaited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

from . import order_calls
from .api_call import ApiCall
from .errors import ApiProblem, EngineUnreachable
from .exchange import RETRY_FOR_S, Attempts, Outcome, body_of, request_for
from .live import (
    MESSAGE_BYTES_MAX,
    NO_SOCKETS,
    POLL_EVERY_S,
    WAIT_S,
    LiveTopic,
    NotServedNow,
    is_over,
    is_seen,
    order_topic,
    polled,
    socket_address,
)
from .methods import AsyncMethods
from .order_json import EventJson

if TYPE_CHECKING:
    import httpx

    from .live_json import LiveUpdateJson

T = TypeVar("T")


class AsyncExpediterClient(AsyncMethods):
    """Sends requests to an engine. Use it with ``async with``, or ``close`` it. Tasks of one event loop may share it.

    The methods are those of the modules ``*_calls``. All of them raise:
        ApiProblem: The engine refused.
        EngineUnreachable: No engine answered for ``retry_for_s``.
        InvalidBearerToken: The token cannot be sent.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        timeout_s: float = 30.0,
        *,
        retry_for_s: float = RETRY_FOR_S,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect nothing yet.

        Args:
            url: The engine's address, e.g. ``http://127.0.0.1:8080``.
            token: A bearer token, or a function that is called before each request, for tokens that expire.
            timeout_s: For each attempt.
            retry_for_s: A request without an answer, or answered 429 or 503, is repeated for this long.
            http: A client to share. The caller closes it.
            sleep: Waits between attempts; takes seconds. ``asyncio.sleep`` by default.
            clock: Returns seconds and never goes back.
        """
        import asyncio  # late, as httpx: the shapes of this package are imported where start-up time counts

        import httpx

        self._url = url.rstrip("/")
        self._token: Callable[[], str] = token if callable(token) else lambda: token
        self._timeout_s = timeout_s
        self._retry_for_s = retry_for_s
        self._http = http or httpx.AsyncClient()
        self._owns_http = http is None
        self._sleep = sleep or asyncio.sleep
        self._clock = clock

    async def __aenter__(self) -> AsyncExpediterClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def history(self, order_id: str, page_size: int = 100, reason: str | None = None) -> AsyncIterator[EventJson]:
        """Read all events of an order, oldest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.send(order_calls.history_page(order_id, page_size, cursor, reason=reason))
            for event in page["events"]:
                yield event
            if (cursor := page["next"]) is None:
                return

    async def live(self, topic: str, since: int | None = None) -> AsyncIterator[LiveUpdateJson]:
        """Yield the updates of a topic for as long as the caller reads, over restarts of the engine.

        Args:
            topic: ``order/ID``, ``customer/ID``, ``restaurant/ID``, ``courier/ID``, ``orders`` or ``incidents``.
            since: The version of an order, or the position of a list, after which updates are wanted; None for those
                to come, and for an order its state now.

        Raises:
            ApiProblem: The caller may not subscribe, or no longer; the deployment serves no sockets; an order could
                not be read for ``retry_for_s``.
            EngineUnreachable: No engine answered for ``retry_for_s``.
        """
        import httpx
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        wanted = LiveTopic(topic, since)
        attempts = Attempts(self._retry_for_s, self._clock())
        while True:
            address = socket_address(self._url, await self.send(order_calls.live_ticket()))
            failure: Exception | None = None
            served = False
            try:
                async with connect(address, compression=None, max_size=MESSAGE_BYTES_MAX) as connection:
                    await connection.send(wanted.request())
                    async for text in connection:
                        update, served = wanted.take(text), True
                        if update is not None:
                            yield update
            except (WebSocketException, OSError, NotServedNow) as error:
                failure = error
            if served:  # the time to come back counts from here
                attempts = Attempts(self._retry_for_s, self._clock())
            wait_s = attempts.wait_s(httpx.ReadError("the socket was closed"), self._clock())
            if wait_s is None:
                if isinstance(failure, NotServedNow):
                    raise failure
                raise EngineUnreachable(f"{self._url} closes each socket: {failure}") from failure
            await self._sleep(wait_s)

    async def follow(self, order_id: str, since: int = 0) -> AsyncIterator[LiveUpdateJson]:
        """Yield the updates of an order until it has ended, over restarts of the engine.

        Each event that the caller may see comes once, in order. Where the deployment serves no sockets, the order is
        read again with ``wait_s`` instead.

        Args:
            since: The version after which events are wanted. If the order ended with it, nothing is yielded.

        Raises:
            ApiProblem: The order does not exist for the caller, or could not be read for ``retry_for_s``.
            EngineUnreachable: No engine answered for ``retry_for_s``.
        """
        if since and is_seen(await self.send(order_calls.get(order_id, personal=False)), since):
            return
        try:
            async for update in self.live(order_topic(order_id), since):
                yield update
                if is_over(update):
                    return
        except ApiProblem as problem:
            if problem.name != NO_SOCKETS:
                raise
            async for update in self._poll(order_id, since):
                yield update

    async def _poll(self, order_id: str, since: int) -> AsyncIterator[LiveUpdateJson]:
        while True:
            began_s = self._clock()
            order = await self.send(order_calls.get_changed(order_id, since, wait_s=WAIT_S))
            if order is not None:
                update = polled(order, [event async for event in self.history(order_id) if event["version"] > since])
                since = order["version"]
                yield update
                if is_over(update):
                    return
            elif self._clock() - began_s < WAIT_S:
                await self._sleep(POLL_EVERY_S)

    async def send(self, call: ApiCall[T]) -> T:
        request = request_for(call, self._http, self._url, self._token(), self._timeout_s)
        attempts = Attempts(self._retry_for_s, self._clock())
        outcome = await self._attempt(request)
        while (wait_s := attempts.wait_s(outcome, self._clock())) is not None:
            await self._sleep(wait_s)
            outcome = await self._attempt(request)
        return cast(T, body_of(outcome, self._url))

    async def _attempt(self, request: httpx.Request) -> Outcome:
        import httpx

        try:
            return await self._http.send(request)
        except httpx.TransportError as error:
            return error
