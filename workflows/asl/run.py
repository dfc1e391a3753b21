"""Run one execution, and those it starts, in this process under a virtual clock: waits and retries take no time.

For tests and for ``expediter asl run``. Functions are Python callables, found by the name or ARN the definition uses:

    run(text, {"order": 7}, {"Charge": lambda event: {"paid": True}})

A callable with a second parameter gets a ``FunctionTask``: the token of a callback to settle, now or later, and a way
to answer slowly. Time moves from one deadline to the next; when nothing is left to happen, ``NothingMoves`` is raised.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from workflows.asl.interpreter.history import Event
from workflows.asl.interpreter.payloads import to_text_strictly
from workflows.asl.reading import definition as definitions
from workflows.asl.reading.integrations import function_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, Status
from workflows.asl.virtual import Later, World

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Function = Callable[..., Any]


class NothingMoves(RuntimeError):
    """The execution waits for something that will never come: a token nobody settles, without a timeout."""


class FunctionMissing(LookupError):
    """The definition calls a function that was not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the execution ended. ``events`` are those of GetExecutionHistory, as boto3 returns them."""

    status: Status
    output: JSON
    error: str | None
    cause: str | None
    events: list[Event] = field(repr=False)


@dataclass(slots=True)
class FunctionTask:
    """What a function learns of its invocation. Times are seconds of virtual time from now."""

    token: str | None
    settlements: list[tuple[float, str, Any]] = field(default_factory=list)

    def succeed(self, output: JSON = None, *, after_s: float = 0.0) -> None:
        """SendTaskSuccess."""
        self._settle(after_s, "succeed", output)

    def fail(self, error: str = "", cause: str = "", *, after_s: float = 0.0) -> None:
        """SendTaskFailure."""
        self._settle(after_s, "fail", (error, cause))

    def heartbeat(self, *, after_s: float = 0.0) -> None:
        """SendTaskHeartbeat."""
        self._settle(after_s, "heartbeat", None)

    def later(self, result: JSON = None, *, after_s: float) -> Later:
        """Return this from the function: it answers only then."""
        return Later(result, after_s)

    def _settle(self, after_s: float, how: str, what: object) -> None:
        if self.token is None:
            raise ValueError("this task is no callback: its Resource does not end in .waitForTaskToken")
        self.settlements.append((after_s, how, what))


def run(
    definition: str | Mapping[str, JSON],
    input: JSON = None,  # noqa: A002 -- the word of StartExecution
    functions: Mapping[str, Function] | None = None,
    *,
    machines: Mapping[str, str | Mapping[str, JSON]] | None = None,
    name: str = "machine",
    execution_name: str = "run",
    seed: str = "0",
    start: datetime = START,
) -> Run:
    """Run to the end. ``input`` None is the empty object, as StartExecution has it.

    Raises:
        InvalidDefinition: Of the machine, or of one in ``machines``.
        FunctionMissing: It calls a function that is not in ``functions``.
        NothingMoves: It would wait for ever.
    """
    known = {other: _parse(text, other) for other, text in (machines or {}).items()}
    known[name] = _parse(definition, name)
    world = World(known, _caller(functions or {}), seed, start)
    root = world.start(known[name], execution_name, {} if input is None else input)
    while world.is_running(root):
        if not world.step():
            raise NothingMoves(f"nothing is left to happen, but the execution waits: {world.waits_of(root)}")
    ended = root.execution
    return Run(status=ended.status, output=ended.output, error=ended.error, cause=ended.cause, events=root.events)


def _parse(definition: str | Mapping[str, JSON], name: str) -> Definition:
    return definitions.parse(definition if isinstance(definition, str) else to_text_strictly(definition), name=name)


def _caller(functions: Mapping[str, Function]) -> Callable[[str, JSON, str | None], tuple[Any, FunctionTask]]:
    by_name = {function_name(key): function for key, function in functions.items()}

    def call(function: str, payload: JSON, token: str | None) -> tuple[Any, FunctionTask]:
        found = functions.get(function) or by_name.get(function_name(function))
        if found is None:
            given = ", ".join(sorted(functions)) or "none"
            raise FunctionMissing(f"the definition calls '{function}', which was not given (given: {given})")
        task = FunctionTask(token)
        return lambda: found(payload, task) if _wants_task(found) else found(payload), task

    return call


def _wants_task(function: Function) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True
