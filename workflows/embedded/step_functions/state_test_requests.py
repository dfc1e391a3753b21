"""What a request of TestState asks for: the state, its surroundings, and the outcome that a caller gives for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.reading.states import AnyState, Parallel, Task
from workflows.asl.signals import JSON
from workflows.embedded.step_functions.api_requests import (
    Parameters,
    StepFunctionsRefusal,
    input_of,
    invalid,
    json_of,
    refuse_parameters,
    text_of,
)

_LEVELS: Final = ("INFO", "DEBUG", "TRACE")
_VALIDATION_MODES: Final = ("STRICT", "PRESENT", "NONE")
_NEEDS_MOCK: Final = (
    "TestState API does not support Map or Parallel states. "
    "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
)
CONTAINERS: Final = ("Parallel", "Map")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTestRequest:
    """A request of TestState.

    ``mock`` is as the caller wrote it, None without one. ``context`` holds fields of the context object that replace
    those of the test. ``retries`` is how often the state was repeated before.
    """

    state: Mapping[str, Any]
    language: str
    input: JSON
    input_text: str
    variables: Mapping[str, JSON]
    context: Mapping[str, JSON]
    mock: Mapping[str, Any] | None
    retries: int
    shows_data: bool

    @property
    def is_container(self) -> bool:
        """Whether the state is a Parallel or a Map."""
        return self.state.get("Type") in CONTAINERS


def read_request(parameters: Parameters) -> StateTestRequest:
    """Read a request. Raises StepFunctionsRefusal."""
    state, language = _state_of(parameters)
    mock = parameters.get("mock") or None
    if "context" in parameters and mock is None:
        raise invalid("'context' can only be given together with 'mock'")
    _check_mock(mock, state, parameters)
    return StateTestRequest(
        state=state,
        language=language,
        input=input_of(parameters),
        input_text=parameters.get("input", "{}"),
        variables=_object_of(parameters.get("variables", "{}"), "variables"),
        context=_object_of(parameters.get("context", "{}"), "context"),
        mock=mock,
        retries=_retries_of(parameters.get("stateConfiguration", {})),
        shows_data=_one_of(parameters.get("inspectionLevel", "INFO"), _LEVELS, "inspectionLevel") != "INFO",
    )


def outcome_of(mock: Mapping[str, Any] | None, state: AnyState, is_container: bool) -> JSON | TaskError | None:
    """Return the outcome that the caller gives for the state; None if it is to run. Raises StepFunctionsRefusal."""
    if mock is None:
        return None
    error = mock.get("errorOutput")
    if error is not None:
        return TaskError(error.get("error", ""), error.get("cause", ""))
    result = json_of(text_of(mock, "result"), "ValidationException", "'mock.result'")
    if is_container:
        if not isinstance(result, list):
            raise invalid("Mocked result must be an array.")
        if isinstance(state, Parallel) and len(result) != len(state.branches):
            raise invalid("Mocked result must contain the same number of items as number of Parallel branches.")
        return result
    assert isinstance(state, Task)
    is_bare = state.integration.is_plain_function or state.integration.service is not None
    return answers.function_succeeded(result) if is_bare and not state.integration.waits_for_token else result


def _check_mock(mock: Mapping[str, Any] | None, state: Mapping[str, Any], parameters: Parameters) -> None:
    """Refuse a mock that is missing or cannot be given, in AWS's words. Raises StepFunctionsRefusal."""
    kind = state.get("Type")
    if mock is None:
        if kind in CONTAINERS:
            raise StepFunctionsRefusal("InvalidDefinition", _NEEDS_MOCK)
        return
    if kind not in ("Task", *CONTAINERS):
        raise invalid(f"State type '{kind}' is not supported when a mock is specified")
    if "result" in mock and "errorOutput" in mock:
        raise invalid("A test mock should have only one of the following fields: [result, errorOutput].")
    if parameters.get("revealSecrets"):
        raise invalid("TestState does not support RevealSecrets when a mock is specified.")
    _one_of(mock.get("fieldValidationMode", "STRICT"), _VALIDATION_MODES, "fieldValidationMode")


def _state_of(parameters: Parameters) -> tuple[Mapping[str, Any], str]:
    """Return the state to test and its query language: a definition of one state, or ``stateName`` in a machine."""
    found, name = _object_of(text_of(parameters, "definition"), "definition"), parameters.get("stateName")
    language = found.get("QueryLanguage", "JSONPath")
    if "States" not in found:
        if name is not None:
            raise invalid("'stateName' needs the definition of a whole state machine")
        return found, language
    state = _find(found, name)
    if state is None:
        raise invalid(f"'stateName': there is no state {name!r} in the machine")
    return state, state.get("QueryLanguage", language)


def _find(scope: Mapping[str, Any], name: Any) -> Mapping[str, Any] | None:
    """Find a state by name, also inside Parallel and Map states; names are unique in a machine."""
    states = scope.get("States")
    for key, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        if key == name:
            return state
        branches = state.get("Branches", ())
        for inner in (*(branches if isinstance(branches, list) else ()), state.get("ItemProcessor")):
            found = _find(inner, name) if isinstance(inner, dict) else None
            if found is not None:
                return found
    return None


def _retries_of(configuration: Mapping[str, Any]) -> int:
    refuse_parameters(configuration, "mapIterationFailureCount", "mapItemReaderData")
    retries = configuration.get("retrierRetryCount", 0)
    if type(retries) is not int or retries < 0:
        raise invalid("'retrierRetryCount' must be a whole number from 0")
    return retries


def _one_of(value: Any, names: tuple[str, ...], field: str) -> str:
    if value not in names:
        raise invalid(f"'{field}' must be one of {', '.join(names)}")
    return str(value)


def _object_of(text: str, name: str) -> dict[str, Any]:
    value = json_of(text, "ValidationException", f"'{name}'")
    if not isinstance(value, dict):
        raise StepFunctionsRefusal("ValidationException", f"'{name}' must be a JSON object")
    return value
