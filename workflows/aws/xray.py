"""A function names its order to X-Ray: by a subsegment with annotations, by which X-Ray finds traces."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Final

from workflows.clock import Clock
from workflows.tracing import trace_of_xray, xray_header

_PARENT: Final = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)", re.IGNORECASE)


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
    trace, parent = trace_of_xray(header), _PARENT.search(header)
    if trace is None or parent is None or "Sampled=1" not in header or not daemon:
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
            "trace_id": xray_header(trace).removeprefix("Root="),
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
