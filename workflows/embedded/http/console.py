"""Serves the web console at ``/console``, and logs a browser in with a one-time code.

``expediter console`` has a token and sends it to ``POST /console/login-codes``; the code that it gets is in the address
that it opens in a browser, after the ``#``, where it is neither sent nor logged. The page sends the code to ``POST
/console/token`` and gets that same token, once. So a token is never in an address, a history or a log.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from workflows.console.files import ConsoleFile, ConsoleFiles
from workflows.console.policy import other_origins, security_headers
from workflows.embedded.http.problems import problem
from workflows.embedded.http.requests import BodyTooLarge, read_body
from workflows.embedded.http.tokens import AccessTokens, TokenRefused

CODE_TTL_S = 60
"""A browser opens within a second or two."""

CODES_MAX = 256
"""Codes that wait for their browser at once; the oldest are forgotten."""

_BODY_BYTES_MAX = 1024

_NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class _PendingLogin:
    token: str
    until_s: float


class LoginCodes:
    """One-time codes for tokens. Used on the server's event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pending: dict[bytes, _PendingLogin] = {}

    def issue(self, token: str) -> str:
        """Return a code for the token. It is valid once, for ``CODE_TTL_S``."""
        now_s = self._clock()
        self._pending = {name: kept for name, kept in self._pending.items() if kept.until_s > now_s}
        if len(self._pending) >= CODES_MAX:
            del self._pending[next(iter(self._pending))]
        code = secrets.token_urlsafe(32)
        self._pending[_name(code)] = _PendingLogin(token, now_s + CODE_TTL_S)
        return code

    def redeem(self, code: str) -> str | None:
        """Return the token of a code, and forget the code; None if it is unknown, used or expired."""
        pending = self._pending.pop(_name(code), None)
        return pending.token if pending is not None and pending.until_s > self._clock() else None


def console_routes(tokens: AccessTokens, files: ConsoleFiles | None = None) -> list[Route]:
    """Return the routes of the console."""
    found, codes = files or ConsoleFiles(), LoginCodes()

    async def make_code(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise TokenRefused("send an access token: Authorization: Bearer ...")
            tokens.claims(token.strip())
        except TokenRefused as refused:
            return problem(HTTPStatus.UNAUTHORIZED, f"Not authorized: {refused}.", www_authenticate="Bearer")
        code = codes.issue(token.strip())
        expires_at = datetime.fromtimestamp(time.time() + CODE_TTL_S, UTC).isoformat(timespec="seconds")
        return JSONResponse({"code": code, "expires_at": expires_at}, HTTPStatus.CREATED, _NO_STORE)

    async def exchange(request: Request) -> Response:
        try:
            body = json.loads(await read_body(request, _BODY_BYTES_MAX))
            code = body["code"]
        except (BodyTooLarge, ClientDisconnect, ValueError, KeyError, TypeError):
            return problem(HTTPStatus.BAD_REQUEST, 'Send {"code": "..."}.')
        token = codes.redeem(code) if isinstance(code, str) else None
        if token is None:
            detail = "This code was used already or has expired. Run expediter console again for a new one."
            return problem(HTTPStatus.UNAUTHORIZED, detail, cache_control="no-store")
        return JSONResponse({"token": token}, headers=_NO_STORE)

    def page(request: Request) -> Response:
        path = request.path_params["path"]
        file = found.find(path)
        if file is None and _is_page(path):
            missing = found.missing()
            if missing:
                return _missing(found, missing)
            file = found.find("index.html")
        if file is None:
            return problem(HTTPStatus.NOT_FOUND, f"There is nothing at {request.scope['path']}.")
        return _sent(request, file, other_origins(found.config()))

    async def served(request: Request) -> Response:
        return await asyncio.to_thread(page, request)  # reads files

    async def to_folder(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/console/{query}", HTTPStatus.PERMANENT_REDIRECT)  # a fragment stays by itself

    return [
        Route("/console/login-codes", make_code, methods=["POST"]),
        Route("/console/token", exchange, methods=["POST"]),
        Route("/console", to_folder),
        Route("/console/{path:path}", served),
    ]


def _is_page(path: str) -> bool:
    """Whether a path is one of the console's own addresses, which the page interprets."""
    return "." not in path.rpartition("/")[2]


def _sent(request: Request, file: ConsoleFile, origins: Sequence[str]) -> Response:
    headers = {"etag": file.etag, "cache-control": file.cache_control, "vary": "accept-encoding"}
    headers |= {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
    if file.content_type.startswith("text/html"):
        headers |= security_headers(file.content, origins)
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    body = file.content
    if file.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        body = file.compressed
        headers["content-encoding"] = "gzip"
    return Response(body, headers={**headers, "content-type": file.content_type})


def _missing(files: ConsoleFiles, names: list[str]) -> Response:
    """Answer that the libraries are not installed, and how to get them."""
    file = files.find("missing.html")
    content = (file.content if file else b"%LIBRARIES%").replace(b"%LIBRARIES%", ", ".join(names).encode())
    headers = {**security_headers(content), "cache-control": "no-store", "content-type": "text/html; charset=utf-8"}
    return Response(content, HTTPStatus.SERVICE_UNAVAILABLE, headers)


def _name(code: str) -> bytes:
    """Return what a code is kept under, so that the memory holds no usable code."""
    return sha256(code.encode("utf-8", "replace")).digest()
