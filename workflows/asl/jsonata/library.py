"""The ``jsonata-python`` library: parse, bind names, evaluate, and convert the result to JSON.

Imported when the first expression is compiled. The library keeps state per thread and on its own objects; here each
evaluation gets a frame of its own, and a compiled expression is not written to after parsing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from jsonata import jexception
from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from workflows.asl.jsonata import functions as own
from workflows.asl.jsonata.bounded_library import WORK, CountedFunction, LinearSignature, count_work, install
from workflows.asl.jsonata.evaluation import CURRENT, UNDEFINED, Undefined
from workflows.asl.jsonata.limits import DEPTH_MAX, SOURCE_MAX, EvaluationFailed, InvalidExpression, check_size
from workflows.asl.jsonata.regexes import LinearPattern
from workflows.asl.jsonata.syntax_trees import every_node
from workflows.asl.signals import JSON

_OWN_FUNCTIONS: Mapping[str, tuple[Any, str]] = {
    "partition": (own.partition, "<a-n?:a>"),
    "range": (own.number_range, "<n-n?n?:a>"),
    "hash": (own.hash_of, "<s-s?:s>"),
    "random": (own.random_number, "<n?:n>"),
    "uuid": (own.uuid4, "<:s>"),
    "parse": (own.parse_json, "<s-:x>"),
    "now": (own.now, "<s?s?:s>"),
    "millis": (own.millis, "<:n>"),
    "shuffle": (own.shuffle, "<a:a>"),
    "pad": (own.pad, "<s-ns?:s>"),
    "join": (own.join, "<a<s>s?:s>"),
    "string": (own.string, "<x-b?:s>"),
    "split": (own.split, "<s-(sf)n?:a<s>>"),
    "replace": (own.replace, "<s-(sf)(sf)n?:s>"),
    "fromMillis": (own.from_millis, "<n-s?s?:s>"),
    "toMillis": (own.to_millis, "<s-s?:n>"),
    "formatNumber": (own.format_number, "<n-so?:s>"),
    "formatInteger": (own.format_integer, "<n-s:s>"),
    "parseInteger": (own.parse_integer, "<s-s:n>"),
    "distinct": (own.distinct, "<x:x>"),
}
OWN_NAMES = frozenset(_OWN_FUNCTIONS)
BUILT_IN_NAMES = (frozenset(Jsonata.static_frame.bindings) | OWN_NAMES) - {"eval"}


def parse(source: str) -> Any:
    """Parse an expression.

    Raises:
        InvalidExpression: It is not JSONata, is nested too deeply or longer than ``SOURCE_MAX``, or holds a regular
            expression that does not compile.
    """
    if len(source) > SOURCE_MAX:
        raise InvalidExpression(f"has {len(source)} characters; the maximum is {SOURCE_MAX}")
    try:
        compiled = Jsonata(source, LinearPattern)
    except (jexception.JException, re.error, RecursionError) as error:
        raise InvalidExpression(str(error) or type(error).__name__) from error
    except Exception as error:  # some malformed texts make the parser raise Python's own errors
        raise InvalidExpression(f"does not parse ({type(error).__name__}: {error})") from error
    if compiled.errors:
        raise InvalidExpression(str(compiled.errors[0]))
    for node in every_node(compiled.ast):
        if node.type == "lambda" and node.signature is not None:
            node.signature = LinearSignature(node.signature)
    return compiled


def frame_of(variables: Mapping[str, JSON], states: Mapping[str, JSON]) -> Any:
    """Bind the names of one state. JSON null becomes the library's own null, because None means undefined there."""
    frame = Jsonata.Frame(_BASE)
    frame.bindings = {name: Utils.NULL_VALUE if value is None else value for name, value in variables.items()}
    frame.bindings["states"] = states
    return frame


def run(compiled: Any, names: Any) -> Any:
    """Evaluate without a context item, as Step Functions does. ``:=`` binds in a frame of this evaluation alone."""
    evaluator = Jsonata.CURRENT.jsonata = _evaluator()
    frame = Jsonata.Frame(names)
    frame.bindings = {
        "__evaluate_entry": _entered,
        "__evaluate_exit": _left,
    }  # in the nearest frame, because every node looks them up
    return evaluator.eval(compiled.ast, None, frame)


