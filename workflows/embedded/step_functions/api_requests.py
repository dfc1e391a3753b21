"""Requests of Step Functions' protocol: parameters are read here, and refused with the errors of AWS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from domain.picklable import Picklable
from workflows.asl.json_text import from_text, to_text_strictly
from workflows.asl.signals import JSON

Parameters = Mapping[str, Any]
Result = dict[str, Any]
Operations = Mapping[str, Callable[[Parameters], Result]]


class StepFunctionsRefusal(Picklable, Exception):
    """An error of the API. ``code`` is the name that clients match on."""

    def __init__(self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def text_of(parameters: Parameters, name: str) -> str:
    """Return a string that must be there and not be empty. Raises StepFunctionsRefusal."""
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"'{name}' must be a string of at least one character")
    return value


def arn_of(parameters: Parameters, name: str) -> str:
    """Return an ARN. Raises StepFunctionsRefusal (InvalidArn for another text)."""
    arn = text_of(parameters, name)
    if not arn.startswith("arn:"):
        raise StepFunctionsRefusal("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
    return arn


def machine_arn_of(parameters: Parameters, name: str = "stateMachineArn") -> str:
    """Return the ARN of a machine, a version or an alias. Raises StepFunctionsRefusal."""
    return _arn_of_type(parameters, name, "stateMachine")


def execution_arn_of(parameters: Parameters) -> str:
    """Return the ARN of a Standard execution. Raises StepFunctionsRefusal."""
    return _arn_of_type(parameters, "executionArn", "execution")


def _arn_of_type(parameters: Parameters, name: str, type_: str) -> str:
    arn = arn_of(parameters, name)
    found = arn.split(":")[5:]
    if not found:
        raise StepFunctionsRefusal("InvalidArn", f"Invalid Arn: '{arn}' does not name a resource")
    if found[0] != type_:
        raise StepFunctionsRefusal("InvalidArn", f"Invalid Arn: 'Resource type not valid in this context: {found[0]}'")
    return arn


def json_of(text: str, code: str, what: str = "Invalid JSON") -> JSON:
    """Decode JSON text. Raises StepFunctionsRefusal with ``code``."""
    try:
        to_text_strictly(value := from_text(text))  # JSON has neither NaN nor Infinity
        return value
    except ValueError as error:
        raise StepFunctionsRefusal(code, f"{what}: '{error}'") from error
    except RecursionError:
        raise StepFunctionsRefusal(code, f"{what}: 'nested too deeply'") from None


def input_of(parameters: Parameters) -> JSON:
    """Return the input of an execution. Raises StepFunctionsRefusal."""
    what = "Invalid State Machine Execution Input"
    return json_of(parameters.get("input", "{}"), "InvalidExecutionInput", what)


def object_of(body: bytes) -> Parameters:
    """Decode the body of a request. Raises StepFunctionsRefusal."""
    parameters = json_of(body.decode(errors="replace") or "{}", "SerializationException")
    if not isinstance(parameters, dict):
        raise StepFunctionsRefusal("SerializationException", "a request is a JSON object")
    return parameters


def refuse_parameters(parameters: Parameters, *names: str) -> None:
    """Refuse parameters that would change the result and have no effect here. Raises StepFunctionsRefusal."""
    for name in names:
        if name in parameters:
            raise invalid(f"'{name}' is not served here")


def refuse_metadata_only(parameters: Parameters) -> None:
    """Refuse ``includedData`` but for everything. Raises StepFunctionsRefusal."""
    if parameters.get("includedData", "ALL_DATA") != "ALL_DATA":
        raise invalid("'includedData' must be ALL_DATA here")


def invalid(message: str) -> StepFunctionsRefusal:
    """Build AWS's error for a parameter that is missing or wrong."""
    return StepFunctionsRefusal("ValidationException", message)
