"""One execution: all that the interpreter remembers of it between two signals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from workflows.asl.interpreter.frames import Branch, Frame, TaskCall, Timer
from workflows.asl.interpreter.history import ExecutionHistory
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, Effect, ExecutionStatus, SetTimer, Started


class Execution:
    """The fold of the signals applied so far. Only ``interpreter.apply`` changes it; use it from one thread at a time.

    ``calls`` holds the frames of open tasks by task number, ``tokens`` those of open callbacks by token, and ``timers``
    the armed timers by number. ``last_at`` is the time of the last signal. ``assigned_bytes`` is the size of all
    variables of the scopes that are running.
    """

    __slots__ = (
        "_tasks_numbered",
        "_timers_numbered",
        "arn",
        "assigned_bytes",
        "calls",
        "cause",
        "context",
        "definition",
        "error",
        "history",
        "input",
        "last_at",
        "name",
        "output",
        "region",
        "root",
        "started_at",
        "status",
        "stopped_at",
        "timers",
        "tokens",
    )

    def __init__(self, definition: Definition, started: Started) -> None:
        self.definition = definition
        self.arn, self.name, self.input = started.execution_arn, started.execution_name, started.input
        self.region = _region_of(started.execution_arn)
        self.started_at = self.last_at = started.at
        self.stopped_at: datetime | None = None
        self.status = ExecutionStatus.RUNNING
        self.output: JSON = None
        self.error: str | None = None
        self.cause: str | None = None
        self.context = _context_of(started)
        self.history = ExecutionHistory()
        self.root = Branch(definition.scope, {}, 0)
        self.calls: dict[int, Frame] = {}
        self.tokens: dict[str, Frame] = {}
        self.timers: dict[int, Timer] = {}
        self.assigned_bytes = 0
        self._tasks_numbered = self._timers_numbered = 0

    def outstanding(self) -> list[Effect]:
        """List the effects to perform again after a crash: calls without an answer and armed timers."""
        if self.status is not ExecutionStatus.RUNNING:
            return []
        calls = [frame.call.effect for frame in self.calls.values() if frame.call is not None and frame.call.effect]
        return [*calls, *(SetTimer(timer=number, at=timer.at) for number, timer in self.timers.items())]

    def open_tokens(self) -> list[str]:
        """List the tokens that can still settle a task."""
        return list(self.tokens)

    def assign(self, branch: Branch, values: Mapping[str, JSON], sizes: Mapping[str, int]) -> None:
        """Assign variables of a scope. ``sizes`` are the bytes of their JSON text."""
        branch.variables = {**branch.variables, **values}
        self.assigned_bytes = self.assigned_bytes_with(branch, sizes)
        branch.assigned_bytes.update(sizes)

    def assigned_bytes_with(self, branch: Branch, sizes: Mapping[str, int]) -> int:
        """Return what ``assigned_bytes`` would be after an assignment in a scope."""
        return self.assigned_bytes + sum(size - branch.assigned_bytes.get(name, 0) for name, size in sizes.items())

    def end(self, branch: Branch) -> None:
        """Note that a scope is over, with its variables. Idempotent."""
        if not branch.is_over:
            branch.is_over = True
            self.assigned_bytes -= sum(branch.assigned_bytes.values())

    def resume(self, branch: Branch) -> None:
        """Note that a scope which was stopped runs again, with its variables. Idempotent."""
        if branch.is_over:
            branch.is_over = False
            self.assigned_bytes += sum(branch.assigned_bytes.values())

    def number_task(self) -> int:
        """Return the next task number: 1, 2, 3 ... in the order of scheduling."""
        self._tasks_numbered += 1
        return self._tasks_numbered

    def number_timer(self, timer: Timer) -> int:
        """Keep an armed timer under the next timer number, and return the number."""
        self._timers_numbered += 1
        self.timers[self._timers_numbered] = timer
        return self._timers_numbered

    def open_call(self, frame: Frame, call: TaskCall) -> None:
        """Accept answers for this call from now on."""
        self.calls[call.task] = frame
        if call.token is not None:
            self.tokens[call.token] = frame

    def close_call(self, call: TaskCall) -> None:
        """Ignore answers for this call from now on."""
        self.calls.pop(call.task, None)
        if call.token is not None:
            self.tokens.pop(call.token, None)


@lru_cache(maxsize=4096)
def iso(at: datetime) -> str:
    """``2026-03-14T01:59:26.535Z``, as the context object shows times."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _context_of(started: Started) -> dict[str, JSON]:
    return {
        "Execution": {
            "Id": started.execution_arn,
            "Input": started.input,
            "StartTime": iso(started.at),
            "Name": started.execution_name,
            "RoleArn": started.role_arn,
            "RedriveCount": 0,
        },
        "StateMachine": {"Id": started.machine_arn, "Name": started.machine_name},
    }


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
