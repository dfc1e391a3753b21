"""Problems of a definition in the form of ValidateStateMachineDefinition: code, message, location and severity."""

from __future__ import annotations

import json
import re

from workflows.asl.reading.definition import InvalidDefinition
from workflows.asl.reading.fields import DefinitionProblem
from workflows.embedded.step_functions.api_requests import StepFunctionsRefusal

Diagnostic = dict[str, str]

_SCHEMA = "SCHEMA_VALIDATION_FAILED"


def text_problem(text: str) -> Diagnostic | None:
    """Return the problem of a text that is no JSON object with StartAt and States, in AWS's words."""
    if not text.strip():
        return _diagnostic(_SCHEMA, "Definition must be a valid JSON object")
    try:
        value = json.loads(text)
    except ValueError as error:
        return _diagnostic("INVALID_JSON_DESCRIPTION", str(error))
    except RecursionError:
        return _diagnostic("INVALID_JSON_DESCRIPTION", "nested too deeply")
    if not isinstance(value, dict):
        return _diagnostic(_SCHEMA, "Definition must be a valid JSON object")
    missing = [name for name in ("States", "StartAt") if name not in value]
    if missing:
        return _diagnostic(_SCHEMA, f"These fields are required: [{', '.join(missing)}]", "/")
    return None


def diagnostics_of(error: InvalidDefinition) -> list[Diagnostic]:
    """Return every problem of a definition."""
    return [_diagnostic(_SCHEMA, problem.what, _location(problem)) for problem in error.problems]


def refusal_of(error: InvalidDefinition) -> StepFunctionsRefusal:
    """Build the error of CreateStateMachine: all problems in one sentence, as AWS does."""
    problems = ", ".join(f"{_SCHEMA}: {problem.what} at {_location(problem)}" for problem in error.problems)
    return StepFunctionsRefusal("InvalidDefinition", f"Invalid State Machine Definition: '{problems}'")


def _diagnostic(code: str, message: str, location: str | None = None) -> Diagnostic:
    place = {"location": location} if location is not None else {}
    return {"severity": "ERROR", "code": code, "message": message, **place}


def _location(problem: DefinitionProblem) -> str:
    """Return the place in the document: ``/States/Pay/Branches[0]/States/Charge/Resource``."""
    inside = re.sub(r"(Branches\[[0-9]+\]|ItemProcessor)/", r"\1/States/", problem.state)
    return f"/States/{inside}/{problem.field}" if problem.state else f"/{problem.field}"
