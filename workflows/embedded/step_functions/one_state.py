"""TestState: runs one state with the functions of this service, and reports where it leads.

The state runs under a virtual clock, so a Wait takes no time. Its retries are not made: an error that one of its
retriers matches is RETRIABLE, as at AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.interpreter.frames import ErrorOutput
from workflows.asl.interpreter.retrying import first_match, retry_delay_s
from workflows.asl.json_text import from_text, to_text
from workflows.asl.jsonata.dice import Dice
from workflows.asl.reading import definition
from workflows.asl.reading.definition import Definition, InvalidDefinition
from workflows.asl.reading.integrations import CanCall
from workflows.asl.reading.states import AnyState, Fallible, Task
from workflows.asl.signals import JSON, ExecutionStatus, InvokeFunction, StartExecution
from workflows.asl.virtual import VirtualExecution, VirtualRunner
from workflows.embedded.lambda_.functions import FunctionFailed, FunctionUnknown
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    invalid,
)
from workflows.embedded.step_functions.diagnostics import refusal_of
from workflows.embedded.step_functions.state_test_requests import StateTestRequest, outcome_of, read_request

Call = Callable[[str, JSON], JSON]
"""Calls a function and returns its result. Raises FunctionFailed or FunctionUnknown."""

_NAME: Final = "TestState"
_BEFORE: Final = "Variables"
_CONTEXT: Final = "Context"
_MOCKED: Final = "arn:aws:states:::lambda:invoke.waitForTaskToken"
_LIMITS: Final = {
    "MaxConcurrency": "maxConcurrency",
    "ToleratedFailureCount": "toleratedFailureCount",
    "ToleratedFailurePercentage": "toleratedFailurePercentage",
}


class StateTests:
    """Runs single states with the functions of one service."""

    def __init__(self, call: Call, can_call: CanCall) -> None:
        self._call = call
        self._can_call = can_call

    def by_name(self) -> Operations:
        """Return the operation by its name in the protocol."""
        return {"TestState": self._test_state}

    def _test_state(self, parameters: Parameters) -> Result:
        request = read_request(parameters)
        ways = _Ways(request.state)
        whole = self._parse(_machine(ways.state, request))
        _check_alone(whole.scope.states[_NAME], request)
        mock = outcome_of(request.mock, whole.scope.states[_NAME], request.is_container)
        data: Result = {"input": request.input_text}
        if mock is not None and request.is_container:
            failed = self._prepare(ways, request, data)
            if failed is not None:
                return self._result(failed, request, ways, data)
            whole = self._parse(_machine(_as_task(ways.state), request))
        return self._result(self._run(whole, request, mock), request, ways, data)

    def _run(self, machine: Definition, request: StateTestRequest, mock: JSON | TaskError | None) -> VirtualExecution:
        runner = _Runner(self._call, mock)
        running = runner.start(machine, "test", request.input)
        running.execution.context.update(request.context)
        while runner.is_running(running):
            if not runner.step():
                raise AssertionError("one state waits for its timers and its mock alone")
        return running

    def _prepare(self, ways: _Ways, request: StateTestRequest, data: Result) -> VirtualExecution | None:
        """Evaluate what a Map or Parallel reads before its branches run. Returns the execution if that failed."""
        for name, state in _preparations(ways.state).items():
            running = self._run(self._parse(_machine(state, request)), request, None)
            if _failure_of(running) is not None:
                return running
            output = running.execution.output
            data.update(output if name == "limits" and isinstance(output, dict) else {name: to_text(output)})
        return None

    def _parse(self, machine: Mapping[str, JSON]) -> Definition:
        try:
            return definition.parse(to_text(machine), name="test", can_call=self._can_call)
        except InvalidDefinition as error:
            raise refusal_of(error) from error

    def _result(self, running: VirtualExecution, request: StateTestRequest, ways: _Ways, data: Result) -> Result:
        outcome, details = self._outcome(running, request, ways)
        if not request.shows_data:
            return outcome
        shown = {**data, **_data_of(running, request)} | ({"errorDetails": details} if details else {})
        return {**outcome, "inspectionData": shown}

    def _outcome(self, running: VirtualExecution, request: StateTestRequest, ways: _Ways) -> tuple[Result, Result]:
        """Return the outcome, and which retrier or catcher took an error."""
        failure = _failure_of(running)
        retry = self._retry_of(ways, request, failure) if failure is not None else None
        if failure is not None and retry is not None:
            return {"status": "RETRIABLE", **_error(failure)}, retry
        if running.execution.status is not ExecutionStatus.SUCCEEDED:
            ended = ErrorOutput(running.execution.error, running.execution.cause)
            return {"status": "FAILED", **_error(failure or ended)}, {}
        output = {"output": to_text(running.execution.output)}
        way = next((way for way in reversed(_entered(running)) if way in ways.targets), None)
        following = {"nextState": ways.targets[way]} if way is not None else {}
        if way is not None and way in ways.catches and failure is not None:
            caught = {"status": "CAUGHT_ERROR", **output, **following, **_error(failure)}
            return caught, {"catchIndex": ways.catches.index(way)}
        return {"status": "SUCCEEDED", **output, **following}, {}

    def _retry_of(self, ways: _Ways, request: StateTestRequest, failure: ErrorOutput) -> Result | None:
        """Return which retrier repeats the state, and when; None if none does. The state ran without its retriers."""
        if not ways.retry:
            return None
        state = self._parse(_machine({**ways.state, "Retry": ways.retry}, request)).scope.states[_NAME]
        match = first_match(state.retry, failure) if isinstance(state, Fallible) else None
        if match is None or match[1].attempts_max <= request.retries:
            return None
        delay_s = retry_delay_s(match[1], request.retries, Dice("0"))
        return {"retryIndex": match[0], "retryBackoffIntervalSeconds": int(delay_s)}


class _Ways:
    """A state without retriers, whose ways out lead to states of their own. ``targets`` has what each stands for."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.targets: dict[str, str] = {}
        self.catches: list[str] = []
        self.retry = state.get("Retry", [])
        changed = {name: value for name, value in state.items() if name not in ("Retry", "QueryLanguage")}
        for name in ("Next", "Default"):
            if name in changed:
                changed[name] = self._way(changed[name])
        for name in ("Choices", "Catch"):
            if isinstance(changed.get(name), list):
                changed[name] = [self._led(entry, name == "Catch") for entry in changed[name]]
        self.state: Mapping[str, JSON] = changed

    def _led(self, entry: Any, is_catch: bool) -> Any:
        if not isinstance(entry, dict) or "Next" not in entry:
            return entry
        way = self._way(entry["Next"])
        if is_catch:
            self.catches.append(way)
        return {**entry, "Next": way}

    def _way(self, target: Any) -> str:
        way = f"way {len(self.targets) + 1}"
        self.targets[way] = str(target)
        return way


