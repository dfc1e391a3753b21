"""Reading of Retry, Catch and Assign."""

from __future__ import annotations

import math
from typing import Final

from workflows.asl.reading.fields import CAUGHT, SECONDS_MAX, Fields
from workflows.asl.reading.states import Assign, Catcher, Retrier

_DELAY_MAX: Final = 31_622_399  # MaxDelaySeconds is below 31,622,400, a leap year (AWS docs, Error handling)
_VARIABLE_LENGTH_MAX: Final = 80
_RETRY_FIELDS: Final = frozenset(
    {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment"}
)
_CATCH_FIELDS: Final = frozenset({"ErrorEquals", "Next", "Assign", "Output", "Comment"})
_HINTS: Final = {"ResultPath": "belongs to JSONPath; with JSONata use Output", "Parameters": "belongs to JSONPath"}
_STATES_ERRORS: Final = frozenset(
    f"States.{name}"
    for name in (
        "ALL", "Timeout", "HeartbeatTimeout", "TaskFailed", "Permissions", "DataLimitExceeded", "Runtime",
        "QueryEvaluationError", "BranchFailed", "NoChoiceMatched", "IntrinsicFailure", "ParameterPathFailure",
        "ResultPathMatchFailure", "ExceedToleratedFailureThreshold", "ItemReaderFailed", "ResultWriterFailed",
        "Http.Socket",
    )
)  # fmt: skip


def read_retry(fields: Fields) -> tuple[Retrier, ...]:
    """Read the entries of Retry, in order."""
    entries = list(fields.objects("Retry"))
    retriers = tuple(_read_retrier(entry) for entry in entries)
    _check_catch_all(entries)
    return retriers


def read_catch(fields: Fields) -> tuple[Catcher, ...]:
    """Read the entries of Catch, in order."""
    entries = list(fields.objects("Catch"))
    catchers = tuple(_read_catcher(entry) for entry in entries)
    _check_catch_all(entries)
    return catchers


def read_assign(fields: Fields, sees: frozenset[str]) -> Assign | None:
    """Read Assign. None if the field is absent or empty.

    Args:
        sees: The fields of ``$states`` that have a value here.
    """
    variables = fields.raw.get("Assign")
    if "Assign" not in fields.raw:
        return None
    if not isinstance(variables, dict):
        fields.problem("Assign", "must be an object of variable names and values")
        return None
    for name in variables:
        _check_variable(fields, name)
    template = fields.template("Assign", sees)
    return Assign(template) if template is not None and variables else None


def _check_variable(fields: Fields, name: str) -> None:
    if name == "states":
        fields.problem(f"Assign/{name}", "$states is reserved; use another name")
    elif len(name) > _VARIABLE_LENGTH_MAX:
        fields.problem(f"Assign/{name}", f"a variable's name has at most {_VARIABLE_LENGTH_MAX} characters")
    elif not name.isidentifier() or name[0] == "_":
        fields.problem(f"Assign/{name}", "is not a variable name: a letter, then letters, digits or '_', without '$'")


def _read_retrier(fields: Fields) -> Retrier:
    fields.check_names(_RETRY_FIELDS, _HINTS)
    strategy = fields.raw.get("JitterStrategy", "NONE")
    if strategy not in ("FULL", "NONE"):
        fields.problem("JitterStrategy", "must be FULL or NONE")
    return Retrier(
        errors=_read_errors(fields),
        interval_s=fields.whole("IntervalSeconds", 1, SECONDS_MAX, 1) or 1,
        attempts_max=_or(fields.whole("MaxAttempts", 0, SECONDS_MAX, 3), 3),
        backoff_rate=_read_rate(fields),
        delay_max_s=fields.whole("MaxDelaySeconds", 1, _DELAY_MAX),
        full_jitter=strategy == "FULL",
    )


def _read_rate(fields: Fields) -> float:
    rate = fields.raw.get("BackoffRate", 2.0)
    if type(rate) not in (int, float) or not math.isfinite(rate) or rate < 1.0:  # type: ignore[arg-type, operator]  # a number by then
        fields.problem("BackoffRate", "must be a number of at least 1.0")
        return 2.0
    return float(rate)  # type: ignore[arg-type]  # a number, checked above


def _read_catcher(fields: Fields) -> Catcher:
    fields.check_names(_CATCH_FIELDS, _HINTS)
    return Catcher(
        errors=_read_errors(fields),
        next=fields.text("Next", required=True) or "",
        assign=read_assign(fields, CAUGHT),
        output=fields.template("Output", CAUGHT),
    )


def _read_errors(fields: Fields) -> tuple[str, ...]:
    errors = fields.raw.get("ErrorEquals")
    if not isinstance(errors, list) or not errors or not all(isinstance(name, str) and name for name in errors):
        fields.problem("ErrorEquals", "must be a list of error names that is not empty")
        return ()
    names = tuple(str(name) for name in errors)
    for name in names:
        if name.startswith("States.") and name not in _STATES_ERRORS:
            fields.problem(
                "ErrorEquals",
                f"'{name}' is not an error of Step Functions; do not start other names with 'States.'",
            )
    return names


def _check_catch_all(entries: list[Fields]) -> None:
    for index, entry in enumerate(entries):
        errors = entry.raw.get("ErrorEquals")
        if not isinstance(errors, list) or "States.ALL" not in errors:
            continue
        if len(errors) > 1:
            entry.problem("ErrorEquals", "States.ALL must stand alone")
        if index < len(entries) - 1:
            entry.problem("ErrorEquals", "States.ALL must be in the last entry; those after it can never match")


def _or(number: int | None, default: int) -> int:
    return default if number is None else number
