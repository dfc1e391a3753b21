"""Routes HTTP requests to functions: an HTTP API of Amazon API Gateway with a JWT authorizer.

A request is matched to a route of the template, its token is checked, and the function behind the route is invoked with
an API Gateway event. Every error that arises here is a problem document (RFC 9457).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflows.clock import Clock
from workflows.embedded.http import payload_format
from workflows.embedded.http.console import console_routes
from workflows.embedded.http.from_hub import FromHub
from workflows.embedded.http.payload_format import HttpRequest, HttpResponse, ResultMalformed
from workflows.embedded.http.probes import MetricSource, probe_routes
from workflows.embedded.http.problems import problem
from workflows.embedded.http.requests import BodyTooLarge, read_body
from workflows.embedded.http.routes import RouteTable, RouteTarget, methods_at
from workflows.embedded.http.server import HEADER_BYTES_MAX
from workflows.embedded.http.tokens import AccessTokens, TokenRefused
from workflows.embedded.lambda_.functions import FunctionFailed, Functions
from workflows.embedded.template import Template

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from workflows.embedded.http.live import LiveFront

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 10 * 1024 * 1024
"""The payload quota of an HTTP API."""

ANSWER_WITHIN_S = 30
"""The longest integration timeout of an HTTP API."""

REQUESTS_MAX = 256
"""Function calls for requests at once; one more is answered 429. A request that is still arriving is not counted."""

CALLS_PER_CALLER_MAX = REQUESTS_MAX // 2
"""Of these, for requests with the same token subject, so that one caller leaves places to others."""


class HttpApi:
    """Answers the requests of one engine. ``app`` is the ASGI application."""

    def __init__(
        self,
        template: Template,
        functions: Functions,
        tokens: AccessTokens,
        clock: Clock,
        *,
        failure: Callable[[], BaseException | None] = lambda: None,
        metrics: Sequence[MetricSource] = (),
        live: LiveFront | None = None,
    ) -> None:
        """Build the application.

        Args:
            live: Serves sockets, and lets reads wait for a change. Without it they are answered at once.
            failure: Returns why the engine cannot continue, or None while it works; for ``/health/ready``.
            metrics: Served at ``/metrics`` beside the counts of requests.
        """
        self._functions = functions
        self._tokens = tokens
        self._clock = clock
        self._live = live
        self._calls: Counter[str] = Counter()  # under way, by token subject
        self._requests: Counter[tuple[str, int]] = Counter()  # answered, by route key and status
        self._results = FromHub()
        table = RouteTable(template.functions)
        self.app = Starlette(
            routes=[
                *table.routes,
                *probe_routes(failure, (self, *metrics)),
                *console_routes(tokens),
                *(() if live is None else live.routes),
            ],
            middleware=[
                Middleware(_CountRequests, self._requests),
                Middleware(_LimitHead),
                Middleware(_ServeFunctions, table, self._answer),
            ],
            exception_handlers={HTTPException: _not_routed, Exception: _broken},
        )
        self.app.router.redirect_slashes = False

    def collect(self) -> Iterator[Metric]:
        """Yield the counts of requests: this object is a ``MetricSource``."""
        from prometheus_client.core import CounterMetricFamily

        words = "Requests answered, by route; empty if no route of the template matched."
        requests = CounterMetricFamily("expediter_http_requests", words, labels=["route", "status"])
        for (route, status), count in list(self._requests.items()):
            requests.add_metric([route, str(status)], count)
        yield requests

    async def _answer(self, target: RouteTarget, request: Request) -> Response:
        claims = None if target.route.open else self._claims(request)
        body = await read_body(request, BODY_BYTES_MAX)
        sent = self._as_sent(request, target.route.method, body)
        event = payload_format.event(sent, target.route, request.path_params, claims)
        caller = "" if claims is None else str(claims["sub"])
        if self._live is not None and "wait_s" in request.query_params and "order_id" in request.path_params:
            return await self._answer_change(self._live, target.function, event, caller)
        return await self._answer_now(target.function, event, caller)

    async def _answer_now(self, function: str, event: dict[str, Any], caller: str) -> Response:
        with self._place(caller):
            return await self._invoke(function, event)

    async def _answer_change(self, live: LiveFront, function: str, event: dict[str, Any], caller: str) -> Response:
        """Answer a conditional read; while its answer is 304, wait for the order's next commit and read again.

        A read that waits holds neither a task nor a place for a call.
        """
        until_s: float | None = None
        while True:
            with live.changes_of(event["pathParameters"]["order_id"], caller) as changed:
                response = await self._answer_now(function, event, caller)
                if response.status_code != HTTPStatus.NOT_MODIFIED or changed is None:
                    return response
                now_s = time.monotonic()
                if until_s is None:
                    until_s = now_s + float(event["queryStringParameters"]["wait_s"])
                try:
                    async with asyncio.timeout(until_s - now_s):
                        await changed.wait()
                except TimeoutError:
                    return response
                if live.is_closed:
                    return response

    @contextmanager
    def _place(self, caller: str) -> Iterator[None]:
        """Take a place for a function call. Raises _TooManyRequests."""
        if self._calls.total() >= REQUESTS_MAX or self._calls[caller] >= CALLS_PER_CALLER_MAX:
            raise _TooManyRequests
        self._calls[caller] += 1
        try:
            yield
        finally:
            self._calls[caller] -= 1
            if not self._calls[caller]:
                del self._calls[caller]

    def _claims(self, request: Request) -> Mapping[str, Any]:
        """Return the claims of the request's token. Raises _TokenMissing or TokenRefused."""
        sent = request.headers.getlist("authorization")
        scheme, _, token = (sent[0] if len(sent) == 1 else "").partition(" ")
        if scheme.lower() != "bearer":
            raise _TokenMissing
        return self._tokens.claims(token.strip())

    def _as_sent(self, request: Request, method: str, body: bytes) -> HttpRequest:
        return HttpRequest(
            method=method,
            path=request.scope["path"],
            query=request.scope["query_string"].decode("latin-1"),
            headers=tuple(request.headers.items()),
            body=body,
            protocol=f"HTTP/{request.scope['http_version']}",
            source_ip=request.client.host if request.client else "",
            request_id=str(uuid4()),
            at=self._clock.now(),
        )

    async def _invoke(self, function: str, event: dict[str, Any]) -> Response:
        request_id = event["requestContext"]["requestId"]
        extra = {"function": function, "route": event["routeKey"], "request_id": request_id}
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                result = await self._results.expect(self._functions.invoke(function, event))
            return _as_response(payload_format.response(result))
        except (TimeoutError, asyncio.CancelledError):
            detail = "The function did not answer in time; send the request again."
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after="1")
        except FunctionFailed as failure:
            log.error("a function failed: %s", failure.error, extra={**extra, "trace": failure.trace})
        except ResultMalformed as malformed:
            log.error("a function returned no HTTP response: %s", malformed, extra=extra)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"The request {request_id} failed; its cause is in the log.")


