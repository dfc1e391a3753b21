"""Data flow of a state: input, result, variables, context, Arguments, Assign and Output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def test_without_output_the_result_or_the_input_is_the_output(begin: Begin, task: Build) -> None:
    """AWS docs, JSONata: the default output of a Task is its result; of other states it is their input."""
    driver = begin(
        {"A": {"Type": "Pass", "Next": "B"}, "B": task(Output=None) | {"Output": "{% $states.result %}"}}, {"a": 1}
    )
    driver.answer([1])
    assert driver.output["Payload"] == [1]
    plain = begin({"B": {k: v for k, v in task().items() if k != "Output"}})
    plain.answer("x")
    metadata = {"SdkHttpMetadata", "SdkResponseMetadata"}
    assert plain.output.keys() - metadata == {"ExecutedVersion", "Payload", "StatusCode"}
    assert plain.output["Payload"] == "x"


def test_without_arguments_a_function_gets_the_input(begin: Begin, task: Build) -> None:
    """ASL: when Arguments is absent, the state input is the task's input."""
    state = task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:f", Output="{% $states.result %}")
    del state["Arguments"]
    driver = begin({"A": state}, {"a": 1})
    assert driver.calls()[0].payload == {"a": 1}
    driver.answer({"b": 2})
    assert driver.output == {"b": 2}


def test_assign_and_output_see_the_old_variables(begin: Begin) -> None:
    """AWS docs, Variables: new values are visible from the next state on."""
    driver = begin(
        {
            "A": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "B"},
            "B": {
                "Type": "Pass",
                "Assign": {"x": "{% $y %}", "y": "{% $x %}"},
                "Output": "{% [$x, $y] %}",
                "Next": "C",
            },
            "C": {"Type": "Succeed", "Output": {"now": "{% [$x, $y] %}", "then": "{% $states.input %}"}},
        }
    )
    assert driver.output == {"now": [2, 1], "then": [1, 2]}


def test_nothing_is_assigned_when_one_expression_fails(begin: Begin, task: Build) -> None:
    """Assign happens all at once or not at all; the catcher sees the old values."""
    driver = begin(
        {
            "A": {"Type": "Pass", "Assign": {"x": "old"}, "Next": "B"},
            "B": task(
                Assign={"x": "new"},
                Output="{% $states.result.missing %}",
                Catch=[{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "C", "Output": "{% $x %}"}],
            ),
            "C": {"Type": "Succeed", "Output": ["{% $x %}", "{% $states.input %}"]},
        }
    )
    driver.answer()
    assert driver.output == ["old", "old"]


def test_a_variable_may_hold_null(begin: Begin) -> None:
    """JSON null is a value, unlike undefined."""
    driver = begin(
        {
            "A": {"Type": "Pass", "Assign": {"x": None, "y": "{% $states.input.n %}"}, "Next": "B"},
            "B": {"Type": "Succeed", "Output": {"x": "{% $x %}", "is": "{% $exists($x) %}", "y": "{% [$y] %}"}},
        },
        {"n": None},
    )
    assert driver.output == {"x": None, "is": True, "y": [None]}


def test_undefined_is_an_error_and_names_its_field(begin: Begin) -> None:
    """Recorded on AWS: event, words and location of a JSONata expression that selects nothing."""
    driver = begin({"State0": {"Type": "Pass", "Output": {"result": "{% $doesNotExist %}"}, "End": True}})
    cause = (
        "An error occurred while executing the state 'State0' (entered at the event id #2). The JSONata expression "
        "'$doesNotExist' specified for the field 'Output/result' returned nothing (undefined)."
    )
    assert driver.chain() == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "PassStateEntered"),
        (3, 0, "EvaluationFailed"),
        (4, 3, "ExecutionFailed"),
    ]
    assert driver.details("EvaluationFailed") == [
        {"error": "States.QueryEvaluationError", "cause": cause, "location": "Output/result", "state": "State0"}
    ]
    assert (driver.end.error, driver.end.cause) == ("States.QueryEvaluationError", cause)


