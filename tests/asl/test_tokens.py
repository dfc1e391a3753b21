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


def test_a_token_knows_its_execution_and_nothing_else(begin: Begin, callback: Build) -> None:
    """Whoever gets a token can route it; it is opaque to everybody else, and fits AWS's 2048 characters."""
    hand = begin({"A": callback()})
    assert token_execution(hand.token) == hand.execution.arn
    assert len(hand.token) < 2048
    assert "execution" not in hand.token


@given(st.text(max_size=200))
def test_other_text_is_no_token(text: str) -> None:
    """InvalidToken, as SendTaskSuccess answers."""
    with pytest.raises(InvalidToken):
        token_execution(text)


def test_a_damaged_token_is_told_from_a_closed_one() -> None:
    """One letter changed anywhere."""
    token = make_token("arn:aws:states:eu-west-1:123456789012:execution:m:e", b"s" * 32)
    for position in range(len(token) - 1):
        other = "A" if token[position] != "A" else "B"
        with pytest.raises(InvalidToken):
            token_execution(token[:position] + other + token[position + 1 :])


def test_tokens_come_from_the_seed(begin: Begin, callback: Build) -> None:
    """The same journal gives the same token; each attempt has its own."""
    states = {"A": callback(Retry=[{"ErrorEquals": ["Boom"]}])}
    hand, again = begin(states), begin(states)
    first = hand.token
    assert first == again.token
    hand.settle_badly("Boom")
    hand.wait(1)
    assert hand.token != first
    assert hand.settle("old", token=first).settled is False
    hand.settle("new")
    assert hand.output == "new"


def test_a_callback_is_submitted_then_settled(begin: Begin, callback: Build) -> None:
    """Recorded on AWS: TaskScheduled, TaskStarted, TaskSubmitted with the answer of the call, TaskSucceeded."""
    hand = begin({"A": callback()})
    assert hand.answer("invoked").settled
    assert hand.execution.outstanding() == []
    assert hand.answer("invoked", task=1).settled is False
    hand.settle({"ok": True})
    assert hand.types()[2:] == [
        "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert hand.details("TaskSucceeded")[0]["output"] == '{"ok":true}'
    assert hand.output == {"ok": True}


def test_a_token_is_settled_once(begin: Begin, callback: Build) -> None:
    """Later settlements change nothing; TaskTimedOut is the driver's answer."""
    hand = begin({"A": callback(Next="B"), "B": callback()})
    first = hand.token
    assert hand.settle(1, token=first).settled
    for late in (hand.settle(2, token=first), hand.settle_badly("E", token=first), hand.beat(token=first)):
        assert (late.settled, late.effects, late.events) == (False, [], [])
    assert hand.token != first


def test_a_token_may_be_settled_before_the_call_answers(begin: Begin, callback: Build) -> None:
    """The function settles its own token while it runs; its answer then comes too late."""
    hand = begin({"A": callback()})
    hand.settle("early")
    assert hand.output == "early"
    assert "TaskSubmitted" not in hand.types()
    assert hand.answer("late", task=1).settled is False


def test_a_call_that_cannot_be_delivered_fails_the_task(begin: Begin, callback: Build) -> None:
    """And closes its token. Once delivered, only the token decides."""
    hand = begin({"A": callback(Catch=[{"ErrorEquals": ["NoSuch"], "Next": "B"}]), "B": {"Type": "Succeed"}})
    token = hand.token
    hand.break_("NoSuch")
    assert hand.settle(token=token).settled is False
    assert hand.output["Error"] == "NoSuch"
    delivered = begin({"A": callback()})
    delivered.answer()
    assert delivered.break_(task=1).settled is False
    delivered.settle_badly("Told", "so")
    assert (delivered.end.error, delivered.end.cause) == ("Told", "so")


def test_a_timed_out_token_is_closed(begin: Begin, callback: Build) -> None:
    """AWS answers TaskTimedOut."""
    hand = begin({"A": callback(TimeoutSeconds=5)})
    token = hand.token
    hand.wait(5)
    assert hand.settle(token=token).settled is False
