"""Problem documents (RFC 9457): the one shape of every error that the HTTP front itself answers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse


def problem(status: HTTPStatus, detail: str, **headers: str) -> JSONResponse:
    """Return an error response.

    Args:
        headers: More headers, their names written with underscores: ``retry_after="1"``.
    """
    body = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status.value, sent, media_type="application/problem+json")
