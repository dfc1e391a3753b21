"""Functions of JSONata for lists and objects, and those that take a function."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, current
from workflows.asl.jsonata.operators import add, divide, is_numeric, text_of, truth
from workflows.asl.jsonata.values import FunctionValue, Sequence, append, double, identity, precedes

_COMPARED_A_STEP = 16  # elements that a sort without a function compares in the time of one evaluation step


def total(numbers: list[float]) -> float:
    """Add up numbers."""
    result: float = 0
    for number in numbers:
        result = add(result, number)
    return result


def count(values: Any) -> int:
    """Count the elements of a list; there are none in an undefined one."""
    return 0 if values is UNDEFINED else len(values)


def maximum(numbers: list[float]) -> Any:
    """Return the largest number."""
    return max(numbers, key=double) if numbers else UNDEFINED


def minimum(numbers: list[float]) -> Any:
    """Return the smallest number."""
    return min(numbers, key=double) if numbers else UNDEFINED


def average(numbers: list[float]) -> Any:
    """Return the mean of numbers."""
    return divide(total(numbers), len(numbers)) if numbers else UNDEFINED


def boolean(value: Any) -> bool:
    """Cast a value to a boolean. A function is false here, and true in a condition."""
    return not isinstance(value, FunctionValue) and truth(value)


def negation(value: Any) -> bool:
    """Return the opposite of a value cast to a boolean."""
    return not boolean(value)


def exists(value: Any) -> bool:
    """Tell whether a value is there. Null is."""
    return value is not UNDEFINED


def type_name(value: Any) -> str:
    """Return the name of a value's type. What is not a number (NaN) is an object, as in the reference.

    Raises:
        JSONataError: D1001: a number is infinite.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if is_numeric(value):
        return "number"
    for types, name in ((str, "string"), (list, "array"), (FunctionValue, "function")):
        if isinstance(value, types):
            return name
    return "object"


# --- lists -----------------------------------------------------------------------------------------------------------


def appended(first: Any, second: Any) -> Any:
    """Append two values, each of which may be a list."""
    return append(first, second)


def reverse(values: list[Any]) -> list[Any]:
    """Reverse a list."""
    return values if len(values) <= 1 else values[::-1]


def shuffle(values: list[Any]) -> list[Any]:
    """Shuffle a list with the random numbers of the signal."""
    shuffled = list(values)
    random.Random(current().dice.bytes32("shuffle")).shuffle(shuffled)
    return shuffled


