"""Compiled expressions give exactly what the evaluator gives, which defines their meaning."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.asl.jsonata.closures import compile_closure
from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import UNDEFINED, Names
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.jsonata.limits import EvaluationFailed, Unusual
from workflows.asl.jsonata.parsing import parse
from workflows.asl.reading.source import read

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
FOLDER = Path(__file__).parents[2] / "statemachines"
FIELDS = ("a", "b", "c")

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, -1.25, 1e15, 123456789012345678, 2**60, 3.0, 1e-7])
    | st.sampled_from(["", "a", "b", "1", '{"a": 1}', "[1, null]", "null", "not json", "ü"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=6,
)
LITERALS = st.sampled_from(
    ["1", "0", "2.5", "-3", "10000000000000000", "'a'", "''", "true", "false", "null", "'{\"a\": 1}'", "[]", "{}"]
)
PATHS = st.builds(
    lambda root, keys: ".".join([root, *keys]),
    st.sampled_from(["$x", "$y", "$states.input", "$states", "$missing"]),
    st.lists(st.sampled_from(FIELDS), max_size=3),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "&", "+", "-", "*", "/", "and", "or", "in"])
    functions = st.sampled_from(["string", "parse", "exists", "not", "count", "merge", "sum", "boolean"])
    items = st.lists(inner, max_size=3).map(", ".join)
    return (
        st.builds("({} {} {})".format, inner, operators, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
        | st.builds("({} ? {})".format, inner, inner)
        | st.builds("${}({})".format, functions, inner)
        | st.builds("$merge([{}, {}])".format, inner, inner)
        | st.builds("[{}]".format, items)
        | st.builds("{{'a': {}, 'b': {}}}".format, inner, inner)
        | st.builds("(-{})".format, inner)
        | st.builds("({}).a".format, inner)
    )


EXPRESSIONS = st.recursive(PATHS | LITERALS, combined, max_leaves=6)


def exactly(value: Any) -> Any:
    """Make values comparable with their types, as JSON text distinguishes them."""
    return "undefined" if value is UNDEFINED else json.dumps(value)


def by_evaluator(source: str, names: Names) -> Any:
    try:
        return exactly(compile_expression(source).evaluate_fully(names))
    except EvaluationFailed as error:
        return error


def check(source: str, variables: dict[str, Any], states: dict[str, Any]) -> bool:
    """Compare a closure with the evaluator. Returns whether there was a closure, and its values were usual."""
    closure = compile_closure(parse(source))
    if closure is None:
        return False
    before = copy.deepcopy((variables, states))
    try:
        value = exactly(closure(Names(variables, states, NOON, Dice("s"))))
    except Unusual:
        return False
    assert value == by_evaluator(source, Names(variables, states, NOON, Dice("s")))
    assert (variables, states) == before
    return True


@settings(max_examples=400, deadline=None)
@given(source=EXPRESSIONS, x=VALUES, y=VALUES, value=VALUES)
def test_a_compiled_expression_gives_what_the_evaluator_gives(source: str, x: Any, y: Any, value: Any) -> None:
    """Same value and type, and an error of the evaluator is never hidden by a value."""
    check(source, {"x": x, "y": y}, {"input": value, "context": {"a": "b"}})


OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "&", "+", "-", "*", "/", "and", "or")
FUNCTIONS = ("string", "parse", "exists", "not", "count", "merge")
ATOMS: dict[str, Any] = {
    "none": None,
    "yes": True,
    "no": False,
    "zero": 0,
    "one": 1,
    "half": 0.5,
    "large": 2**60,
    "text": "a",
    "json": '{"a": [1, null]}',
    "blank": "",
    "list": [1, None],
    "objects": [{"a": 1}, {"b": None}],
    "empty": [],
    "object": {"a": None},
    "hollow": {},
}
PLACES = [*(f"$v.{name}" for name in ATOMS), "$v.missing", "$missing"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_gives_what_the_evaluator_gives_for_every_pair_of_values(operator: str) -> None:
    """Also for undefined, null, and types that do not fit, where the closure may give up."""
    usual = [check(f"{left} {operator} {right}", {"v": ATOMS}, {}) for left in PLACES for right in PLACES]
    assert any(usual)


@pytest.mark.parametrize("form", [*(f"${name}({{}})" for name in FUNCTIONS), "[{}, 1]", "[[{}]]", "{{'a': {}}}", "-{}",
                                  "{} ? 1", "{} ? 1 : 2", "{}.a", "$merge([{}, {{'b': 1}}])"])  # fmt: skip
def test_functions_and_constructors_give_what_the_evaluator_gives_for_every_value(form: str) -> None:
    """Each with one value in its place."""
    usual = [check(form.format(place), {"v": ATOMS}, {}) for place in PLACES]
    assert any(usual)


def expressions_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [source for item in value.values() for source in expressions_of(item)]
    if isinstance(value, list):
        return [source for item in value for source in expressions_of(item)]
    is_expression = isinstance(value, str) and value.startswith("{%") and "${" not in value
    return [value[2:-2].strip()] if is_expression else []


MACHINES = sorted({source for path in FOLDER.glob("*.yaml") for source in expressions_of(read(path.read_text()))})
INPUT = {"order_id": "ord_1", "run": 1}
RESULT = {"Payload": {"reason": "completed"}, "Status": "SUCCEEDED", "Output": '{"outcome": "authorized"}'}
STATES: list[dict[str, Any]] = [
    {
        "context": {
            "Execution": {"Input": INPUT, "Name": "ord_1-1"},
            "State": {"RetryCount": 0},
            "Task": {"Token": "t"},
        },
        "input": {"reason": "completed", "outcome": "deferred", "waited": "await_pickup", **more},
        "result": RESULT,
        "errorOutput": {"Error": "Boom", "Cause": "why"},
    }
    for more in ({}, {"Error": "Boom", "Cause": {"a": [1, None]}}, {"compensating": True, "Error": None, "Cause": 1.5})
]


@pytest.mark.parametrize("source", [source for source in MACHINES if "$random()" not in source])
def test_every_expression_of_the_state_machines_is_compiled_and_equal(source: str) -> None:
    """They are what the engine evaluates all day. The one of a random wait is left to the evaluator."""
    for states in STATES:
        assert check(source, {}, states)


def test_the_state_machines_have_expressions() -> None:
    """Otherwise the test above would check nothing."""
    assert len(MACHINES) > 20


@pytest.mark.parametrize(
    "source",
    [
        "$states.input.list.a",
        "$x.a[0]",
        "$uuid()",
        "$map([1], $string)",
        "($a := 1; $a)",
        "$x{'a': 1}",
        "$x.a[]",
        "$x.*",
    ],
)
def test_other_expressions_are_left_to_the_evaluator(source: str) -> None:
    """A path through a list, a predicate, a random number, a binding, a group."""
    states = {"input": {"list": [{"a": 1}, {"a": 2}]}}
    assert not check(source, {"x": {"a": [1, 2]}}, states)
    names = Names({"x": {"a": [1, 2]}}, states, NOON, Dice("s"))
    same = Names({"x": {"a": [1, 2]}}, states, NOON, Dice("s"))
    expression = compile_expression(source)
    assert exactly(expression.evaluate(names)) == exactly(expression.evaluate_fully(same))


def test_a_variable_may_hide_a_function() -> None:
    """As in the evaluator: a call of it is an error then."""
    with pytest.raises(EvaluationFailed, match="T1006"):
        compile_expression("$string(1)").evaluate(Names({"string": 5}, {}, NOON, Dice("s")))
