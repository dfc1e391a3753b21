"""Run one execution, and those it starts, in this process under a virtual clock: waits and retries take no time.

For tests and for ``expediter asl run``. Functions are Python callables, found by the name or ARN in the definition:

    run(text, {"order": 7}, {"Charge": lambda event: {"paid": True}})

A callable with a second parameter gets a ``FunctionTask``, to settle its token or to answer after a delay. Time moves
from one deadline to the next. ``NothingMoves`` is raised when the execution waits and no deadline is left.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.json_text import to_text_strictly
from workflows.asl.reading import definition as definitions
from workflows.asl.reading.integrations import CanCall, function_name
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, ExecutionStatus
from workflows.asl.virtual import FunctionMissing, Later, VirtualRunner

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
Function = Callable[..., Any]
FindService = Callable[[str], Function | None]


class NothingMoves(RuntimeError):
    """The execution would wait for ever: no function settles its token, and there is no timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The result of an execution. ``events`` are those of GetExecutionHistory, as boto3 returns them.

    As in DescribeExecution, an execution that ran longer than its machine's TimeoutSeconds has no error and no cause.
    """

    status: ExecutionStatus
    output: JSON
    error: str | None
    cause: str | None
    events: list[HistoryEvent] = field(repr=False)


@dataclass(slots=True)
class FunctionTask:
    """A function's view of its invocation. ``after_s`` is in seconds of virtual time from now."""

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
        """Delay the answer: ``return task.later(result, after_s=5)``."""
        return Later(result, after_s)

    def _settle(self, after_s: float, kind: str, value: object) -> None:
        if self.token is None:
            raise ValueError("this task has no token: its Resource does not end in .waitForTaskToken")
        self.settlements.append((after_s, kind, value))


def run(
    definition: str | Mapping[str, JSON],
    input: JSON = None,  # noqa: A002 -- the word of StartExecution
    functions: Mapping[str, Function] | None = None,
    *,
    services: FindService = lambda _: None,
    machines: Mapping[str, str | Mapping[str, JSON]] | None = None,
    name: str = "machine",
    execution_name: str = "run",
    seed: str = "0",
    start: datetime = START,
) -> Run:
    """Run an execution to its end.

    Args:
        definition: JSON or YAML text, or the parsed JSON.
        input: None means the empty object, as for StartExecution.
        functions: Callables by function name or ARN; a task that calls another fails, as on AWS. A callable by the name
            of a Resource such as ``arn:aws:states:::sqs:sendMessage`` gets the task's arguments and returns its result.
        services: Finds the callable for a Resource that ``functions`` does not have.
        machines: Definitions by name, for tasks that start executions.
        seed: Decides every random number; the same seed gives the same run.
        start: The virtual time of the start.

    Raises:
        InvalidDefinition: The machine, or one in ``machines``, is not valid.
        NothingMoves: The execution would wait for ever.
    """
    available = functions or {}
    can_call: CanCall = lambda service: service in available or services(service) is not None  # noqa: E731
    parsed = {other: _parse(text, other, can_call) for other, text in (machines or {}).items()}
    parsed[name] = _parse(definition, name, can_call)
    runner = VirtualRunner(parsed, _caller(available, services), seed, start)
    root = runner.start(parsed[name], execution_name, {} if input is None else input)
    while runner.is_running(root):
        if not runner.step():
            raise NothingMoves(f"the execution waits without a deadline: {runner.waits_of(root)}")
    ended = root.execution
    error = ended.error if ended.status is not ExecutionStatus.TIMED_OUT else None
    return Run(status=ended.status, output=ended.output, error=error, cause=ended.cause, events=root.events)


def _parse(definition: str | Mapping[str, JSON], name: str, can_call: CanCall) -> Definition:
    text = definition if isinstance(definition, str) else to_text_strictly(definition)
    return definitions.parse(text, name=name, can_call=can_call)


def _caller(
    functions: Mapping[str, Function], services: FindService
) -> Callable[[str, JSON, str | None], tuple[Any, FunctionTask]]:
    by_name = {function_name(key): function for key, function in functions.items()}

    def call(function: str, payload: JSON, token: str | None) -> tuple[Any, FunctionTask]:
        target = functions.get(function) or by_name.get(function_name(function)) or services(function)
        if target is None:
            raise FunctionMissing(function)
        task = FunctionTask(token)
        return lambda: target(payload, task) if _takes_task(target) else target(payload), task

    return call


def _takes_task(function: Function) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except (TypeError, ValueError):
        return False
    return True
