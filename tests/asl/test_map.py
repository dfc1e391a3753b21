"""Map in inline mode: the processor runs once for each item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def each(state: dict[str, Any], more: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    built = {"Type": "Map", "ItemProcessor": {"StartAt": "I", "States": {"I": state, **(more or {})}}} | fields
    return built if "Next" in built else {**built, "End": True}


ECHO = {"Type": "Succeed"}


def test_items_default_to_the_input_and_outputs_keep_their_order(begin: Begin, task: Build) -> None:
    """Whichever iteration ends first."""
    driver = begin({"M": each(task())}, ["a", "b", "c"])
    for number, payload in ((3, "C"), (1, "A"), (2, "B")):
        driver.answer(payload, task=number)
    assert driver.output == ["A", "B", "C"]


def test_an_item_selector_builds_the_input_of_each_iteration(begin: Begin) -> None:
    """It can read the state's input, and the item in the context."""
    selector = {
        "order": "{% $states.input.order %}",
        "n": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value.sku %}",
    }
    driver = begin(
        {"M": each(ECHO, Items="{% $states.input.lines %}", ItemSelector=selector)},
        {"order": 7, "lines": [{"sku": "a"}, {"sku": "b"}]},
    )
    assert driver.output == [{"order": 7, "n": 0, "v": "a"}, {"order": 7, "n": 1, "v": "b"}]


def test_states_of_an_iteration_see_the_item_in_their_context(begin: Begin) -> None:
    """Also those of a nested Parallel; a nested Map has its own item."""
    look = {"Type": "Succeed", "Output": "{% $states.context.Map.Item.Value & '/' & $states.input %}"}
    inner = {"Type": "Parallel", "Branches": [{"StartAt": "L", "States": {"L": look}}], "End": True}
    driver = begin({"M": each(inner, Items=["x", "y"], ItemSelector=1)})
    assert driver.output == [["x/1"], ["y/1"]]


def test_an_empty_list_has_no_iterations(begin: Begin) -> None:
    """The Map succeeds at once."""
    driver = begin({"M": each(ECHO, Items=[], Output="{% $count($states.result) %}")})
    assert driver.output == 0
    assert driver.types()[2:4] == ["MapStateStarted", "MapStateSucceeded"]


def test_iterations_have_variables_of_their_own(begin: Begin) -> None:
    """They can read the outer variables; their own end with the iteration."""
    driver = begin(
        {
            "Set": {"Type": "Pass", "Assign": {"factor": 10}, "Next": "M"},
            "M": each(
                {"Type": "Pass", "Assign": {"mine": "{% $states.input * $factor %}"}, "Next": "J"},
                {"J": {"Type": "Succeed", "Output": "{% $mine %}"}},
                Items=[1, 2, 3],
                Next="End",
            ),
            "End": {"Type": "Succeed", "Output": ["{% $states.input %}", "{% $exists($mine) %}"]},
        }
    )
    assert driver.output == [[10, 20, 30], False]


def test_concurrency_is_limited(begin: Begin, task: Build) -> None:
    """To MaxConcurrency; without it, or at 0, to the service's limit of 40 for inline Maps."""
    driver = begin({"M": each(task(), Items=[1, 2, 3], MaxConcurrency=2)})
    assert [c.task for c in driver.calls()] == [1, 2]
    driver.answer(task=2)
    assert [c.task for c in driver.calls()] == [1, 3]
    assert len(begin({"M": each(task())}, list(range(100))).calls()) == 40
    assert len(begin({"M": each(task(), MaxConcurrency=0)}, list(range(100))).calls()) == 40
    assert len(begin({"M": each(task(), MaxConcurrency="{% 3 %}")}, list(range(100))).calls()) == 3


def test_one_failed_iteration_fails_the_map(begin: Begin, task: Build) -> None:
    """Recorded on AWS: MapIterationFailed and its state aborted, then each other iteration, then MapStateFailed."""
    driver = begin(
        {"M": each(task(TimeoutSeconds=5), Catch=[{"ErrorEquals": ["Boom"], "Next": "End"}]), "End": ECHO}, [1, 2]
    )
    driver.fail_call("Boom", task=2)
    failed = driver.events[[e["type"] for e in driver.events].index("TaskFailed")]["id"]
    assert [(p, t) for i, p, t in driver.chain() if i > failed] == [
        (failed, "MapIterationFailed"),
        (failed, "TaskStateAborted"),
        (failed, "MapIterationAborted"),
        (failed, "TaskStateAborted"),
        (failed, "MapStateFailed"),
        (failed + 5, "MapStateExited"),
        (failed + 6, "SucceedStateEntered"),
        (failed + 7, "SucceedStateExited"),
        (failed + 8, "ExecutionSucceeded"),
    ]
    assert driver.details("MapIterationFailed") == [{"name": "M", "index": 1}]
    assert driver.output == {"Error": "Boom", "Cause": "why"}
    assert driver.execution.outstanding() == []


def test_iterations_that_have_not_started_never_start_after_a_failure(begin: Begin, task: Build) -> None:
    """The Map fails with the first failed iteration."""
    driver = begin({"M": each(task(), MaxConcurrency=1)}, [1, 2, 3])
    driver.answer(task=1)
    driver.fail_call(task=2)
    assert driver.types().count("MapIterationStarted") == 2
    assert driver.end.error == "Boom"


def test_a_map_retries_all_its_iterations(begin: Begin, task: Build) -> None:
    """Also the ones that had succeeded."""
    driver = begin({"M": each(task(), Retry=[{"ErrorEquals": ["Boom"]}])}, [1, 2])
    driver.answer("once", task=1)
    driver.fail_call("Boom", task=2)
    driver.wait(1)
    driver.answer("a", task=3)
    driver.answer("b", task=4)
    assert driver.output == ["a", "b"]


def test_a_broken_item_selector_fails_the_map(begin: Begin, task: Build) -> None:
    """The error can be caught, and the iterations already started are stopped."""
    selector = "{% $states.context.Map.Item.Index = 1 ? $nope : 1 %}"
    states = {
        "M": each(task(), Items=[1, 2], ItemSelector=selector, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "End"}]),
        "End": {"Type": "Succeed", "Output": "{% $states.input.Error %}"},
    }
    driver = begin(states)
    assert driver.output == "States.QueryEvaluationError"
    assert driver.calls() == []


def test_history_of_iterations_one_at_a_time(begin: Begin) -> None:
    """Recorded on AWS with MaxConcurrency 1: an iteration follows the last event inside the previous one."""
    driver = begin({"M": each({"Type": "Pass", "End": True}, MaxConcurrency=1)}, [1, 2])
    assert driver.chain() == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "MapStateEntered"),
        (3, 2, "MapStateStarted"),
        (4, 3, "MapIterationStarted"),
        (5, 4, "PassStateEntered"),
        (6, 5, "PassStateExited"),
        (7, 6, "MapIterationSucceeded"),
        (8, 6, "MapIterationStarted"),
        (9, 8, "PassStateEntered"),
        (10, 9, "PassStateExited"),
        (11, 10, "MapIterationSucceeded"),
        (12, 11, "MapStateSucceeded"),
        (13, 11, "MapStateExited"),
        (14, 13, "ExecutionSucceeded"),
    ]
    assert driver.details("MapStateStarted") == [{"length": 2}]
    assert driver.details("MapIterationStarted") == [{"name": "M", "index": 0}, {"name": "M", "index": 1}]
