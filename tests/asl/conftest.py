"""Builders of machines, and a driver that sends signals to one execution and keeps its effects and events."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from workflows.asl import answers
from workflows.asl.interpreter import interpreter
from workflows.asl.interpreter.execution import Execution
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.jsonata import evaluator as jsonata_evaluator
from workflows.asl.reading.definition import parse
from workflows.asl.signals import (
    Aborted,
    EndExecution,
    ExecutionStatus,
    InvokeFunction,
    Signal,
    Started,
    StartExecution,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)

assert jsonata_evaluator  # imported before Hypothesis runs, because importing it raises the recursion limit
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ARN = "arn:aws:states:eu-west-1:123456789012:execution:m:e"


def machine_of(states: dict[str, Any], **top: Any) -> dict[str, Any]:
    """Build a JSONata machine that starts at its first state."""
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top}


@dataclass
class ExecutionDriver:
    """Sends signals to one execution. ``wait`` moves ``now``; every signal gets a seed of its own."""

    machine: dict[str, Any]
    input: Any = None
    now: datetime = NOON
    events: list[dict[str, Any]] = field(default_factory=list)
    effects: list[Any] = field(default_factory=list)
    last: SignalResult = field(init=False)
    journal: list[Signal] = field(default_factory=list)
    execution: Execution = field(init=False)

    def __post_init__(self) -> None:
        self.definition = parse(json.dumps(self.machine), name="m")
        started = Started(
            at=self.now,
            seed="seed-0",
            input={} if self.input is None else self.input,
            execution_arn=ARN,
            execution_name="e",
            machine_arn="arn:aws:states:eu-west-1:123456789012:stateMachine:m",
            machine_name="m",
            role_arn="arn:aws:iam::123456789012:role/r",
        )
        self.journal.append(started)
        step = interpreter.apply(self.definition, None, started)
        self.execution = step.execution
        self._keep(step)

    def _keep(self, step: SignalResult) -> SignalResult:
        self.last = step
        self.events.extend(step.events)
        self.effects.extend(step.effects)
        return step

    def send(self, kind: type, **fields: Any) -> SignalResult:
        signal = kind(at=self.now, seed=f"seed-{len(self.journal)}", **fields)
        self.journal.append(signal)
        return self._keep(interpreter.apply(self.definition, self.execution, signal))

    def calls(self) -> list[Any]:
        """List the calls without an answer, oldest first."""
        return [e for e in self.execution.outstanding() if isinstance(e, InvokeFunction | StartExecution)]

    def answer(self, payload: Any = None, task: int | None = None) -> SignalResult:
        """Answer a call as a function does."""
        number = task if task is not None else self.calls()[0].task
        return self.send(TaskSucceeded, task=number, output=answers.function_succeeded(payload))

    def finish(self, output: Any, task: int | None = None) -> SignalResult:
        """Answer a call with this whole result of the integration."""
        return self.send(TaskSucceeded, task=task if task is not None else self.calls()[0].task, output=output)

    def fail_call(self, error: str = "Boom", cause: str = "why", task: int | None = None) -> SignalResult:
        """Fail a call."""
        number = task if task is not None else self.calls()[0].task
        return self.send(TaskFailed, task=number, error=error, cause=cause)

    @property
    def token(self) -> str:
        return self.execution.open_tokens()[0]

    def settle(self, output: Any = None, token: str | None = None) -> SignalResult:
        return self.send(TokenSucceeded, token=token or self.token, output=output)

    def settle_with_error(self, error: str, cause: str = "", token: str | None = None) -> SignalResult:
        return self.send(TokenFailed, token=token or self.token, error=error, cause=cause)

    def heartbeat(self, token: str | None = None) -> SignalResult:
        return self.send(TokenHeartbeat, token=token or self.token)

    def abort(self, error: str = "", cause: str = "") -> SignalResult:
        return self.send(Aborted, error=error, cause=cause)

    def armed(self) -> dict[str, float]:
        """Seconds until each armed timer, by purpose; of several with one purpose, the last."""
        return {t.purpose: (t.at - self.now).total_seconds() for t in self.execution.timers.values()}

    def wait(self, seconds: float) -> None:
        """Let time pass and fire the timers that are due, in order."""
        until = self.now + timedelta(seconds=seconds)
        while self.execution.status is ExecutionStatus.RUNNING:
            due = sorted((t.at, n) for n, t in self.execution.timers.items() if t.at <= until)
            if not due:
                break
            self.now = max(self.now, due[0][0])
            self.send(TimerFired, timer=due[0][1])
        self.now = until

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def details(self, kind: str) -> list[dict[str, Any]]:
        """List the details of all events of a type."""
        events = [e for e in self.events if e["type"] == kind]
        return [next((v for k, v in e.items() if k.endswith("EventDetails")), {}) for e in events]

    def chain(self) -> list[tuple[int, int, str]]:
        return [(e["id"], e["previousEventId"], e["type"]) for e in self.events]

    @property
    def end(self) -> EndExecution:
        ends = [e for e in self.effects if isinstance(e, EndExecution)]
        assert len(ends) == 1, f"{len(ends)} ends; status {self.execution.status}"
        return ends[0]

    @property
    def output(self) -> Any:
        assert self.end.status is ExecutionStatus.SUCCEEDED, (self.end.error, self.end.cause)
        return self.end.output


def start_driver(states: dict[str, Any], payload: Any = None, **top: Any) -> ExecutionDriver:
    return ExecutionDriver(machine_of(states, **top), payload)


@pytest.fixture
def begin() -> Callable[..., ExecutionDriver]:
    """``begin(states, input)`` starts an execution of the machine with these states."""
    return start_driver


@pytest.fixture(scope="session")
def new_driver() -> Callable[..., ExecutionDriver]:
    """``begin`` for Hypothesis, which runs a test many times within one fixture."""
    return start_driver


@pytest.fixture
def machine() -> Callable[..., dict[str, Any]]:
    """``machine(states)`` builds a machine without running it."""
    return machine_of


@pytest.fixture
def task() -> Callable[..., dict[str, Any]]:
    """``task(**fields)`` builds a Task that invokes ``f`` and ends; ``fields`` override its fields."""

    def build(**fields: Any) -> dict[str, Any]:
        state = {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "f", "Payload": {}},
            "Output": "{% $states.result.Payload %}",
        } | fields
        return state if "Next" in state else {**state, "End": True}

    return build


@pytest.fixture
def callback(task: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """``callback(**fields)`` builds a Task that passes its token to ``f`` and waits for it."""

    def build(**fields: Any) -> dict[str, Any]:
        arguments = {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}}
        resource = "arn:aws:states:::lambda:invoke.waitForTaskToken"
        return task(**({"Resource": resource, "Arguments": arguments, "Output": "{% $states.result %}"} | fields))

    return build
