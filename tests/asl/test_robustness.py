"""Any text is read or refused, and every machine that is read runs to an end: no traceback, no hang."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.asl.interpreter import history
from workflows.asl.reading.definition import DefinitionProblem, InvalidDefinition, parse
from workflows.asl.run import NothingMoves, run

NUMBERS = st.integers(-5, 2**70) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
WORDS = (
    st.sampled_from(["A", "P", "M", "Done", "Next", "End", "Type", "Task", "Pass", "Map", "States.ALL", "Boom", "f"])
    | st.sampled_from([True, 0, 1, {}, [], None])
    | st.sampled_from(["{% $states.input %}", "{% $states.result %}", "{% $states.errorOutput %}", "{% $x %}"])
    | st.sampled_from(["{% $ %}", "{% 1/0 %}", "{% ( %}", "{% $states.context %}", "{% $map([1..3], $string) %}"])
    | st.sampled_from(["{% {'a': $states.input.a} %}", "{% function($x){$x} %}", "{% $states.input(1) %}"])
)
INVOKE = "arn:aws:states:::lambda:invoke"
MACHINE: dict[str, Any] = {
    "QueryLanguage": "JSONata",
    "StartAt": "A",
    "TimeoutSeconds": 1000,
    "States": {
        "A": {
            "Type": "Task",
            "Resource": INVOKE,
            "Arguments": {"FunctionName": "f", "Payload": "{% $states.input %}"},
            "TimeoutSeconds": "{% 5 + 5 %}",
            "HeartbeatSeconds": 5,
            "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1, "IntervalSeconds": 2, "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "P", "Assign": {"e": "{% $states.errorOutput %}"}}],
            "Assign": {"x": "{% $states.result.Payload %}"},
            "Output": {"a": "{% $states.result.Payload %}"},
            "Next": "C",
        },
        "C": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.a = 1 %}", "Next": "M"}], "Default": "P"},
        "P": {
            "Type": "Parallel",
            "Arguments": {"b": "{% $states.input %}"},
            "Branches": [
                {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3, "End": True}}},
                {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Boom", "Cause": "{% 'c' %}"}}},
            ],
            "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "M"}],
            "Next": "M",
        },
        "M": {
            "Type": "Map",
            "Items": "{% [1, 2, 3] %}",
            "MaxConcurrency": 2,
            "ItemSelector": {"v": "{% $states.context.Map.Item.Value %}"},
            "ItemProcessor": {"StartAt": "I", "States": {
                "I": {"Type": "Pass", "Output": "{% $states.input.v %}", "End": True}}},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed", "Output": "{% $states.input %}"},
    },
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def short_histories() -> Iterator[None]:
    """The quota of events stops a machine that loops; a lower quota stops it sooner."""
    quota, history.EVENTS_MAX = history.EVENTS_MAX, 400
    yield
    history.EVENTS_MAX = quota


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Iterate over every container and key."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from places(inner)


@st.composite
def machines(draw: Callable[..., Any]) -> dict[str, Any]:
    """``MACHINE`` with one to three places changed, removed or added."""
    machine = copy.deepcopy(MACHINE)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(places(machine))))
        how = draw(st.sampled_from(["change", "change", "remove", "add"]))
        if how == "remove" and isinstance(container, dict):
            del container[key]
        elif how == "add" and isinstance(container, dict):
            container[draw(st.sampled_from(["Output", "Assign", "Next", "End", "Default", "Retry", "x"]))] = draw(WORDS)
        else:
            container[key] = draw(WORDS | ANYTHING)
    return machine


def problems_of(text: str) -> list[DefinitionProblem]:
    try:
        parse(text, name="m")
    except InvalidDefinition as refused:
        return refused.problems
    return []


def boom(event: Any) -> Any:
    if event == 1:
        raise ValueError("boom")
    return event


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machine=machines(), given_input=ANYTHING)
def test_a_changed_machine_is_refused_or_runs_to_an_end(machine: dict[str, Any], given_input: Any) -> None:
    """``run`` raises only the exceptions that it documents."""
    if problems := problems_of(json.dumps(machine)):
        assert all(problem.what and problem.field for problem in problems)
        return
    try:
        ended = run(machine, given_input, {"f": boom})
    except NothingMoves:
        return
    assert ended.events[-1]["type"].startswith("Execution")
    json.dumps(ended.output)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | ANYTHING.map(json.dumps))
def test_any_text_is_refused_with_its_problems(text: str) -> None:
    """The parsers of JSON, YAML and JSONata never raise anything else."""
    assert problems_of(text)


@settings(max_examples=300, deadline=None)
@given(source=st.text(alphabet="$states.input()[]{}%'\"ab1,:;?=<>~|^*/&!@# \n\\", max_size=25))
def test_any_expression_is_refused_or_gives_json(source: str) -> None:
    """Or it fails the state with States.QueryEvaluationError."""
    states = {"A": {"Type": "Succeed", "Output": f"{{%{source}%}}"}}
    machine = {"QueryLanguage": "JSONata", "StartAt": "A", "States": states}
    if problems_of(json.dumps(machine)):
        return
    ended = run(machine, {"a": [1, {"b": None}]})
    assert ended.error in (None, "States.QueryEvaluationError")
