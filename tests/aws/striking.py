"""Inject a fault into a single AWS call through botocore's own events, and record all calls."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

ROOT = Path(__file__).parents[2]


class Fault(StrEnum):
    """A fault of a call. "Carried out" means that AWS executed the call and its answer was lost."""

    ERROR_BEFORE = "an error, not carried out"
    ERROR_AFTER = "an error, carried out"
    TIMEOUT_BEFORE = "a timeout, not carried out"
    TIMEOUT_AFTER = "carried out twice by botocore's retry, then a timeout"
    REPEATED = "carried out, the answer lost, repeated by botocore"
    KILLED_BEFORE = "the process killed before it"
    KILLED_AFTER = "the process killed after it"


READS = frozenset({"GetItem", "Query", "Scan", "Decrypt"})
"""Operations that only read: it makes no difference whether or how often they were carried out."""


def faults_of(operation: str) -> tuple[Fault, ...]:
    """Return the faults that make a difference for an operation."""
    if operation in READS:
        return (Fault.ERROR_BEFORE, Fault.TIMEOUT_BEFORE, Fault.KILLED_BEFORE)
    return tuple(Fault)


class Killed(BaseException):
    """Lambda ended the process: no code can handle it."""


class Site(NamedTuple):
    """A place in the code that calls AWS: the operation and the call stack, innermost frame first."""

    operation: str
    stack: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.operation} at {' < '.join(self.stack)}"


class Striker:
    """Record the calls of clients and strike one. Calls count from 0 since the last ``watch``; ``sites`` lists them."""

    def __init__(self, clients: Iterable[Any]) -> None:
        self.sites: list[Site] = []
        self.struck: Site | None = None
        self._plan: tuple[int, Fault] | None = None
        self._repeats = 0
        for client in clients:
            events = client.meta.events
            events.register_first("before-call", self._before)
            events.register_first("needs-retry", self._needs_retry)
            events.register_first("after-call", self._after)

    def watch(self, plan: tuple[int, Fault] | None = None) -> None:
        """Start counting from 0; strike the planned call with the planned fault."""
        self.sites, self.struck, self._plan, self._repeats = [], None, plan, 0

    def _before(self, model: Any, **_: Any) -> Any:
        self.sites.append(Site(model.name, _our_stack()))
        match self._fault():
            case Fault.ERROR_BEFORE:
                return SimpleNamespace(status_code=500), _internal_error()
            case Fault.TIMEOUT_BEFORE:
                raise ConnectTimeoutError(endpoint_url="injected")
            case Fault.KILLED_BEFORE:
                raise Killed
        return None

    def _needs_retry(self, **_: Any) -> int | None:
        """Return 0 to repeat the call without delay, None to leave it to botocore."""
        if self._fault() in {Fault.REPEATED, Fault.TIMEOUT_AFTER} and self._repeats == 0:
            self._repeats += 1
            return 0
        return None

    def _after(self, http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
        match self._fault():
            case Fault.ERROR_AFTER:
                http_response.status_code = 500
                parsed.clear()
                parsed.update(_internal_error())
            case Fault.TIMEOUT_AFTER:
                raise ReadTimeoutError(endpoint_url="injected")
            case Fault.KILLED_AFTER:
                raise Killed

    def _fault(self) -> Fault | None:
        """Return the fault planned for the current call."""
        if self._plan is None or self._plan[0] != len(self.sites) - 1:
            return None
        self.struck = self.sites[-1]
        return self._plan[1]


def _internal_error() -> dict[str, Any]:
    error = {"Code": "InternalServerError", "Message": "injected"}
    return {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 500, "RetryAttempts": 2}}


def _our_stack() -> tuple[str, ...]:
    """Return the frames of the repository's own packages, innermost first."""
    frames = []
    frame = sys._getframe(1)
    while frame is not None:
        if module := _our_module(frame.f_code.co_filename):
            frames.append(f"{module}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return tuple(frames)


@cache
def _our_module(file: str) -> str:
    """Return the module of a file; empty for tests and libraries."""
    path = Path(file)
    if not path.is_relative_to(ROOT):
        return ""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts) if parts[0] in {"workflows", "handlers"} else ""