class _Runner(VirtualRunner):
    """Runs one state. ``mock`` is the outcome of its task, in place of a call."""

    def __init__(self, call: Call, mock: JSON | TaskError | None) -> None:
        super().__init__({}, _unused, "0", datetime.now(UTC))
        self._call_function = call
        self._mock = mock

    def _invoke(self, running: VirtualExecution, effect: InvokeFunction) -> None:
        if self._mock is not None:
            self._answer(running, effect.task, self._mock)
            return
        try:
            result = self._call_function(effect.function, effect.payload)
        except FunctionUnknown:
            self._answer(running, effect.task, answers.function_missing(effect.function))
        except FunctionFailed as failed:
            self._answer(running, effect.task, TaskError(failed.error, failed.cause))
        else:
            self._answer(running, effect.task, answers.function_succeeded(result))

    def _start_child(self, running: VirtualExecution, effect: StartExecution) -> None:
        assert self._mock is not None, "a state that starts an execution has a mock"
        self._answer(running, effect.task, self._mock)

    def _answer(self, running: VirtualExecution, task: int, outcome: JSON | TaskError) -> None:
        tokens = running.execution.open_tokens()
        if isinstance(outcome, TaskError):
            self._fail(running, task, *outcome)
        elif tokens and self._mock is not None:
            self._settle(running, tokens[0], 0.0, "succeed", outcome)
        else:
            self._succeed(running, task, outcome)


