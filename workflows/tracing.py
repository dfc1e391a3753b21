"""Traces: one id from the request that places an order to every call that is made for it.

The id is the correlation of the order's first commit: 32 hexadecimal digits, as in ``traceparent`` (W3C Trace Context).
AWS X-Ray writes the same id as ``1-<8 digits>-<24 digits>``. Adapters read ``current_trace`` and pass it on, so that no
port has a parameter for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Final

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_ROOT: Final = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)", re.IGNORECASE)
_TRACE: Final = re.compile("[0-9a-f]{32}")

_current: ContextVar[str | None] = ContextVar("trace", default=None)


def trace_of_request(headers: Mapping[str, str]) -> str | None:
    """Return the trace id of a request: that of a valid ``traceparent``, else that of API Gateway's X-Ray header.

    Args:
        headers: With names in small letters.
    """
    if parts := _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip()):
        return parts[1]
    return trace_of_xray(headers.get("x-amzn-trace-id", ""))


def trace_of_xray(header: str) -> str | None:
    """Return the trace id in a header as AWS passes it on; None if it has none."""
    root = _ROOT.search(header)
    return f"{root[1]}{root[2]}".lower() if root else None


def trace_in(correlation: str) -> str | None:
    """Return a correlation if it is a trace id. That of a request without a trace is the id of the request."""
    return correlation if _TRACE.fullmatch(correlation) else None


@contextmanager
def tracing() -> Iterator[None]:
    """Forget at the end which trace was followed inside."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def follow(correlation: str) -> None:
    """Make the trace of an order the current one, if its correlation is a trace id."""
    _current.set(trace_in(correlation))


def current_trace() -> str | None:
    """Return the trace id that calls made now belong to."""
    return _current.get()


def xray_header(trace: str) -> str:
    """Return the trace as AWS passes it on. It does not say whether the trace is sampled: X-Ray's rules decide that."""
    return f"Root=1-{trace[:8]}-{trace[8:]}"


def provider_headers(key: str) -> Mapping[str, str]:
    """Return the headers that carry the current trace to a provider; none without a trace.

    Args:
        key: The call's idempotency key. The id of the call's span follows from it, so that a repeated call is one span.
    """
    trace = current_trace()
    if trace is None:
        return {}
    span = sha256(key.encode()).hexdigest()[:16]
    return {"traceparent": f"00-{trace}-{span}-01", "X-Amzn-Trace-Id": xray_header(trace)}
