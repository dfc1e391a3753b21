"""Convert the value of an expression to plain JSON."""

from __future__ import annotations

import math
from typing import Any

from workflows.asl.jsonata.evaluation import UNDEFINED, Undefined
from workflows.asl.jsonata.limits import EvaluationFailed
from workflows.asl.jsonata.values import FunctionValue
from workflows.asl.signals import JSON


def to_json(value: Any) -> JSON | Undefined:
    """Copy a value as plain JSON; UNDEFINED stays.

    Raises:
        EvaluationFailed: It is or holds a function.
    """
    return UNDEFINED if value is UNDEFINED else _plain(value)


def _plain(value: Any) -> JSON:
    if isinstance(value, float) and not math.isfinite(value):
        # AWS writes numbers that JSON lacks as the strings that JavaScript names them by
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not UNDEFINED}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is UNDEFINED:  # an element that was not there, such as a group that took no part in a match
        return None
    if isinstance(value, FunctionValue):
        raise EvaluationFailed("the result is a function, not JSON")
    return value  # type: ignore[no-any-return]  # nothing else is a value
