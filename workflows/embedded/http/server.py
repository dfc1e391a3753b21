"""The HTTP front of the embedded engine: what API Gateway does on AWS, on 127.0.0.1.

A request is matched to a route of the template, its token is checked, and the function behind the route is invoked
with an API Gateway event. Whatever is refused here, or breaks behind here, is answered with a problem document.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from workflows.clock import Clock
from workflows.embedded.http import events as http_events
from workflows.embedded.http.events import Request, Response, ResultMalformed, problem
from workflows.embedded.http.tokens import AccessTokens, TokenRefused
from workflows.embedded.lambda_.functions import FunctionFailed, Functions
from workflows.embedded.template import Route, Template

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 10 * 1024 * 1024
"""The payload quota of an HTTP API."""

HEADER_BYTES_MAX = 10_240
"""Request line and header values together: the quota of an HTTP API."""

ANSWER_WITHIN_S = 30
"""The longest integration timeout of an HTTP API."""

REQUESTS_MAX = 256
"""Requests under way at once; the next is told to come again. Bounds memory: 256 bodies."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]


class PortTaken(Exception):
    """Somebody listens on this port already."""


class HttpServer:
    """Serves ``app`` on 127.0.0.1 in a thread of its own until ``close``."""

    def __init__(self, app: AsgiApp, port: int) -> None:
        """``port`` 0 takes a free one: see ``port``. Raises PortTaken."""
        import uvicorn

        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=2 * HEADER_BYTES_MAX,  # names count here, and not in the quota
            timeout_graceful_shutdown=ANSWER_WITHIN_S,
        )
        self._server: uvicorn.Server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the requests under way, then stop. Idempotent."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


class HttpApp:
    """The ASGI application."""

    def __init__(self, template: Template, functions: Functions, tokens: AccessTokens, clock: Clock) -> None:
        routes = [(route, name) for name, function in template.functions.items() for route in function.routes]
        self._routes = [(_pattern(route.path), route, name) for route, name in sorted(routes, key=_fixed_first)]
        self._functions = functions
        self._tokens = tokens
        self._clock = clock
        self._under_way = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """One request, from its scope to its response."""
        self._under_way += 1
        try:
            answer = await self._answer(scope, receive)
        except Exception:
            log.exception("a request broke the HTTP front", extra={"path": scope.get("path")})
            answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be served.")
        finally:
            self._under_way -= 1
        await _send(answer, send)

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> Response:
        if self._under_way > REQUESTS_MAX:
            return problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests are under way.", retry_after="1")
        if _header_bytes(scope) > HEADER_BYTES_MAX:
            detail = f"Request line and header values may have {HEADER_BYTES_MAX} bytes together."
            return problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        found = self._route(scope["method"], scope["path"])
        if isinstance(found, Response):
            return found
        function, route, path_parameters = found
        claims = None if route.open else self._claims(scope)
        if isinstance(claims, Response):
            return claims
        body = await _body(scope, receive)
        if body is None:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body may have {BODY_BYTES_MAX} bytes.")
        return await self._invoke(
            function, http_events.event(self._request(scope, body), route, path_parameters, claims)
        )

    def _route(self, method: str, path: str) -> tuple[str, Route, dict[str, str]] | Response:
        matches = [(route, name, found) for pattern, route, name in self._routes if (found := pattern.fullmatch(path))]
        for route, function, found in matches:
            if route.method == method:
                return function, route, found.groupdict()
        if not matches:
            return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {path}.")
        allowed = ", ".join(sorted({route.method for route, _, _ in matches}))
        return problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {allowed}.", allow=allowed)

    def _claims(self, scope: Mapping[str, Any]) -> Mapping[str, Any] | Response:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        scheme, _, token = (sent[0] if len(sent) == 1 else b"").decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            detail = "Send an access token: Authorization: Bearer ..."
            return problem(HTTPStatus.UNAUTHORIZED, detail, www_authenticate="Bearer")
        try:
            return self._tokens.claims(token.strip())
        except TokenRefused as refused:
            why = f'Bearer error="invalid_token", error_description="{refused}"'
            return problem(HTTPStatus.UNAUTHORIZED, f"Not allowed in: {refused}.", www_authenticate=why)

    def _request(self, scope: Mapping[str, Any], body: bytes) -> Request:
        return Request(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
            body=body,
            protocol=f"HTTP/{scope['http_version']}",
            source_ip=scope["client"][0] if scope.get("client") else "",
            request_id=str(uuid4()),
            at=self._clock.now(),
        )

    async def _invoke(self, function: str, event: dict[str, Any]) -> Response:
        request_id = event["requestContext"]["requestId"]
        try:
            result = await asyncio.wait_for(
                asyncio.wrap_future(self._functions.invoke(function, event)), ANSWER_WITHIN_S
            )
            return http_events.response(result)
        except (TimeoutError, asyncio.CancelledError):
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "There was no answer in time; ask again.", retry_after="1")
        except FunctionFailed as failure:
            extra = {"function": function, "route": event["routeKey"], "request_id": request_id, "trace": failure.trace}
            log.error("a function failed: %s", failure.error, extra=extra)
        except ResultMalformed as malformed:
            extra = {"function": function, "route": event["routeKey"], "request_id": request_id}
            log.error("a function gave no HTTP response: %s", malformed, extra=extra)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"The request {request_id} failed; its cause is in the log.")


def _pattern(path: str) -> re.Pattern[str]:
    """``/orders/{order_id}`` -> ``/orders/(?P<order_id>[^/]+)``."""
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)))


def _fixed_first(entry: tuple[Route, str]) -> int:
    """A fixed path wins over one with parameters, as at API Gateway."""
    return entry[0].path.count("{")


def _header_bytes(scope: Mapping[str, Any]) -> int:
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"])
    return line + sum(len(value) for _, value in scope["headers"])


async def _body(scope: Mapping[str, Any], receive: Receive) -> bytes | None:
    """The whole body, or None once it is too large: what is said to be too large is not even read."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if int(said) > BODY_BYTES_MAX:
        return None
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


async def _send(answer: Response, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [header for header in headers if header[0] != b"content-length"]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": answer.body})


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on 127.0.0.1:{port} ({error.strerror}); choose another port") from error
    return listener