def distinct(values: Any) -> Any:
    """Remove the elements that equal an earlier one."""
    if not isinstance(values, list) or len(values) <= 1:
        return values
    current().count_steps(current().size_of(values) // _COMPARED_A_STEP)
    first = {identity(value): value for value in reversed(values)}
    kept = [value for value in values if first.pop(identity(value), UNDEFINED) is not UNDEFINED]
    return Sequence(kept) if type(values) is Sequence else kept


def zipped(*lists: Any) -> list[Any]:
    """Make a list of the first elements, one of the second ones, and so on."""
    if not all(isinstance(each, list) for each in lists):
        return []
    return [list(elements) for elements in zip(*lists, strict=False)]


def sort(values: list[Any], comes_after: Any) -> list[Any]:
    """Sort a list: numbers or texts, or by a function that tells whether its first argument comes after its second.

    Raises:
        JSONataError: D3070: there is no function, and the elements are not of one kind.
    """
    if comes_after is not UNDEFINED:
        return merge_sort(values, lambda first, second: _is_set(comes_after.apply([first, second])))
    if len(values) > 1 and not (all(map(is_numeric, values)) or all(isinstance(value, str) for value in values)):
        raise JSONataError("D3070", index=1)
    current().count_steps(len(values) // _COMPARED_A_STEP)
    return merge_sort(values, lambda first, second: precedes(second, first))


def merge_sort(values: list[Any], comes_after: Callable[[Any, Any], bool]) -> list[Any]:
    """Sort by merging halves, which keeps the order of equal elements and calls the function as the reference does."""
    if len(values) <= 1:
        return values
    middle = len(values) // 2
    left, right = merge_sort(values[:middle], comes_after), merge_sort(values[middle:], comes_after)
    merged: list[Any] = []
    at_left = at_right = 0
    while at_left < len(left) and at_right < len(right):
        if comes_after(left[at_left], right[at_right]):
            merged.append(right[at_right])
            at_right += 1
        else:
            merged.append(left[at_left])
            at_left += 1
    return [*merged, *left[at_left:], *right[at_right:]]


def _is_set(value: Any) -> bool:
    """Tell whether JavaScript takes a value as true: every list and object is."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return isinstance(value, list | dict | FunctionValue) or (value is not UNDEFINED and bool(value))


# --- functions that take a function ----------------------------------------------------------------------------------


def _called(function: FunctionValue, *arguments: Any) -> Any:
    """Call a function with as many arguments as it takes, at least one."""
    return function.apply(list(arguments[: max(1, function.arity)]))


def mapped(values: list[Any], function: FunctionValue) -> Sequence:
    """Call a function with each element, its index and the list."""
    results = (_called(function, value, index, values) for index, value in enumerate(values))
    return Sequence(result for result in results if result is not UNDEFINED)


def filtered(values: list[Any], function: FunctionValue) -> Sequence:
    """Keep the elements for which a function returns a true value."""
    return Sequence(value for index, value in enumerate(values) if truth(_called(function, value, index, values)))


def single(values: list[Any], function: Any) -> Any:
    """Return the only element for which a function returns a true value. Raises JSONataError if there is not one."""
    found: list[Any] = []
    for index, value in enumerate(values):
        if function is UNDEFINED or truth(_called(function, value, index, values)):
            if found:
                raise JSONataError("D3138", index=index)
            found.append(value)
    if not found:
        raise JSONataError("D3139")
    return found[0]


def reduced(values: list[Any], function: FunctionValue, initial: Any) -> Any:
    """Call a function with the result so far and the next element, from the first to the last."""
    arity = function.arity
    if arity < 2:
        raise JSONataError("D3050", index=1)
    begin = 1 if initial is UNDEFINED and values else 0
    result = values[0] if begin else initial
    for index in range(begin, len(values)):
        result = function.apply([result, values[index], index, values][:arity])
    return result


# --- objects ---------------------------------------------------------------------------------------------------------


def sifted(value: dict[str, Any], function: Any) -> Any:
    """Keep the fields for which a function returns a true value."""
    if function is UNDEFINED and value:
        raise JSONataError("T0410", value=function, index=2)
    kept = {name: item for name, item in value.items() if truth(_called(function, item, name, value))}
    return kept or UNDEFINED


def each_field(value: dict[str, Any], function: FunctionValue) -> Sequence:
    """Call a function with each field's value, its name and the object."""
    results = (_called(function, item, name, value) for name, item in value.items())
    return Sequence(result for result in results if result is not UNDEFINED)


def keys(value: Any) -> Sequence:
    """List the names of the fields of an object, or of all objects in a list."""
    if isinstance(value, list):
        return Sequence(dict.fromkeys(name for item in value for name in keys(item)))
    return Sequence(value if isinstance(value, dict) else ())


def lookup(value: Any, name: Any) -> Any:
    """Return a field of an object, or of all objects in a list."""
    if isinstance(value, list):
        found = Sequence()
        for item in value:
            each = lookup(item, name)
            if isinstance(each, list):
                found.extend(each)
            elif each is not UNDEFINED:
                found.append(each)
        return found
    return value.get(name, UNDEFINED) if isinstance(value, dict) and isinstance(name, str) else UNDEFINED


def spread(value: Any) -> Any:
    """Split an object into objects of one field."""
    if isinstance(value, list):
        parts: list[Any] = []
        for item in value:
            part = spread(item)
            parts.extend(part) if isinstance(part, list) else parts.append(part)
        return parts if value else Sequence()
    return Sequence({name: item} for name, item in value.items()) if isinstance(value, dict) else value


def merged(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """Merge objects; the later ones win."""
    result: dict[str, Any] = {}
    for each in objects:
        result.update(each)
    return result


def clone(value: Any) -> Any:
    """Copy a value through JSON text, as JSONata does: functions become empty texts, numbers have 15 digits."""
    return json.loads(text_of(value))


def fail(message: Any) -> Any:
    """Raise an error with a message."""
    raise JSONataError("D3137", message="$error() function evaluated" if message in (UNDEFINED, "") else message)


def assert_that(condition: Any, message: Any) -> Any:
    """Raise an error with a message unless a condition is true."""
    if condition is True:
        return UNDEFINED
    raise JSONataError("D3141", message="$assert() statement failed" if message in (UNDEFINED, "") else message)
