"""Problem documents (RFC 9457): the one shape of every error that the HTTP front itself answers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

PROBLEM_JSON = "application/problem+json"


def problem_json(status: HTTPStatus, detail: str, path: str) -> dict[str, str | int]:
    """Return a problem document about the request of this path."""
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": path,
    }


class ProblemResponse(Response):
    """An error response. It learns its ``instance``, the path of the request, when it is sent."""

    def __init__(self, status: HTTPStatus, detail: str, headers: dict[str, str]) -> None:
        super().__init__(status_code=status.value, headers=headers)
        self._sent_headers = headers
        self._status = status
        self._detail = detail

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = problem_json(self._status, self._detail, scope["path"])
        response = JSONResponse(body, self.status_code, self._sent_headers, media_type=PROBLEM_JSON)
        await response(scope, receive, send)


def problem(status: HTTPStatus, detail: str, **headers: str) -> ProblemResponse:
    """Return an error response.

    Args:
        headers: More headers, their names written with underscores: ``retry_after="1"``.
    """
    return ProblemResponse(status, detail, {name.replace("_", "-"): value for name, value in headers.items()})
