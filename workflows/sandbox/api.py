"""Serves the sandbox over the provider protocol of ``docs/provider-api.yaml``.

The three providers are mounted under ``/payments``, ``/kitchen`` and ``/couriers``. Callers send a bearer token. A call
that the simulated network loses is answered 503. If the caller disconnects before its answer, the effect stands.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.picklable import Picklable
from workflows.bearer import is_token
from workflows.boundary.private_files import write_private
from workflows.embedded.http.requests import BodyTooLarge, read_body
from workflows.gateways.errors import KeyMisused, Unavailable
from workflows.gateways.http import courier, kitchen, messages, payment
from workflows.gateways.http.provider import UNREADABLE, Operation
from workflows.sandbox.network import STILL_RUNS
from workflows.sandbox.opening import Sandbox
from workflows.sandbox.settings import TOKEN

BODY_BYTES_MAX = 262_144
"""A ticket of a few hundred lines."""

CALLS_MAX = 64
"""Calls at once; the next one waits. Each takes a thread, because a latency is a real sleep."""

TIMEOUT_S = 120.0
"""Longer than any latency one would set. A caller that waits for less disconnects."""

_TOKEN_FILE = "sandbox.token"


class SandboxTokenUnusable(ValueError):
    """The configured token is empty or is not a bearer token. The message does not repeat it."""


def token_of(folder: Path, environment: Mapping[str, str]) -> str:
    """Return the token that callers must send.

    It is ``EXPEDITER_SANDBOX_TOKEN`` if that is set, else the one in the folder, which is created if it is missing.

    Raises:
        SandboxTokenUnusable: The variable or the file holds no bearer token.
    """
    configured = environment.get(TOKEN, "").strip()
    file = folder / _TOKEN_FILE
    if configured:
        return _token(configured, TOKEN)
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32))
    try:
        return _token(file.read_text(encoding="utf-8").strip(), str(file))
    except (OSError, UnicodeDecodeError):
        raise SandboxTokenUnusable(f"{file} cannot be read as a token; delete it to get a new one") from None


def _token(text: str, source: str) -> str:
    if not is_token(text):
        raise SandboxTokenUnusable(f"{source} is empty or is not a bearer token; without it a new one is created")
    return text


class SandboxApi:
    """Answers the calls of the provider protocol. ``app`` is the ASGI application; ``close`` it after the server."""

    def __init__(self, sandbox: Sandbox, token: str) -> None:
        """Raises ValueError for an empty token."""
        if not token:
            raise ValueError("an empty token would admit every caller")
        self._threads = ThreadPoolExecutor(CALLS_MAX, thread_name_prefix="sandbox")
        self.app = Starlette(
            routes=[
                Route(path, partial(self._answer, call, msgspec.json.Decoder(operation.request)), methods=["POST"])
                for path, operation, call in _operations(sandbox)
            ],
            middleware=[Middleware(_RequireToken, token)],
            exception_handlers={
                HTTPException: _unknown_operation,
                BodyTooLarge: _body_too_large,
                _CallRefused: _refused,
                Exception: _broken,
            },
        )
        self.app.router.redirect_slashes = False

    def close(self) -> None:
        """Finish the calls under way. Idempotent."""
        self._threads.shutdown()

    async def _answer(
        self, call: Callable[..., Any], decoder: msgspec.json.Decoder[messages.RequestMessage], request: Request
    ) -> Response:
        key = request.headers.get("idempotency-key", "")
        if not 0 < len(key) <= 255:
            raise _CallRefused(400, "malformed", "name the call by the header Idempotency-Key, 1 to 255 characters")
        message = _decoded(decoder, await read_body(request, BODY_BYTES_MAX))
        loop = asyncio.get_running_loop()
        return _json(200, await loop.run_in_executor(self._threads, _call, call, message, key))


def _operations(sandbox: Sandbox) -> list[tuple[str, Operation[Any], Callable[..., Any]]]:
    """Path, operation and the gateway's method: the protocol names operations and parameters as the gateways do."""
    providers: tuple[tuple[str, object, tuple[Operation[Any], ...]], ...] = (
        ("/payments", sandbox.payments, payment.OPERATIONS),
        ("/kitchen", sandbox.kitchen, kitchen.OPERATIONS),
        ("/couriers", sandbox.couriers, courier.OPERATIONS),
    )
    return [
        (base + operation.path, operation, getattr(gateway, operation.name))
        for base, gateway, operations in providers
        for operation in operations
    ]


def _call(call: Callable[..., Any], message: messages.RequestMessage, key: str) -> msgspec.Struct:
    try:
        receipt = call(**message.parameters(), key=key, timeout_s=TIMEOUT_S)
    except KeyMisused as misused:
        raise _CallRefused(409, "key_misused", misused.first) from None
    except Unavailable as unavailable:
        if unavailable.reason == STILL_RUNS:
            raise _CallRefused(409, "key_in_use", unavailable.reason) from None
        raise _CallRefused(503, "unavailable", unavailable.reason) from None
    except UNREADABLE as malformed:  # an amount with more digits than its currency has
        raise _CallRefused(400, "malformed", str(malformed)) from None
    return messages.ReceivedMessage(outcome="received") if receipt is None else messages.Receipt.of(receipt)


def _decoded(decoder: msgspec.json.Decoder[messages.RequestMessage], body: bytes) -> messages.RequestMessage:
    try:
        return decoder.decode(body)
    except UNREADABLE as malformed:
        raise _CallRefused(400, "malformed", str(malformed)) from None


class _RequireToken:
    """Answers 401 to requests without the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = Headers(scope=scope).get("authorization", "").encode("latin-1")
        if hmac.compare_digest(sent, self._expected):
            await self._app(scope, receive, send)
            return
        detail = f"send the sandbox's token: {TOKEN}, or the one in its folder"
        await _error(401, "credential_refused", detail)(scope, receive, send)


class _CallRefused(Picklable, Exception):
    """A call is answered with an error instead of a receipt."""

    def __init__(self, status: int, error: str, detail: str) -> None:
        super().__init__(detail)
        self.response = _error(status, error, detail)


def _error(status: int, error: str, detail: str) -> Response:
    return _json(status, messages.ErrorMessage(error=error, detail=detail[:500]))


def _json(status: int, message: msgspec.Struct) -> Response:
    return Response(msgspec.json.encode(message), status, media_type="application/json")


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, _CallRefused)
    return error.response


async def _unknown_operation(request: Request, _error_: Exception) -> Response:
    return _error(404, "unknown_operation", f"the protocol has no {request.method} {request.scope['path']}")


async def _body_too_large(_request: Request, error: Exception) -> Response:
    return _error(413, "too_large", str(error))


async def _broken(_request: Request, _error_: Exception) -> Response:
    return _error(500, "broken", "the sandbox failed; its log has the cause")  # uvicorn logs the error
