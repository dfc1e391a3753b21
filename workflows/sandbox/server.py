"""The sandbox as a service: the provider protocol of ``docs/provider-api.yaml`` in front of its counterparties.

They stand side by side under ``/payments``, ``/kitchen`` and ``/couriers``. Whoever calls shows a bearer token. What
the sandbox's wire loses is answered with 503; a caller that leaves before its answer has left its effect behind.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workflows.bearer import is_token
from workflows.embedded.http.server import Message, Receive, Send
from workflows.gateways.errors import KeyMisused, Unavailable
from workflows.gateways.http import courier, kitchen, payment
from workflows.gateways.http import messages as wire
from workflows.gateways.http.provider import GARBLED, Operation
from workflows.sandbox.opening import Sandbox
from workflows.sandbox.settings import TOKEN
from workflows.sandbox.wire import STILL_RUNS

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 262_144
"""A ticket of a few hundred lines."""

CALLS_MAX = 64
"""Calls at once; the next one waits. Each is a thread, since a latency is really waited for."""

TIMEOUT_S = 120.0
"""A caller says how long it waits by leaving. Longer than any latency one would set."""

_TOKEN_FILE = "sandbox.token"


@dataclass(frozen=True, slots=True)
class _Route:
    """How to read what is asked, and the gateway's method that answers it with a receipt."""

    read: msgspec.json.Decoder[Any]
    serve: Callable[..., Any]


class _NotServed(Exception):
    """An answer that is no receipt."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.told = wire.Error(error=error, detail=detail[:500])


class TokenUnusable(ValueError):
    """What callers should show could not be shown by anybody, or could be by everybody. It is not repeated here."""


def token_of(folder: Path, environment: Mapping[str, str]) -> str:
    """What callers have to show: ``EXPEDITER_SANDBOX_TOKEN``, or what is in the folder, made when it is missing.

    Raises TokenUnusable.
    """
    given = environment.get(TOKEN, "").strip()
    file = folder / _TOKEN_FILE
    if given:
        return _token(given, TOKEN)
    if not file.exists():
        new = file.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as text:
            text.write(secrets.token_urlsafe(32))
        new.replace(file)  # all of it or nothing: an empty token would let everybody in
    try:
        return _token(file.read_text(encoding="utf-8").strip(), str(file))
    except (OSError, UnicodeDecodeError):
        raise TokenUnusable(f"{file} cannot be read as a token; delete it, and another is made") from None


def _token(text: str, source: str) -> str:
    if not is_token(text):
        raise TokenUnusable(f"{source} is empty, or is no bearer token; without it another is made")
    return text


class SandboxApp:
    """The ASGI application. ``close`` it when the server stopped."""

    def __init__(self, sandbox: Sandbox, token: str) -> None:
        """Raises ValueError for an empty token."""
        if not token:
            raise ValueError("an empty token would let everybody in")
        self._routes = _routes(sandbox)
        self._expected = f"Bearer {token}".encode()
        self._threads = ThreadPoolExecutor(CALLS_MAX, thread_name_prefix="sandbox")

    def close(self) -> None:
        """Calls under way are finished first."""
        self._threads.shutdown()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """One call, from its scope to its answer."""
        try:
            status, told = 200, await self._answer(scope, receive)
        except _NotServed as refused:
            status, told = refused.status, refused.told
        except Exception:
            log.exception("the sandbox broke", extra={"path": scope.get("path")})
            status, told = 500, wire.Error(error="broken", detail="the sandbox broke; its log says why")
        body = msgspec.json.encode(told)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> msgspec.Struct:
        headers = dict(scope["headers"])
        if not hmac.compare_digest(headers.get(b"authorization", b""), self._expected):
            raise _NotServed(401, "credential_refused", f"show the token of this sandbox: {TOKEN}, or its folder's")
        route = self._routes.get(scope["path"])
        if route is None or scope["method"] != "POST":
            raise _NotServed(404, "unknown_operation", f"the protocol has no {scope['method']} {scope['path']}"[:500])
        key = headers.get(b"idempotency-key", b"").decode("latin-1")
        if not 0 < len(key) <= 255:
            raise _NotServed(400, "malformed", "name the call by the header Idempotency-Key, 1 to 255 characters")
        request = _request(route, await _body(receive))
        return await asyncio.get_running_loop().run_in_executor(self._threads, _serve, route, request, key)


def _serve(route: _Route, request: wire.Request, key: str) -> msgspec.Struct:
    try:
        receipt = route.serve(**request.parameters(), key=key, timeout_s=TIMEOUT_S)
    except KeyMisused as misused:
        raise _NotServed(409, "key_misused", misused.first) from None
    except Unavailable as unavailable:
        if unavailable.reason == STILL_RUNS:
            raise _NotServed(409, "key_in_use", unavailable.reason) from None
        raise _NotServed(503, "unavailable", unavailable.reason) from None
    except GARBLED as malformed:  # an amount with more digits than its currency has
        raise _NotServed(400, "malformed", str(malformed)) from None
    return wire.Received(outcome="received") if receipt is None else wire.Receipt.of(receipt)


def _request(route: _Route, body: bytes) -> Any:
    try:
        return route.read.decode(body)
    except GARBLED as malformed:
        raise _NotServed(400, "malformed", str(malformed)) from None


async def _body(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message: Message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            raise _NotServed(413, "too_large", f"a request may have {BODY_BYTES_MAX} bytes")
    return bytes(body)


def _routes(sandbox: Sandbox) -> dict[str, _Route]:
    """The protocol calls an operation, and what it is given, as the gateway does."""
    bases: tuple[tuple[str, object, tuple[Operation[Any], ...]], ...] = (
        ("/payments", sandbox.payments, payment.OPERATIONS),
        ("/kitchen", sandbox.kitchen, kitchen.OPERATIONS),
        ("/couriers", sandbox.couriers, courier.OPERATIONS),
    )
    return {
        base + operation.path: _Route(msgspec.json.Decoder(operation.asks), getattr(gateway, operation.name))
        for base, gateway, operations in bases
        for operation in operations
    }
