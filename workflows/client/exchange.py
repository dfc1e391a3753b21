"""The rules of a request and its answer, without I/O: headers, how often to repeat, and what an answer means."""

from __future__ import annotations

import random
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from .api_call import ApiCall
from .errors import ApiProblem, EngineUnreachable, InvalidBearerToken

if TYPE_CHECKING:
    import httpx

Outcome: TypeAlias = "httpx.Response | httpx.TransportError"
"""How one attempt ended."""

RETRY_FOR_S = 10.0
"""How long a request is repeated by default: an engine that restarts is back within about three seconds."""

FIRST_WAIT_S, WAIT_MAX_S = 0.1, 1.0
"""The wait between attempts doubles from the first to the second, with jitter of half of it."""

RETRY_AFTER_MAX_S = 10.0
"""A longer ``Retry-After`` is cut to this."""

_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

_ANSWERED_BY_API_GATEWAY = {401, 403, 429, 500, 502, 503, 504}
"""API Gateway answers these itself, as ``{"message": ...}``, before or instead of a function."""


class Attempts:
    """Decides whether and when one request is sent again. Times are seconds of a clock that never goes back."""

    def __init__(self, retry_for_s: float, now: float) -> None:
        self._deadline = now + retry_for_s
        self._wait_s = FIRST_WAIT_S

    def wait_s(self, outcome: Outcome, now: float) -> float | None:
        """Return the seconds until the next attempt; None if this one was the last."""
        if now >= self._deadline or not _is_temporary(outcome):
            return None
        wait_s = max(random.uniform(self._wait_s / 2, self._wait_s), _retry_after_s(outcome))
        self._wait_s = min(WAIT_MAX_S, self._wait_s * 2)
        return wait_s


def request_for(
    call: ApiCall[Any], http: httpx.Client | httpx.AsyncClient, url: str, token: str, timeout_s: float
) -> httpx.Request:
    """Return the request that sends a call to the engine at ``url``.

    Raises:
        EngineUnreachable, InvalidBearerToken: The address or the token cannot be used.
        ValueError: A header cannot carry its text, such as a reason of several lines.
    """
    import httpx

    for name, value in call.headers.items():
        if not value.isascii() or not value.isprintable():
            raise ValueError(f"{name}: use printable ASCII characters")
    headers = {"Authorization": f"Bearer {_checked(token.strip())}", **call.headers}
    try:
        return http.build_request(
            call.method, url + call.path, json=call.body, params=call.query or None, headers=headers, timeout=timeout_s
        )
    except httpx.InvalidURL as error:
        raise EngineUnreachable(f"{url} is not the address of an engine: {error}") from error


def body_of(outcome: Outcome, url: str) -> Any:
    """Return the JSON of an answer; None for 304 Not Modified. Raises ApiProblem, EngineUnreachable."""
    import httpx

    if isinstance(outcome, httpx.UnsupportedProtocol):
        raise EngineUnreachable(f"{url} is not the address of an engine: {outcome}") from outcome
    if isinstance(outcome, httpx.TransportError):
        raise EngineUnreachable(f"no engine answers at {url}: {outcome or type(outcome).__name__}") from outcome
    if outcome.status_code == HTTPStatus.NOT_MODIFIED:
        return None
    try:
        body = outcome.json()
    except ValueError:
        body = None
    if isinstance(body, dict) and outcome.is_success:
        return body
    if isinstance(body, dict) and outcome.is_error and "detail" in body:
        raise _problem(outcome.status_code, body)
    if isinstance(body, dict) and "message" in body and outcome.status_code in _ANSWERED_BY_API_GATEWAY:
        title = str(body["message"])
        raise ApiProblem(outcome.status_code, "about:blank", title, f"{title} (answered by the API's gateway)", ())
    raise EngineUnreachable(f"{url} answers, but not as Expediter does (HTTP {outcome.status_code})")


def _checked(token: str) -> str:
    """Return the token. HTTP libraries quote a bad header in their errors, which would reveal it."""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidBearerToken
    return token


def _problem(status: int, body: Mapping[str, Any]) -> ApiProblem:
    errors = tuple((str(error["field"]), str(error["problem"])) for error in body.get("errors", ()))
    title, detail = str(body.get("title", "")), str(body["detail"])
    return ApiProblem(status, str(body.get("type", "about:blank")), title, detail, errors)


def _is_temporary(outcome: Outcome) -> bool:
    import httpx

    if isinstance(outcome, httpx.TransportError):
        return not isinstance(outcome, httpx.UnsupportedProtocol)
    return outcome.status_code in _BUSY and not _is_lasting(outcome)


def _is_lasting(response: httpx.Response) -> bool:
    """Whether a 503 is the engine's word that this deployment lacks a part: it names no time to come back."""
    is_problem = response.headers.get("content-type", "").startswith("application/problem+json")
    return is_problem and "retry-after" not in response.headers


def _retry_after_s(outcome: Outcome) -> float:
    header = getattr(outcome, "headers", {}).get("retry-after", "")  # a failed connection has no headers
    return min(float(header), RETRY_AFTER_MAX_S) if header.isdecimal() else 0.0
