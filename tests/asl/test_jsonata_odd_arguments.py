"""No error in Python's words leaves an evaluation, whatever the arguments of a function are."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from workflows.asl.jsonata.dice import Dice
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.jsonata.expressions import compile_expression
from workflows.asl.jsonata.limits import EvaluationFailed, InvalidExpression
from workflows.asl.jsonata.registry import BUILT_INS

CALLS: Final = 300  # of each function
PYTHON_ERROR: Final = re.compile(r"[A-Z]\w*(?:Error|Exception): ")
VARIABLES: Final[dict[str, Any]] = {"large": 10**400, "small": -(10**400), "digits": "9" * 5000}
ARGUMENTS: Final = (
    "$nope", "null", "true", "[]", "[[]]", "[[[1]]]", "[null]", "[1, [2, 'a'], null]", "['a', 'b']", "[1, 2, 3]",
    "{}", "{'a': 1}", "{'a': null, 'b': [1, {}]}", "[{'a': 1}, {'a': 2}]", "$sum", "[$sum]", "$sum ~> $string",
    "$substring(?, 1)", "function($x) { $x }", "function($x, $y, $z) { $y }", "function() { $nope }", "|$|{}|", "/a/",
    "/(a)|b/i", "[/a/]", "''", "'a'", "'abc,b'", "'\ud800'", "'a\udc00'", "'\U0001f600'", "'%ff'", "'2024-01-01'",
    "'+0530'", "'[Y]'", "'[Z]'", "'[D1o]'", "'[H\ud800]'", "'[Z0\ud8000]'", "'#,##0.00'", "'0'", "'A'", "'I'", "'w'",
    "'Ww;o'", "'\u0660'", "$digits", "'+' & $digits", "0", "-0", "1", "-1", "2.5", "1e-7", "1e15", "1e21", "1e300",
    "-1e300", "4294967296", "$large", "$small", "0/0", "1/0", "-1/0", "{'zero-digit': '\ud800'}",
    "{'decimal-separator': 'xx'}",
    "function($t) {{'match': 'a', 'start': 0, 'end': '', 'groups': [], 'next': function() { $nope }}}",
    "function($t) {{'match': 'a', 'start': -1, 'end': 9, 'groups': [$nope, 1], 'next': function() { $nope }}}",
    "function($t) {{'match': 'a', 'start': 1e300, 'end': 1, 'groups': [], 'next': 1}}",
)  # fmt: skip
OPERATIONS: Final = (
    "-({})", "1/({})", "({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / ({})", "({}) % ({})", "({}) = ({})",
    "({}) < ({})", "({}) & ({})", "({}) in ({})", "({}) .. ({})", "({}) and ({})", "({}) ~> ({})", "({})[{}]",
    "({})^({})", "({}).({})", "({}){{'a': {}}}",
)  # fmt: skip


def attempt(source: str) -> str:
    """Evaluate an expression and return the text of its failure; empty if it has a result."""
    try:
        compile_expression(source).evaluate(Names(VARIABLES, {}, datetime(2026, 3, 14, tzinfo=UTC), Dice("s")))
    except (EvaluationFailed, InvalidExpression) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("name", sorted(BUILT_INS))
def test_a_function_of_odd_arguments_fails_in_words_of_its_own(name: str) -> None:
    """Undefined, null, nested lists, functions, halves of surrogate pairs, and numbers that no double holds."""
    dice = random.Random(name)
    for _ in range(CALLS):
        source = f"${name}({', '.join(dice.choices(ARGUMENTS, k=dice.choice((1, 1, 2, 2, 2, 3, 3, 4))))})"
        assert not PYTHON_ERROR.match(attempt(source)), source


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operator_of_odd_operands_fails_in_words_of_its_own(operation: str) -> None:
    """The same operands, also in predicates, orders, groups and steps of paths."""
    dice = random.Random(operation)
    for _ in range(CALLS):
        source = operation.format(*dice.choices(ARGUMENTS, k=operation.count("{}")))
        assert not PYTHON_ERROR.match(attempt(source)), source


@pytest.mark.parametrize("source", ["{} ~> |$|{'a': $}|", "-({} ~> |$|{'a': $}|)", "$error({} ~> |$|{'a': $}|)"])
def test_an_object_that_holds_itself_fails(source: str) -> None:
    """A transform can make one; no JSON text has its form."""
    assert attempt(source)


@pytest.mark.parametrize(
    "source",
    ["$replace('a', /a/, $nope)", "$toMillis('\ud800', '[Y]')", "- $large", "$sqrt($large)",
     "$substring('a', $large, 1e300)",
     "$fromMillis($small)", "$range(-1, 1, 1/0)", "$range(-1, $large, 1)", "$partition(['a'], 0/0)", "$random(1/0)",
     "$toMillis('+' & $digits, '[Z]')", "$match('a', " + ARGUMENTS[-3] + ")"],
)  # fmt: skip
def test_what_once_failed_in_words_of_python(source: str) -> None:
    """An AttributeError, a UnicodeEncodeError, OverflowErrors and ValueErrors."""
    assert not PYTHON_ERROR.match(attempt(source))