@pytest.mark.parametrize(
    ("state", "location"),
    [
        ({"Type": "Pass", "Assign": {"a": ["{% $nope %}"]}, "End": True}, "Assign/a[0]"),
        ({"Type": "Wait", "Seconds": "{% $nope %}", "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": "{% 'x' %}", "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": "{% -1 %}", "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": "{% 100000000 %}", "End": True}, "Seconds"),
        ({"Type": "Wait", "Seconds": "{% 1e15 %}", "End": True}, "Seconds"),
        ({"Type": "Wait", "Timestamp": "{% 'soon' %}", "End": True}, "Timestamp"),
        ({"Type": "Fail", "Error": "{% 1 %}"}, "Error"),
        ({"Type": "Fail", "Cause": "{% {} %}"}, "Cause"),
        ({"Type": "Succeed", "Output": "{% 'a' + 1 %}"}, "Output"),
        ({"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "End"}]}, "Choices[0]/Condition"),
        ({"Type": "Choice", "Choices": [{"Condition": True, "Next": "End", "Output": "{% $x %}"}]},
         "Choices[0]/Output"),
        ({"Type": "Map", "Items": "{% 'abc' %}", "End": True,
          "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}}, "Items"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_its_field_is_a_query_evaluation_error(
    begin: Begin, state: dict[str, Any], location: str
) -> None:
    """AWS docs, Error handling: type, range and undefined results of expressions."""
    states = {"A": state, "End": {"Type": "Succeed"}} if state["Type"] == "Choice" else {"A": state}
    driver = begin(states)
    assert driver.end.error == "States.QueryEvaluationError"
    assert driver.details("EvaluationFailed")[0]["location"] == location


def test_the_context_object_is_complete(begin: Begin, callback: Build) -> None:
    """Recorded on AWS: its fields, with RetryCount if the state can retry and Task.Token if it waits for a token."""
    driver = begin(
        {
            "A": {"Type": "Pass", "Output": "{% $states.context %}", "Next": "B"},
            "B": callback(
                Arguments={"FunctionName": "f", "Payload": "{% $states.context %}"}, Output="{% $states.input %}"
            ),
        },
        {"a": 1},
    )
    execution = {
        "Id": "arn:aws:states:eu-west-1:123456789012:execution:m:e",
        "Input": {"a": 1},
        "StartTime": "2026-03-14T12:00:00.000Z",
        "Name": "e",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "RedriveCount": 0,
    }
    state_machine = {"Id": "arn:aws:states:eu-west-1:123456789012:stateMachine:m", "Name": "m"}
    assert driver.calls()[0].payload == {
        "Execution": execution,
        "StateMachine": state_machine,
        "State": {"Name": "B", "EnteredTime": "2026-03-14T12:00:00.000Z", "RetryCount": 0},
        "Task": {"Token": driver.token},
    }
    driver.settle()
    assert driver.output == {
        "Execution": execution,
        "StateMachine": state_machine,
        "State": {"Name": "A", "EnteredTime": "2026-03-14T12:00:00.000Z"},
    }


def test_arguments_are_evaluated_again_for_each_attempt(begin: Begin, task: Build) -> None:
    """The context holds RetryCount, so an attempt can pass on its own number."""
    arguments = {"FunctionName": "f", "Payload": "{% $states.context.State.RetryCount %}"}
    driver = begin({"A": task(Arguments=arguments, Retry=[{"ErrorEquals": ["Boom"]}])})
    assert driver.calls()[0].payload == 0
    driver.fail_call()
    driver.wait(1)
    assert driver.calls()[0].payload == 1


@pytest.mark.parametrize(
    ("condition", "next_state"),
    [
        (True, "Yes"),
        (False, "No"),
        ("{% $states.input.n > 1 %}", "Yes"),
        ("{% $n = 7 %}", "Yes"),
        ("{% $n = 8 %}", "No"),
    ],
)
def test_a_choice_takes_the_first_rule_that_is_true(begin: Begin, condition: Any, next_state: str) -> None:
    """A rule has its own Assign and Output; those of the state apply to Default."""
    driver = begin(
        {
            "Set": {"Type": "Pass", "Assign": {"n": 7}, "Next": "Ask"},
            "Ask": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": condition, "Next": "Yes", "Output": {"by": "rule"}, "Assign": {"how": "rule"}},
                    {"Condition": "{% $states.input.n = 'never' %}", "Next": "Yes"},
                ],
                "Default": "No",
                "Output": {"by": "default"},
                "Assign": {"how": "default"},
            },
            "Yes": {"Type": "Succeed", "Output": ["Yes", "{% $how %}", "{% $states.input.by %}"]},
            "No": {"Type": "Succeed", "Output": ["No", "{% $how %}", "{% $states.input.by %}"]},
        },
        {"n": 2},
    )
    how = "rule" if next_state == "Yes" else "default"
    assert driver.output == [next_state, how, how]


def test_a_choice_without_a_match_fails_the_execution(begin: Begin) -> None:
    """AWS docs, Error handling: States.NoChoiceMatched is reserved; the error reported is States.Runtime."""
    driver = begin({"A": {"Type": "Choice", "Choices": [{"Condition": False, "Next": "B"}]}, "B": {"Type": "Succeed"}})
    assert driver.end.error == "States.Runtime"
    assert "Failed to transition out of the state" in driver.end.cause


def test_a_wait_lasts_until_its_time(begin: Begin) -> None:
    """After seconds, or at a timestamp. A timestamp in the past does not wait."""
    driver = begin(
        {
            "A": {"Type": "Wait", "Seconds": "{% $states.input.s %}", "Next": "B"},
            "B": {"Type": "Wait", "Timestamp": "2026-03-14T13:00:00+01:00", "Next": "C"},
            "C": {"Type": "Wait", "Timestamp": "{% '2026-03-14T12:01:00Z' %}", "Output": "woke", "End": True},
        },
        {"s": 5},
    )
    assert driver.armed() == {"wait": 5.0}
    driver.wait(5)
    assert driver.armed() == {"wait": 55.0}
    driver.wait(55)
    assert driver.output == "woke"


def test_a_fail_state_computes_its_error_and_cause(begin: Begin) -> None:
    """Error and Cause accept JSONata, and each of them is optional."""
    driver = begin({"A": {"Type": "Fail", "Error": "{% 'E' & $states.input.n %}", "Cause": "as configured"}}, {"n": 4})
    assert (driver.end.error, driver.end.cause) == ("E4", "as configured")
    assert begin({"A": {"Type": "Fail"}}).details("ExecutionFailed") == [{}]
