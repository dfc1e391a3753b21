"""Retry: which retrier, how often, how long, and what starts the count anew (AWS docs, Error handling)."""

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
    """The wildcards and their exceptions."""
    assert matches(names, ErrorOutput(error)) is is_match


def test_a_missed_heartbeat_goes_by_two_names() -> None:
    """It is a States.Timeout, and States.HeartbeatTimeout in Retry and Catch."""
    missed = ErrorOutput("States.Timeout", None, is_heartbeat=True)
    assert matches(["States.HeartbeatTimeout"], missed)
    assert matches(["States.Timeout"], missed)
    assert not matches(["States.TaskFailed"], missed)


def delays(hand: Any, error: str = "Boom") -> list[float]:
    found = []
    while hand.calls():
        hand.break_(error)
        armed = hand.armed()
        if "retry" in armed:
            found.append(armed["retry"])
            hand.wait(armed["retry"])
    return found


def test_the_delay_grows_by_the_rate_up_to_its_limit(begin: Begin, task: Build) -> None:
    """IntervalSeconds times BackoffRate to the power of the attempt, at most MaxDelaySeconds."""
    retry = [{"ErrorEquals": ["Boom"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 5, "MaxDelaySeconds": 20}]
    hand = begin({"A": task(Retry=retry)})
    assert delays(hand) == [3, 6, 12, 20, 20]
    assert hand.end.error == "Boom"
    assert hand.types().count("TaskScheduled") == 6


def test_the_defaults_are_three_attempts_from_one_second_doubling(begin: Begin, task: Build) -> None:
    """MaxAttempts 3, IntervalSeconds 1, BackoffRate 2.0."""
    assert delays(begin({"A": task(Retry=[{"ErrorEquals": ["States.ALL"]}])})) == [1, 2, 4]


def test_full_jitter_draws_between_nothing_and_the_delay(begin: Begin, task: Build) -> None:
    """From the seed of the signal: not the plain delays, and the same again for the same seeds."""
    retry = [
        {"ErrorEquals": ["Boom"], "IntervalSeconds": 8, "BackoffRate": 1, "MaxAttempts": 40, "JitterStrategy": "FULL"}
    ]
    first = delays(begin({"A": task(Retry=retry)}))
    assert all(0 <= delay <= 8 for delay in first)
    assert len(set(first)) > 30
    assert first == delays(begin({"A": task(Retry=retry)}))


def test_each_retrier_counts_its_own_attempts(begin: Begin, task: Build) -> None:
    """AWS docs, complex retry scenario: another error uses another retrier's attempts."""
    retry = [
        {"ErrorEquals": ["A", "B"], "IntervalSeconds": 1, "BackoffRate": 2.0, "MaxAttempts": 2},
        {"ErrorEquals": ["C"], "IntervalSeconds": 5, "MaxAttempts": 1},
    ]
    hand = begin({"T": task(Retry=retry)})
    seen = []
    for error in ("A", "C", "B"):
        hand.break_(error)
        seen.append(hand.armed()["retry"])
        hand.wait(100)
    assert seen == [1, 5, 2]
    hand.break_("A")
    assert hand.end.error == "A"


def test_a_used_up_retrier_is_not_followed_by_a_later_one(begin: Begin, task: Build) -> None:
    """The first match decides; MaxAttempts 0 says never."""
    retry = [{"ErrorEquals": ["Boom"], "MaxAttempts": 0}, {"ErrorEquals": ["States.ALL"]}]
    hand = begin({"A": task(Retry=retry)})
    hand.break_("Boom")
    assert hand.end.error == "Boom"
    other = begin({"A": task(Retry=retry)})
    other.break_("Else")
    assert other.armed() == {"retry": 1.0}


def test_entering_a_state_again_starts_its_counts_anew(begin: Begin, task: Build) -> None:
    """Counters belong to one visit."""
    hand = begin(
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
        hand.break_()
        hand.wait(1)
        hand.answer(payload)
    assert hand.output == "done"


def test_retry_comes_before_catch(begin: Begin, task: Build) -> None:
    """The catcher sees the last error, once no attempt is left."""
    hand = begin(
        {
            "A": task(
                Retry=[{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
                Catch=[{"ErrorEquals": ["States.ALL"], "Next": "B", "Output": "{% $states.errorOutput.Cause %}"}],
            ),
            "B": {"Type": "Succeed"},
        }
    )
    hand.break_(cause="first")
    hand.wait(1)
    hand.break_(cause="second")
    assert hand.output == "second"


def test_a_failed_expression_is_retried(begin: Begin, task: Build) -> None:
    """States.QueryEvaluationError is an error like others: the whole task runs again."""
    hand = begin(
        {"A": task(Output="{% $states.result.Payload.x %}", Retry=[{"ErrorEquals": ["States.QueryEvaluationError"]}])}
    )
    hand.answer({})
    hand.wait(1)
    hand.answer({"x": "now it is there"})
    assert hand.output == "now it is there"


def test_a_rate_beyond_all_numbers_waits_for_the_limit(begin: Begin, task: Build) -> None:
    """No overflow, no date beyond the calendar."""
    retry = [{"ErrorEquals": ["Boom"], "BackoffRate": 1e308, "MaxAttempts": 5, "MaxDelaySeconds": 7}]
    assert delays(begin({"A": task(Retry=retry)})) == [1, 7, 7, 7, 7]
    endless = begin({"A": task(Retry=[{"ErrorEquals": ["Boom"], "IntervalSeconds": 99_999_999, "BackoffRate": 9e9}])})
    endless.break_()
    assert endless.armed()["retry"] == 99_999_999
