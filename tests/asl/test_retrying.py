"""Retry: the choice of the retrier, the number of attempts and their delays (AWS docs, Error handling)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workflows.asl.interpreter.frames import ErrorOutput
from workflows.asl.interpreter.retrying import matches

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("names", "error", "is_match"),
    [
        (["Boom"], "Boom", True),
        (["boom"], "Boom", False),
        (["Other", "Boom"], "Boom", True),
        (["States.ALL"], "Boom", True),
        (["States.ALL"], None, True),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.QueryEvaluationError", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["States.ALL"], "States.Runtime", False),
        (["States.Runtime"], "States.Runtime", False),
        (["States.DataLimitExceeded"], "States.DataLimitExceeded", True),
        (["States.TaskFailed"], "Boom", True),
        (["States.TaskFailed"], "States.TaskFailed", True),
        (["States.TaskFailed"], "States.QueryEvaluationError", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.TaskFailed"], "States.DataLimitExceeded", False),
        (["States.TaskFailed"], "States.Runtime", False),
        (["States.Timeout"], "States.Timeout", True),
        (["States.HeartbeatTimeout"], "States.Timeout", False),
    ],
)
def test_error_names_match_as_documented(names: list[str], error: str | None, is_match: bool) -> None:
    """States.ALL and States.TaskFailed, and the errors they do not match."""
    assert matches(names, ErrorOutput(error)) is is_match


def test_a_missed_heartbeat_matches_two_names() -> None:
    """The error is States.Timeout; Retry and Catch also match States.HeartbeatTimeout."""
    missed = ErrorOutput("States.Timeout", None, is_heartbeat=True)
    assert matches(["States.HeartbeatTimeout"], missed)
    assert matches(["States.Timeout"], missed)
    assert not matches(["States.TaskFailed"], missed)


def delays(driver: Any, error: str = "Boom") -> list[float]:
    found = []
    while driver.calls():
        driver.fail_call(error)
        armed = driver.armed()
        if "retry" in armed:
            found.append(armed["retry"])
            driver.wait(armed["retry"])
    return found


def test_the_delay_grows_by_the_rate_up_to_its_limit(begin: Begin, task: Build) -> None:
    """IntervalSeconds times BackoffRate to the power of the attempt, at most MaxDelaySeconds."""
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 5, "MaxDelaySeconds": 20}]
    driver = begin({"A": task(Retry=retry)})
    assert delays(driver) == [3, 6, 12, 20, 20]
    assert driver.end.error == "Boom"
    assert driver.types().count("TaskScheduled") == 6


def test_the_defaults_are_three_attempts_from_one_second_doubling(begin: Begin, task: Build) -> None:
    """MaxAttempts 3, IntervalSeconds 1, BackoffRate 2.0."""
    assert delays(begin({"A": task(Retry=[{"ErrorEquals": ["States.ALL"]}])})) == [1, 2, 4]


def test_full_jitter_draws_between_zero_and_the_delay(begin: Begin, task: Build) -> None:
    """The draws come from the seed of the signal: the same seeds give the same delays."""
    retry = [
        {"ErrorEquals": ["Boom"], "IntervalSeconds": 8, "BackoffRate": 1, "MaxAttempts": 40, "JitterStrategy": "FULL"}
    ]
    first = delays(begin({"A": task(Retry=retry)}))
    assert all(0 <= delay <= 8 for delay in first)
    assert len(set(first)) > 30
    assert first == delays(begin({"A": task(Retry=retry)}))


def test_each_retrier_counts_its_own_attempts(begin: Begin, task: Build) -> None:
    """AWS docs, complex retry scenario: each error uses the attempts of its own retrier."""
    retry = [
        {"ErrorEquals": ["A", "B"], "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 2},
        {"ErrorEquals": ["C"], "IntervalSeconds": 5, "MaxAttempts": 1},
    ]
    driver = begin({"T": task(Retry=retry)})
    seen = []
    for error in ("A", "C", "B"):
        driver.fail_call(error)
        seen.append(driver.armed()["retry"])
        driver.wait(100)
    assert seen == [1, 5, 2]
    driver.fail_call("A")
    assert driver.end.error == "A"


def test_a_used_up_retrier_is_not_followed_by_a_later_one(begin: Begin, task: Build) -> None:
    """Only the first match counts; MaxAttempts 0 means no retry."""
    retry = [{"ErrorEquals": ["Boom"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    driver = begin({"A": task(Retry=retry)})
    driver.fail_call("Boom")
    assert driver.end.error == "Boom"
    other = begin({"A": task(Retry=retry)})
    other.fail_call("Else")
    assert other.armed() == {"retry": 1.0}


def test_entering_a_state_again_resets_its_attempts(begin: Begin, task: Build) -> None:
    """Attempts are counted from each entry."""
    driver = begin(
        {
            "A": task(
                Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}], Next="B", Output="{% $states.result.Payload %}"
            ),
            "B": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input = 'again' %}", "Next": "A"}],
                "Default": "C",
            },
            "C": {"Type": "Succeed"},
        }
    )
    for payload in ("again", "done"):
        driver.fail_call()
        driver.wait(1)
        driver.answer(payload)
    assert driver.output == "done"


def test_retry_comes_before_catch(begin: Begin, task: Build) -> None:
    """Once no attempt is left, the catcher sees the last error."""
    driver = begin(
        {
            "A": task(
                Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.errorOutput.Cause %}"}],
            ),
            "B": {"Type": "Succeed"},
        }
    )
    driver.fail_call(cause="first")
    driver.wait(1)
    driver.fail_call(cause="second")
    assert driver.output == "second"


def test_a_failed_expression_is_retried(begin: Begin, task: Build) -> None:
    """States.QueryEvaluationError can be retried like any error; the whole task runs again."""
    driver = begin(
        {"A": task(Output="{% $states.result.Payload.x %}", Retry=[{"ErrorEquals": ["States.QueryEvaluationError"]}])}
    )
    driver.answer({})
    driver.wait(1)
    driver.answer({"x": "now it is there"})
    assert driver.output == "now it is there"


def test_a_backoff_that_overflows_waits_for_the_longest_delay(begin: Begin, task: Build) -> None:
    """No error, and no date beyond the calendar."""
    retry = [{"ErrorEquals": ["Boom"], "BackoffRate": 1e308, "MaxAttempts": 5, "MaxDelaySeconds": 7}]
    assert delays(begin({"A": task(Retry=retry)})) == [1, 7, 7, 7, 7]
    endless = begin({"A": task(Retry=[{"ErrorEquals": ["Boom"], "IntervalSeconds": 99_999_999, "BackoffRate": 9e9}])})
    endless.fail_call()
    assert endless.armed()["retry"] == 99_999_999