def _check_alone(state: AnyState, request: StateTestRequest) -> None:
    """Refuse a task that would wait for others, before it calls anything. Raises StepFunctionsRefusal."""
    if request.mock is not None or not isinstance(state, Task):
        return
    if state.integration.waits_for_token or state.integration.mode is not None:
        what = "waits for a token" if state.integration.waits_for_token else "starts an execution"
        raise invalid(f"the state {what}: give its result as 'mock'")


def _machine(state: Mapping[str, JSON], request: StateTestRequest) -> Mapping[str, JSON]:
    """Build the machine that runs a state, after one that waits for the context and one that assigns the variables."""
    ways = [value for value in _texts(state) if value.startswith("way ")]
    states: dict[str, JSON] = {_NAME: state, **{way: {"Type": "Succeed"} for way in ways}}
    first = _NAME
    if request.variables:
        states[_BEFORE] = {"Type": "Pass", "Assign": dict(request.variables), "Next": first}
        first = _BEFORE
    if request.context:
        states[_CONTEXT] = {"Type": "Wait", "Seconds": 1, "Next": first}
        first = _CONTEXT
    return {"QueryLanguage": request.language, "StartAt": first, "States": states}


def _as_task(state: Mapping[str, Any]) -> Mapping[str, JSON]:
    """Return a task that has the outcome of a Parallel or Map in its place, and its ways out."""
    kept = {name: state[name] for name in ("Assign", "Output", "Catch", "Next", "End") if name in state}
    arguments = {"FunctionName": "mock", "Payload": state.get("Arguments", {})}
    return {**kept, "Type": "Task", "Resource": _MOCKED, "Arguments": arguments}


def _preparations(state: Mapping[str, Any]) -> Mapping[str, Mapping[str, JSON]]:
    """Return states whose outputs are what a Map or Parallel evaluates first, by the name in inspectionData."""
    nothing: dict[str, Any] = {"Type": "Pass", "End": True}
    if state.get("Type") == "Parallel":
        return {"afterArguments": nothing | {"Output": state["Arguments"]}} if "Arguments" in state else {}
    read = {name: state[name] for name in ("Items", "ItemSelector", "Catch") if name in state}
    inputs = {"Type": "Map", "ItemProcessor": {"StartAt": "Item", "States": {"Item": nothing}}, "End": True, **read}
    limits = {field: state[name] for name, field in _LIMITS.items() if name in state}
    return {"afterItemSelector": inputs} | ({"limits": nothing | {"Output": limits}} if limits else {})


def _texts(state: Mapping[str, Any]) -> list[str]:
    lists = [state[name] for name in ("Choices", "Catch") if isinstance(state.get(name), list)]
    entries = [state, *(entry for found in lists for entry in found)]
    values = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in ("Next", "Default")]
    return [value for value in values if isinstance(value, str)]


def _failure_of(running: VirtualExecution) -> ErrorOutput | None:
    """Return the last error that the state met, caught or not."""
    for event in reversed(running.events):
        details: Any = next((event[key] for key in event if key.endswith("EventDetails")), {})
        if "error" in details and not event["type"].startswith("Execution"):
            return ErrorOutput(details["error"], details.get("cause"))
    return None


def _entered(running: VirtualExecution) -> list[str]:
    entered = (event.get("stateEnteredEventDetails") for event in running.events)
    return [details["name"] for details in entered if details is not None]


def _error(failure: ErrorOutput) -> Result:
    found = {"error": failure.error, "cause": failure.cause}
    return {name: value for name, value in found.items() if value is not None}


def _data_of(running: VirtualExecution, request: StateTestRequest) -> Result:
    """Return the data on its way through the state."""
    data: Result = {}
    variables = dict(request.variables)
    for event in running.events:
        for key, name in (("parameters", "afterArguments"), ("output", "result")):
            details: Any = next((event[field] for field in event if field.startswith("task")), {})
            if key in details and not (request.is_container and key == "parameters"):
                data[name] = details[key]
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == _NAME and "assignedVariables" in exited:
            variables |= {name: from_text(text) for name, text in exited["assignedVariables"].items()}
    return data | ({"variables": to_text(variables)} if variables else {})


def _unused(*_: object) -> Any:
    raise AssertionError("a test of one state calls functions itself")
