"""Task tokens: unguessable, routed without an index, settled once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.asl.tokens import InvalidToken, make_token, token_execution

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]


def test_a_token_names_its_execution(begin: Begin, callback: Build) -> None:
    """So an answer can be routed without an index. A token fits AWS's limit of 2048 characters."""
    driver = begin({"A": callback()})
    assert token_execution(driver.token) == driver.execution.arn
    assert len(driver.token) < 2048
    assert "execution" not in driver.token


@given(st.text(max_size=200))
def test_other_text_is_not_a_token(text: str) -> None:
    """SendTaskSuccess answers InvalidToken."""
    with pytest.raises(InvalidToken):
        token_execution(text)


def test_a_damaged_token_is_distinguished_from_a_closed_one() -> None:
    """A change of any letter is noticed."""
    token = make_token("arn:aws:states:eu-west-1:123456789012:execution:m:e", b"s" * 32)
    for position in range(len(token) - 1):
        other = "A" if token[position] != "A" else "B"
        with pytest.raises(InvalidToken):
            token_execution(token[:position] + other + token[position + 1 :])


def test_tokens_come_from_the_seed(begin: Begin, callback: Build) -> None:
    """The same journal gives the same tokens; each attempt has its own."""
    states = {"A": callback(Retry=[{"ErrorEquals": ["Boom"]}])}
    driver, again = begin(states), begin(states)
    first = driver.token
    assert first == again.token
    driver.settle_with_error("Boom")
    driver.wait(1)
    assert driver.token != first
    assert driver.settle("old", token=first).settled is False
    driver.settle("new")
    assert driver.output == "new"


def test_a_callback_is_submitted_then_settled(begin: Begin, callback: Build) -> None:
    """Recorded on AWS: TaskScheduled, TaskStarted, TaskSubmitted with the answer of the call, TaskSucceeded."""
    driver = begin({"A": callback()})
    assert driver.answer("invoked").settled
    assert driver.execution.outstanding() == []
    assert driver.answer("invoked", task=1).settled is False
    driver.settle({"ok": True})
    assert driver.types()[2:] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert driver.details("TaskSucceeded")[0]["output"] == '{"ok":true}'
    assert driver.output == {"ok": True}


def test_a_token_is_settled_once(begin: Begin, callback: Build) -> None:
    """Later settlements change nothing; the driver answers TaskTimedOut."""
    driver = begin({"A": callback(Next="B"), "B": callback()})
    first = driver.token
    assert driver.settle(1, token=first).settled
    for late in (
        driver.settle(2, token=first),
        driver.settle_with_error("E", token=first),
        driver.heartbeat(token=first),
    ):
        assert (late.settled, late.effects, late.events) == (False, [], [])
    assert driver.token != first


def test_a_token_may_be_settled_before_the_call_answers(begin: Begin, callback: Build) -> None:
    """A function may settle its own token while it runs; its answer then comes too late."""
    driver = begin({"A": callback()})
    driver.settle("early")
    assert driver.output == "early"
    assert "TaskSubmitted" not in driver.types()
    assert driver.answer("late", task=1).settled is False


def test_a_callback_that_cannot_be_delivered_fails_the_task(begin: Begin, callback: Build) -> None:
    """Its token is closed. After delivery, only the token settles the task."""
    driver = begin({"A": callback(Catch=[{"ErrorEquals": ["NoSuch"], "Next": "B"}]), "B": {"Type": "Succeed"}})
    token = driver.token
    driver.fail_call("NoSuch")
    assert driver.settle(token=token).settled is False
    assert driver.output["Error"] == "NoSuch"
    delivered = begin({"A": callback()})
    delivered.answer()
    assert delivered.fail_call(task=1).settled is False
    delivered.settle_with_error("Told", "so")
    assert (delivered.end.error, delivered.end.cause) == ("Told", "so")


def test_a_timed_out_token_is_closed(begin: Begin, callback: Build) -> None:
    """AWS answers TaskTimedOut."""
    driver = begin({"A": callback(TimeoutSeconds=5)})
    token = driver.token
    driver.wait(5)
    assert driver.settle(token=token).settled is False