def to_json(value: Any) -> JSON | Undefined:
    """Convert a result of the library to plain JSON; None becomes UNDEFINED.

    Raises:
        EvaluationFailed: The result holds a function or an object key that is not a string.
    """
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
            raise EvaluationFailed("the result is not JSON: an object has a key that is not a string")
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
        return "NaN"  # AWS writes numbers that JSON lacks as the strings that JavaScript names them by
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _entered(_expr: Any, _input: Any, _frame: Any) -> None:
    evaluation = CURRENT.evaluation
    if evaluation is None:
        return
    evaluation.depth += 1
    if evaluation.depth > DEPTH_MAX:
        advice = "Check for non-terminating recursive function"
        raise EvaluationFailed(f"Stack overflow error: {advice}. Depth={evaluation.depth} max={DEPTH_MAX}")
    evaluation.count_steps(1)


def _left(expr: Any, _input: Any, _frame: Any, result: Any) -> None:
    evaluation = CURRENT.evaluation
    if evaluation is not None:
        evaluation.depth -= 1
    if isinstance(result, str | list | dict):
        check_size(result, len(result) - (type(result) is Utils.RangeList))  # a range says one more than it has
        if evaluation is not None and expr.type in _MAKING and type(result) not in _READ.get(expr.type, ()):
            evaluation.count_made(result)


_MAKING: Final = frozenset({"unary", "binary", "path", "wildcard", "descendant"})  # functions count what they make
_READ: Final = {"path": (str, list, dict)}  # a path makes sequences; other results are parts of what it reads


class _Evaluator(Jsonata):  # type: ignore[misc]  # the library ships no types
    """The library's evaluator without its print to stdout when a value that is not a function is called."""

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        """Evaluate ``in``, and count the elements that it may compare."""
        count_work(rhs)
        return super().evaluate_includes_expression(lhs, rhs)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        """Evaluate ``=`` or ``!=``, and count all that is compared."""
        if isinstance(lhs, list | dict) and isinstance(rhs, list | dict) and CURRENT.evaluation is not None:
            CURRENT.evaluation.count_steps(CURRENT.evaluation.size_of(lhs) // WORK)
        return super().evaluate_equality_expression(lhs, rhs, op)

    def evaluate_transform_expression(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002
        """Make the function of ``|...|...|``, which copies all of its argument."""
        transform = super().evaluate_transform_expression(expr, input, environment)
        return CountedFunction("transform", transform, transform.signature)

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:  # noqa: A002 -- the library's name
        """Apply a function as the library does, or raise T1006 without printing."""
        if not (Functions.is_lambda(proc) or Utils.is_function(proc) or Functions.is_regex(proc)):
            raise jexception.JException("T1006", 0)
        return super().apply_inner(proc, args, input, environment)


def _evaluator() -> Any:
    """Return this thread's evaluator. One serves every expression: it only walks syntax trees."""
    evaluator = getattr(_EVALUATORS, "one", None)
    if evaluator is None:
        evaluator = _EVALUATORS.one = _Evaluator("null")
    return evaluator


class _Evaluators(type(Jsonata.CURRENT)):  # type: ignore[misc]  # the library ships no types
    one: Any


def _own_function(name: str, function: Any, signature: str) -> CountedFunction:
    parsed = Jsonata.JFunction(Jsonata.JLambda(function), signature)
    parsed.signature.set_function_name(name)
    return CountedFunction(name, parsed.function, parsed.signature)


install()
_BASE: Any = Jsonata.Frame(Jsonata.static_frame)
_BASE.bindings = {
    name: CountedFunction(name, function, function.signature)
    for name, function in Jsonata.static_frame.bindings.items()
}
_BASE.bindings |= {name: _own_function(name, *function) for name, function in _OWN_FUNCTIONS.items()}
_BASE.bindings["eval"] = None  # Step Functions does not have it (its documentation: use $parse)
_EVALUATORS = _Evaluators()
