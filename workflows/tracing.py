"""Traces: one id from the request that places an order to every call that is made for it.

The id is the correlation of the order's first commit: 32 hexadecimal digits, as in ``traceparent`` (W3C Trace Context).
AWS X-Ray writes the same id as ``1-<8 digits>-<24 digits>``. Adapters read ``current_trace`` and pass it on, so that no
port has a parameter for it. On AWS a function also names its order to X-Ray, by a subsegment with annotations: X-Ray
finds traces by those.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from hashlib import sha256
from typing import Final

from workflows.clock import Clock

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_ROOT: Final = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)", re.IGNORECASE)
_PARENT: Final = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)", re.IGNORECASE)
_TRACE: Final = re.compile("[0-9a-f]{32}")

_current: ContextVar[str | None] = ContextVar("trace", default=None)


def trace_of_request(headers: Mapping[str, str]) -> str | None:
    """Return the trace id of a request: that of a valid ``traceparent``, else that of API Gateway's X-Ray header.

    Args:
        headers: With names in small letters.
    """
    if parts := _TRACEPARENT.fullmatch(headers.get("traceparent", "").strip()):
        return parts[1]
    if root := _ROOT.search(headers.get("x-amzn-trace-id", "")):
        return f"{root[1]}{root[2]}".lower()
    return None


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


# --- annotations ------------------------------------------------------------------------------------------------------


@contextmanager
def annotated(
    name: str, annotations: Mapping[str, str | int], clock: Clock, environment: Mapping[str, str]
) -> Iterator[None]:
    """Report the block to X-Ray as a subsegment of the running function, if Lambda samples its trace.

    The subsegment goes to the daemon of Lambda's environment as one datagram, which needs no SDK and waits for nothing.

    Args:
        annotations: X-Ray finds traces by them: ``annotation.order_id = "ord_..."``.
        environment: The process's variables. Lambda changes ``_X_AMZN_TRACE_ID`` with each call of the function.
    """
    header, daemon = environment.get("_X_AMZN_TRACE_ID", ""), environment.get("AWS_XRAY_DAEMON_ADDRESS", "")
    root, parent = _ROOT.search(header), _PARENT.search(header)
    if root is None or parent is None or "Sampled=1" not in header or not daemon:
        yield
        return
    began, is_fault = clock.now(), True
    try:
        yield
        is_fault = False
    finally:
        ended = clock.now()
        identity = f"{header} {name} {dict(annotations)} {began.timestamp()}"
        segment = {
            "name": name,
            "id": sha256(identity.encode()).hexdigest()[:16],
            "trace_id": f"1-{root[1]}-{root[2]}",
            "parent_id": parent[1],
            "type": "subsegment",
            "start_time": began.timestamp(),
            "end_time": ended.timestamp(),
            "fault": is_fault,
            "annotations": dict(annotations),
        }
        _send(segment, daemon)


def _send(segment: Mapping[str, object], daemon: str) -> None:
    host, _, port = daemon.rpartition(":")
    with suppress(OSError, ValueError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.setblocking(False)  # a trace is worth no delay of an order
        datagrams.sendto(f'{{"format": "json", "version": 1}}\n{json.dumps(segment)}'.encode(), (host, int(port)))
