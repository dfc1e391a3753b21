"""The asynchronous client: the same methods as ``ExpediterClient``, to be awaited."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

from . import calls
from .calls import ApiCall
from .exchange import RETRY_FOR_S, Attempts, Outcome, body_of, request_for
from .methods import AsyncMethods
from .order_json import EventJson

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")


class AsyncExpediterClient(AsyncMethods):
    """Sends requests to an engine. Use it with ``async with``, or ``close`` it. Tasks of one event loop may share it.

    The methods are those of ``calls``. All of them raise:
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

    async def history(self, order_id: str, page_size: int = 100) -> AsyncIterator[EventJson]:
        """Read all events of an order, oldest first, page by page."""
        cursor: str | None = None
        while True:
            page = await self.send(calls.history_page(order_id, page_size, cursor))
            for event in page["events"]:
                yield event
            if (cursor := page["next"]) is None:
                return

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
