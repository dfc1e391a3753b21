"""The one place that touches the ``jsonata-python`` library: parse, bind names, run, and turn the result into JSON.

Imported only when a first expression is compiled. The library keeps state per thread and on its own objects; here each
evaluation gets a frame of its own and nothing of a compiled expression is written after parsing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from jsonata import jexception
from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from workflows.asl.jsonata import functions as own
from workflows.asl.jsonata.expressions import (
    DEPTH_MAX,
    RUNNING,
    STEPS_MAX,
    UNDEFINED,
    EvaluationFailed,
    InvalidExpression,
    _Undefined,
    check_bounds,
)
from workflows.asl.signals import JSON

# Step Functions refuses $eval (its documentation: use $parse), so the name is taken and holds nothing.
_OWN_FUNCTIONS: Mapping[str, Any] = {
    "partition": Jsonata.JFunction(Jsonata.JLambda(own.partition), "<a-n?:a>"),
    "range": Jsonata.JFunction(Jsonata.JLambda(own.number_range), "<n-n?n?:a>"),
    "hash": Jsonata.JFunction(Jsonata.JLambda(own.hash_of), "<s-s?:s>"),
    "random": Jsonata.JFunction(Jsonata.JLambda(own.random_number), "<n?:n>"),
    "uuid": Jsonata.JFunction(Jsonata.JLambda(own.uuid4), "<:s>"),
    "parse": Jsonata.JFunction(Jsonata.JLambda(own.parse_json), "<s-:x>"),
    "now": Jsonata.JFunction(Jsonata.JLambda(own.now), "<s?s?:s>"),
    "millis": Jsonata.JFunction(Jsonata.JLambda(own.millis), "<:n>"),
    "shuffle": Jsonata.JFunction(Jsonata.JLambda(own.shuffle), "<a:a>"),
    "pad": Jsonata.JFunction(Jsonata.JLambda(own.pad), "<s-ns?:s>"),
    "eval": None,
}
OWN_NAMES = frozenset(name for name, function in _OWN_FUNCTIONS.items() if function is not None)
BUILT_IN_NAMES = (frozenset(Jsonata.static_frame.bindings) | OWN_NAMES) - {"eval"}


def parse(source: str) -> Any:
    """Compile.

    Raises:
        InvalidExpression: Not JSONata, nested too deeply, or a regular expression that does not compile.
    """
    try:
        compiled = Jsonata(source)
    except (jexception.JException, re.error, RecursionError) as error:
        raise InvalidExpression(str(error) or type(error).__name__) from error
    except Exception as error:  # the parser trips over some broken texts with Python's own errors
        raise InvalidExpression(f"does not parse ({type(error).__name__}: {error})") from error
    if compiled.errors:
        raise InvalidExpression(str(compiled.errors[0]))
    return compiled


def frame_of(variables: Mapping[str, JSON], states: Mapping[str, JSON]) -> Any:
    """The names of one state; a JSON null is a value, which the library spells differently from nothing."""
    frame = Jsonata.Frame(_BASE)
    frame.bindings = {name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()}
    frame.bindings["states"] = states
    return frame


def run(compiled: Any, names: Any) -> Any:
    """Evaluate without a context item, as Step Functions does, in a frame of its own for ``:=``."""
    evaluator = Jsonata.CURRENT.jsonata = _evaluator()
    frame = Jsonata.Frame(names)
    frame.bindings = {"__evaluate_entry": _entered, "__evaluate_exit": _left}  # near, as every node looks them up
    return evaluator.eval(compiled.ast, None, frame)


def to_json(value: Any) -> JSON | _Undefined:
    """Plain lists and dicts; UNDEFINED for nothing."""
    return UNDEFINED if value is None else _plain(value)


def _plain(value: Any) -> JSON:
    if type(value) is str or value is True or value is False or type(value) is int:
        return value
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, float):
        return _plain_float(value)
    if isinstance(value, dict):
        if any(type(key) is not str for key in value):
            raise EvaluationFailed("the result is not JSON: an object has a key that is no string")
        if "next" in value and Utils.is_function(value["next"]):
            raise EvaluationFailed("the result is a function, not JSON")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Utils.RangeList):
        return [value[index] for index in range(len(value))]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    raise EvaluationFailed("the result is a function, not JSON")


def _plain_float(value: float) -> JSON:
    if math.isnan(value):
        return "NaN"  # AWS writes the numbers JSON lacks as the strings JavaScript names them by
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _entered(_expr: Any, _input: Any, _frame: Any) -> None:
    running = RUNNING.now
    if running is None:
        return
    running.depth += 1
    running.steps += 1
    if running.depth > DEPTH_MAX:
        raise EvaluationFailed(
            f"Stack overflow error: Check for non-terminating recursive function. Depth={running.depth} max={DEPTH_MAX}"
        )
    if running.steps > STEPS_MAX:
        raise EvaluationFailed("Expression evaluation timeout: Check for infinite loop")


def _left(_expr: Any, _input: Any, _frame: Any, result: Any) -> None:
    running = RUNNING.now
    if running is not None:
        running.depth -= 1
    if isinstance(result, str | list):
        check_bounds(result)


class _Evaluator(Jsonata):  # type: ignore[misc]  # the library ships no types
    """The library's evaluator, which would print to stdout when a value is called that is no function."""

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:  # noqa: A002 -- the library's name
        """As the library does, without the print."""
        if not (Functions.is_lambda(proc) or Utils.is_function(proc) or Functions.is_regex(proc)):
            raise jexception.JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)


def _evaluator() -> Any:
    """The library's evaluator of this thread; which expression it came from does not matter, it only walks trees."""
    evaluator = getattr(_EVALUATORS, "one", None)
    if evaluator is None:
        evaluator = _EVALUATORS.one = _Evaluator("null")
    return evaluator


class _Evaluators(type(Jsonata.CURRENT)):  # type: ignore[misc]  # the library ships no types
    one: Any


_BASE: Any = Jsonata.Frame(Jsonata.static_frame)
_BASE.bindings = dict(_OWN_FUNCTIONS)
_EVALUATORS = _Evaluators()
