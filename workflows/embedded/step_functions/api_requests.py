"""Requests of Step Functions' protocol: parameters are read here, and refused with the errors of AWS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from domain.picklable import Picklable
from workflows.asl.json_text import from_text
from workflows.asl.signals import JSON

Parameters = Mapping[str, Any]
Result = dict[str, Any]
Operations = Mapping[str, Callable[[Parameters], Result]]

PAGE_MAX: Final = 1000
"""The most items in one response, as at AWS."""

_PAGE_DEFAULT: Final = 100


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


def execution_arn_of(parameters: Parameters) -> str:
    """Return the ARN of a Standard execution. Raises StepFunctionsRefusal."""
    arn = text_of(parameters, "executionArn")
    if arn.split(":")[5:6] == ["express"]:
        raise StepFunctionsRefusal("InvalidArn", "Invalid Arn: 'Resource type not valid in this context: express'")
    return arn


def json_of(text: str, code: str, what: str = "Invalid JSON") -> JSON:
    """Decode JSON text. Raises StepFunctionsRefusal with ``code``."""
    try:
        return from_text(text)
    except ValueError as error:
        raise StepFunctionsRefusal(code, f"{what}: '{error}'") from error


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


def limit_of(parameters: Parameters, default: int = _PAGE_DEFAULT) -> int:
    """Return ``maxResults``. 0 is the default, as at AWS. Raises StepFunctionsRefusal."""
    limit = parameters.get("maxResults") or default
    if not isinstance(limit, int) or not 0 <= limit <= PAGE_MAX:
        raise invalid(f"'maxResults' must be from 0 to {PAGE_MAX}")
    return limit


def page_start_of(parameters: Parameters) -> int | None:
    """Return the number in ``nextToken``; None for the first page. Raises StepFunctionsRefusal."""
    token = parameters.get("nextToken")
    if not token:
        return None
    if not isinstance(token, str) or not re.fullmatch("[0-9]{1,15}", token):
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'")
    return int(token)


def refuse_parameters(parameters: Parameters, *names: str) -> None:
    """Refuse parameters that would change the result and have no effect here. Raises StepFunctionsRefusal."""
    for name in names:
        if name in parameters:
            raise invalid(f"'{name}' is not served here")


def invalid(message: str) -> StepFunctionsRefusal:
    """Build AWS's error for a parameter that is missing or wrong."""
    return StepFunctionsRefusal("ValidationException", message)
