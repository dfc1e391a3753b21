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
from workflows.asl.interpreter.retrying import first_match
from workflows.asl.json_text import from_text, to_text
from workflows.asl.reading import definition
from workflows.asl.reading.definition import Definition, InvalidDefinition
from workflows.asl.reading.integrations import CanCall
from workflows.asl.reading.states import Fallible, Task
from workflows.asl.signals import JSON, ExecutionStatus, InvokeFunction, StartExecution
from workflows.asl.virtual import VirtualExecution, VirtualRunner
from workflows.embedded.lambda_.functions import FunctionFailed, FunctionUnknown
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    StepFunctionsRefusal,
    input_of,
    invalid,
    json_of,
    refuse_parameters,
    text_of,
)
from workflows.embedded.step_functions.diagnostics import refusal_of

Call = Callable[[str, JSON], JSON]
"""Calls a function and returns its result. Raises FunctionFailed or FunctionUnknown."""

_NAME: Final = "TestState"
_BEFORE: Final = "Variables"


class StateTests:
    """Runs single states with the functions of one service."""

    def __init__(self, call: Call, can_call: CanCall) -> None:
        self._call = call
        self._can_call = can_call

    def by_name(self) -> Operations:
        """Return the operation by its name in the protocol."""
        return {"TestState": self._test_state}

    def _test_state(self, parameters: Parameters) -> Result:
        refuse_parameters(parameters, "context", "stateConfiguration")
        state, language = _state_of(parameters)
        ways = _Ways(state)
        variables = _object_of(parameters.get("variables", "{}"), "variables")
        parsed = self._parse(_machine(ways.state, variables, language))
        runner = _Runner(self._call, _mock_of(parameters, parsed))
        running = runner.start(parsed, "test", input_of(parameters))
        while runner.is_running(running):
            if not runner.step():
                raise invalid("the state waits for a token: give its result as 'mock'")
        return {**self._outcome(running, ways, language), **_inspection(parameters, running)}

    def _parse(self, machine: Mapping[str, JSON]) -> Definition:
        try:
            return definition.parse(to_text(machine), name="test", can_call=self._can_call)
        except InvalidDefinition as error:
            raise refusal_of(error) from error

    def _outcome(self, running: VirtualExecution, ways: _Ways, language: str) -> Result:
        failure = _failure_of(running)
        if failure is not None and self._is_retriable(ways, language, failure):
            return {"status": "RETRIABLE", **_error(failure)}
        if running.execution.status is not ExecutionStatus.SUCCEEDED:
            ended = ErrorOutput(running.execution.error, running.execution.cause)
            return {"status": "FAILED", **_error(failure or ended)}
        output = {"output": to_text(running.execution.output)}
        way = next((way for way in reversed(_entered(running)) if way in ways.targets), None)
        following = {"nextState": ways.targets[way]} if way is not None else {}
        if way is not None and way in ways.catches and failure is not None:
            return {"status": "CAUGHT_ERROR", **output, **following, **_error(failure)}
        return {"status": "SUCCEEDED", **output, **following}

    def _is_retriable(self, ways: _Ways, language: str, failure: ErrorOutput) -> bool:
        """Whether a retrier of the state matches. The state ran without its retriers."""
        if not ways.retry:
            return False
        state = self._parse(_machine({**ways.state, "Retry": ways.retry}, {}, language)).scope.states[_NAME]
        match = first_match(state.retry, failure) if isinstance(state, Fallible) else None
        return match is not None and match[1].attempts_max > 0


class _Ways:
    """A state without retriers, whose ways out lead to states of their own. ``targets`` has what each stands for."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.targets: dict[str, str] = {}
        self.catches: set[str] = set()
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
            self.catches.add(way)
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
        if self._mock is None:
            self._answer(running, effect.task, answers.machine_missing(effect.machine, effect.mode))
        else:
            self._answer(running, effect.task, self._mock)

    def _answer(self, running: VirtualExecution, task: int, outcome: JSON | TaskError) -> None:
        tokens = running.execution.open_tokens()
        if isinstance(outcome, TaskError):
            self._fail(running, task, *outcome)
        elif tokens and self._mock is not None:
            self._settle(running, tokens[0], 0.0, "succeed", outcome)
        else:
            self._succeed(running, task, outcome)


def _state_of(parameters: Parameters) -> tuple[Mapping[str, Any], str]:
    """Return the state to test and its query language: a definition of one state, or ``stateName`` in a machine."""
    found = _object_of(text_of(parameters, "definition"), "definition")
    language = found.get("QueryLanguage", "JSONPath")
    if "States" not in found:
        return found, language
    states, name = found["States"], parameters.get("stateName")
    if not isinstance(states, dict) or not isinstance(states.get(name), dict):
        raise invalid(f"'stateName': there is no state {name!r} on the top level of the machine")
    return states[name], states[name].get("QueryLanguage", language)


def _machine(state: Mapping[str, JSON], variables: Mapping[str, JSON], language: str) -> Mapping[str, JSON]:
    """Build the machine that runs the state, after one that assigns the variables."""
    ways = [value for value in _texts(state) if value.startswith("way ")]
    states: dict[str, JSON] = {_NAME: state, **{way: {"Type": "Succeed"} for way in ways}}
    if variables:
        states[_BEFORE] = {"Type": "Pass", "Assign": variables, "Next": _NAME}
    return {"QueryLanguage": language, "StartAt": _BEFORE if variables else _NAME, "States": states}


def _texts(state: Mapping[str, Any]) -> list[str]:
    entries = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    values = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in ("Next", "Default")]
    return [value for value in values if isinstance(value, str)]


def _mock_of(parameters: Parameters, parsed: Definition) -> JSON | TaskError | None:
    """Return the outcome that the caller gives for the task; None if it is to be called."""
    mock = parameters.get("mock")
    if not mock:
        return None
    state = parsed.scope.states[_NAME]
    if not isinstance(state, Task):
        raise invalid("'mock' is served for a Task only")
    error = mock.get("errorOutput")
    if error is not None:
        return TaskError(error.get("error", ""), error.get("cause", ""))
    result = json_of(text_of(mock, "result"), "ValidationException", "'mock.result'")
    bare = state.integration.is_plain_function or state.integration.service is not None
    return answers.function_succeeded(result) if bare and not state.integration.waits_for_token else result


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


def _inspection(parameters: Parameters, running: VirtualExecution) -> Result:
    """Return the data on its way through the state, if more than its output is wanted."""
    if parameters.get("inspectionLevel", "INFO") == "INFO":
        return {}
    data: dict[str, str] = {"input": parameters.get("input", "{}")}
    for event in running.events:
        for key, name in (("parameters", "afterArguments"), ("output", "result")):
            details: Any = next((event[field] for field in event if field.startswith("task")), {})
            if key in details:
                data[name] = details[key]
        exited = event.get("stateExitedEventDetails", {})
        if exited.get("name") == _NAME and "assignedVariables" in exited:
            data["variables"] = to_text({k: from_text(v) for k, v in exited["assignedVariables"].items()})
    return {"inspectionData": data}


def _object_of(text: str, name: str) -> dict[str, Any]:
    value = json_of(text, "ValidationException", f"'{name}'")
    if not isinstance(value, dict):
        raise StepFunctionsRefusal("ValidationException", f"'{name}' must be a JSON object")
    return value


def _unused(*_: object) -> Any:
    raise AssertionError("a test of one state calls functions itself")
