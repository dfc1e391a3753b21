"""Everyday expressions as Python closures: paths, constructors, comparisons, ``&``, ``? :`` and a few functions.

A closure gives exactly what the evaluator would give, in a fraction of the time, or raises ``Unusual`` where a value
is out of the ordinary: a list in a path, a type that does not fit, an error. The evaluator then evaluates the
expression from the start. Nothing here draws random numbers or reads the clock, so evaluating twice does no harm.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from workflows.asl.jsonata.evaluation import UNDEFINED, Names
from workflows.asl.jsonata.functions import parse_json
from workflows.asl.jsonata.limits import TEXT_MAX, EvaluationFailed, Unusual
from workflows.asl.jsonata.operators import text_of
from workflows.asl.jsonata.registry import BUILT_INS
from workflows.asl.jsonata.values import joined, plain

Closure: TypeAlias = Callable[[Names], Any]
_DEPTH_MAX: Final = 30  # of a syntax tree; the evaluator fails beyond 100 nested evaluations, up to 3 a node
_LARGEST: Final = int(sys.float_info.max)  # of doubles
_PARSED_MAX: Final = 300_000  # characters of JSON text; the evaluator has limits for larger ones
_EXTRAS: Final = ("stages", "predicate", "group", "focus", "index", "tuple", "keep_array", "keep_singleton_array")


class _Unsupported(Exception):
    """The syntax is not an everyday one."""


def compile_closure(tree: Any) -> Closure | None:
    """Compile a syntax tree, or return None if it contains anything but everyday syntax."""
    try:
        return _compile(tree, 0)
    except _Unsupported:
        return None


def _compile(node: Any, depth: int) -> Closure:
    compiler = _COMPILERS.get(getattr(node, "type", ""))
    if compiler is None or depth > _DEPTH_MAX or any(getattr(node, extra, None) for extra in _EXTRAS):
        raise _Unsupported
    return compiler(node, depth + 1)


def _literal(node: Any, _depth: int) -> Closure:
    value = node.value
    return lambda names: value


def _variable(node: Any, _depth: int) -> Closure:
    root = str(node.value)
    if root in ("", "$") or root in BUILT_INS:
        raise _Unsupported
    if root == "states":
        return lambda names: names.states
    return lambda names: names.variables.get(root, UNDEFINED)


def _path(node: Any, depth: int) -> Closure:
    first, *rest = node.steps
    keys = [
        str(step.value) for step in rest if step.type == "name" and not any(getattr(step, x, None) for x in _EXTRAS)
    ]
    if first.type != "variable" or len(keys) != len(rest):
        raise _Unsupported
    start = _compile(first, depth)

    def follow(names: Names) -> Any:
        value = start(names)
        for key in keys:
            if type(value) is dict:
                value = value.get(key, UNDEFINED)
            elif isinstance(value, list):
                raise Unusual
            else:
                return UNDEFINED
        return value

    return follow


def _unary(node: Any, depth: int) -> Closure:
    match str(node.value):
        case "[":
            return _array(node, depth)
        case "{":
            return _object(node, depth)
        case _:
            return _negative(_compile(node.expression, depth))


def _negative(inner: Closure) -> Closure:
    def negate(names: Names) -> Any:
        value = inner(names)
        return UNDEFINED if value is UNDEFINED else _number(-_float(value))

    return negate


def _array(node: Any, depth: int) -> Closure:
    if node.cons_array:
        raise _Unsupported
    items = [(_compile(item, depth), str(item.value) == "[") for item in node.expressions]

    def build(names: Names) -> Any:
        made: list[Any] = []
        for item, is_array in items:
            value = item(names)
            if value is UNDEFINED:
                continue
            if isinstance(value, list) and not is_array:
                made.extend(value)  # a list is flattened, unless it is written as one
            else:
                made.append(value)
        return made

    return build


def _object(node: Any, depth: int) -> Closure:
    keys = [key.value if key.type == "string" else None for key, _ in node.pairs]
    if None in keys or len(set(keys)) != len(keys):
        raise _Unsupported
    values = [_compile(value, depth) for _, value in node.pairs]
    fields = list(zip(keys, values, strict=True))

    def build(names: Names) -> Any:
        made = {}
        for key, field in fields:
            value = field(names)
            if value is not UNDEFINED:
                made[key] = value
        return made

    return build


def _condition(node: Any, depth: int) -> Closure:
    condition, then = _compile(node.condition, depth), _branch(node.then, depth)
    otherwise = _branch(node.otherwise, depth) if node.otherwise is not None else lambda names: UNDEFINED
    return lambda names: then(names) if _truth(condition(names)) else otherwise(names)


def _branch(node: Any, depth: int) -> Closure:
    """Compile a branch. One that is not everyday syntax is left to the evaluator when it is taken."""
    try:
        return _compile(node, depth)
    except _Unsupported:
        return _give_up


def _give_up(_names: Names) -> Any:
    raise Unusual


def _block(node: Any, depth: int) -> Closure:
    if len(node.expressions) != 1:
        raise _Unsupported
    return _compile(node.expressions[0], depth)


def _binary(node: Any, depth: int) -> Closure:
    operator = _OPERATORS.get(str(node.value))
    if operator is None:
        raise _Unsupported
    left, right = _compile(node.lhs, depth), _compile(node.rhs, depth)
    if node.value == "and":
        return lambda names: _truth(left(names)) and _truth(right(names))
    if node.value == "or":
        return lambda names: _truth(left(names)) or _truth(right(names))
    return lambda names: operator(left(names), right(names))


def _function(node: Any, depth: int) -> Closure:
    name = str(getattr(node.procedure, "value", ""))
    function = _FUNCTIONS.get(name) if node.procedure.type == "variable" else None
    if function is None or len(node.arguments) != 1:
        raise _Unsupported
    argument = _compile(node.arguments[0], depth)

    def call(names: Names) -> Any:
        if name in names.variables:
            raise Unusual  # a variable hides the function
        return function(argument(names))

    return call


_COMPILERS: Final[dict[str, Callable[[Any, int], Closure]]] = {
    "string": _literal,
    "number": _literal,
    "value": _literal,
    "variable": _variable,
    "path": _path,
    "unary": _unary,
    "condition": _condition,
    "block": _block,
    "binary": _binary,
    "function": _function,
}


# --- operators -------------------------------------------------------------------------------------------------------


def _truth(value: Any) -> bool:
    if value is UNDEFINED or value is None:
        return False
    if isinstance(value, list) or (type(value) is int and not -_LARGEST <= value <= _LARGEST):
        raise Unusual
    return bool(value)


def _float(value: Any) -> float:
    if type(value) is not int and type(value) is not float:
        raise Unusual
    try:
        return float(value)
    except OverflowError:
        raise Unusual from None


def _number(value: float) -> Any:
    if not math.isfinite(value):
        raise Unusual
    return plain(value)


def _arithmetic(operate: Callable[[float, float], float]) -> Callable[[Any, Any], Any]:
    def calculate(left: Any, right: Any) -> Any:
        if left is UNDEFINED or right is UNDEFINED:
            raise Unusual
        return _number(operate(_float(left), _float(right)))

    return calculate


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise Unusual
    return left / right


def _is_equal(left: Any, right: Any) -> bool:
    if left is UNDEFINED or right is UNDEFINED:
        return False
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        raise Unusual
    if isinstance(left, str) or isinstance(right, str) or left is None or right is None:
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return _float(left) == _float(right)


def _differs(left: Any, right: Any) -> bool:
    return left is not UNDEFINED and right is not UNDEFINED and not _is_equal(left, right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Any]:
    def order(left: Any, right: Any) -> Any:
        if isinstance(left, str) and isinstance(right, str) and left.isascii():
            return compare(left, right)
        return compare(_float(left), _float(right))

    return order


def _concatenate(left: Any, right: Any) -> str:
    text = _text(left) + _text(right)
    if len(text) > TEXT_MAX:
        raise Unusual
    return joined(text)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is UNDEFINED:
        return ""
    if value is None:
        return "null"
    text = text_of(value)
    if len(text) > TEXT_MAX:
        raise Unusual
    return text


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "and": lambda left, right: _truth(left) and _truth(right),
    "or": lambda left, right: _truth(left) or _truth(right),
    "=": _is_equal,
    "!=": _differs,
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
    "&": _concatenate,
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(_divide),
}


# --- functions -------------------------------------------------------------------------------------------------------


def _string(value: Any) -> Any:
    return UNDEFINED if value is UNDEFINED else _text(value)


def _parse(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > _PARSED_MAX:
        raise Unusual
    try:
        return parse_json(value)
    except EvaluationFailed:
        raise Unusual from None


def _exists(value: Any) -> bool:
    return value is not UNDEFINED


def _not(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unusual
    return not value


def _count(value: Any) -> int:
    if not isinstance(value, list):
        raise Unusual
    return len(value)


def _merge(value: Any) -> Any:
    if not isinstance(value, list) or not value or not all(type(item) is dict for item in value):
        raise Unusual
    merged: dict[str, Any] = {}
    for item in value:
        merged.update(item)
    return merged


_FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _string,
    "parse": _parse,
    "exists": _exists,
    "not": _not,
    "count": _count,
    "merge": _merge,
}