class _TokenMissing(Exception):
    """The request has no bearer token, or several authorization headers, so that its caller is unclear."""


class _TooManyRequests(Exception):
    """All places for function calls are taken, or those of one caller."""


class _CountRequests:
    """Counts the responses by route and status."""

    def __init__(self, app: ASGIApp, requests: Counter[tuple[str, int]]) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests[scope.get("route_key", ""), message["status"]] += 1
            await send(message)

        await self._app(scope, receive, counted)


class _ServeFunctions:
    """Serves the routes of the template, and leaves all other requests to Starlette.

    Starlette would compare a request with each route in turn, and run it through five more layers.
    """

    def __init__(
        self, app: ASGIApp, table: RouteTable, answer: Callable[[RouteTarget, Request], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._table = table
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._table.match(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        target, scope["path_params"] = found
        scope["route_key"] = target.route.key
        request = Request(scope, receive)
        try:
            response = await self._answer(target, request)
        except tuple(_REFUSED) as refusal:
            response = _REFUSED[type(refusal)](request, refusal)
        await response(scope, receive, send)


class _LimitHead:
    """Answers 431 to requests whose head is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _header_bytes(scope) > HEADER_BYTES_MAX:
            detail = f"Request line and header values may have {HEADER_BYTES_MAX} bytes together."
            await problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _header_bytes(scope: Scope) -> int:
    line = len(scope.get("method", "GET")) + len(scope["raw_path"]) + len(scope["query_string"])
    return line + sum(len(value) for _, value in scope["headers"])


def _as_response(response: HttpResponse) -> Response:
    answer = Response(response.body, response.status)
    length = [(name, value) for name, value in answer.raw_headers if name == b"content-length"]
    sent = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in response.headers]
    answer.raw_headers = [*((name, value) for name, value in sent if name != b"content-length"), *length]
    return answer


async def _not_routed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.scope["path"]
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(methods_at(request.app.routes, path))
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {allowed}.", allow=allowed)
    return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {path}.")


async def _broken(_request: Request, _error: Exception) -> Response:
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be served.")  # uvicorn logs the error


def _body_too_large(_request: Request, error: Exception) -> Response:
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))


def _disconnected(request: Request, _error: Exception) -> Response:
    """Return what the request counts as. It is not sent: the caller left, or the connection has answered 408."""
    status = HTTPStatus.REQUEST_TIMEOUT if request.scope.get("late") else HTTPStatus.BAD_REQUEST
    return problem(status, "The body ended early.")


def _token_missing(_request: Request, _error: Exception) -> Response:
    detail = "Send an access token: Authorization: Bearer ..."
    return problem(HTTPStatus.UNAUTHORIZED, detail, www_authenticate="Bearer")


def _too_many_requests(_request: Request, _error: Exception) -> Response:
    return problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests are under way.", retry_after="1")


def _token_refused(_request: Request, error: Exception) -> Response:
    why = f'Bearer error="invalid_token", error_description="{error}"'
    return problem(HTTPStatus.UNAUTHORIZED, f"Not authorized: {error}.", www_authenticate=why)


_REFUSED: dict[type[Exception], Callable[[Request, Exception], Response]] = {
    BodyTooLarge: _body_too_large,
    ClientDisconnect: _disconnected,
    _TokenMissing: _token_missing,
    _TooManyRequests: _too_many_requests,
    TokenRefused: _token_refused,
}
"""The answers to requests that the front refuses before their function, or instead of it."""
