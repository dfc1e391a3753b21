"""Laws of the interpreter, on random runs of one machine that has everything in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asl.snapshots import snapshot
from workflows.asl.interpreter import interpreter
from workflows.asl.interpreter.execution import Execution
from workflows.asl.signals import (
    EndExecution,
    ExecutionStatus,
    InvokeFunction,
    SetTimer,
    Signal,
    StartExecution,
    TaskFailed,
    TaskSucceeded,
    TimerFired,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)

Begin = Callable[..., Any]
INVOKE = "arn:aws:states:::lambda:invoke"
RETRY = [{"ErrorEquals": ["Boom"], "MaxAttempts": 2, "JitterStrategy": "FULL"}]
STATES: dict[str, Any] = {
    "First": {
        "Type": "Task",
        "Resource": INVOKE,
        "Arguments": {"FunctionName": "f", "Payload": {"n": "{% $random() %}", "id": "{% $uuid() %}"}},
        "TimeoutSeconds": 30,
        "Retry": RETRY,
        "Assign": {"seen": "{% $states.result.Payload %}"},
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Both"}],
        "Next": "Both",
    },
    "Both": {
        "Type": "Parallel",
        "Branches": [
            {
                "StartAt": "Hold",
                "States": {
                    "Hold": {
                        "Type": "Task",
                        "Resource": INVOKE + ".waitForTaskToken",
                        "Arguments": {"FunctionName": "g", "Payload": "{% $states.context.Task.Token %}"},
                        "HeartbeatSeconds": 10,
                        "Retry": [{"ErrorEquals": ["States.HeartbeatTimeout"], "MaxAttempts": 1}],
                        "End": True,
                    }
                },
            },
            {
                "StartAt": "Nap",
                "States": {
                    "Nap": {"Type": "Wait", "Seconds": 5, "Next": "Nest"},
                    "Nest": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::states:startExecution.sync:2",
                        "Arguments": {"StateMachineArn": "child", "Name": "{% $uuid() %}"},
                        "TimeoutSeconds": 60,
                        "End": True,
                    },
                },
            },
        ],
        "Retry": [{"ErrorEquals": ["Boom"], "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Each",
                   "Assign": {"why": "{% $states.errorOutput.Error %}"}}],
        "Next": "Each",
    },
    "Each": {
        "Type": "Map",
        "Items": [1, 2, 3, 4],
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "StartAt": "Item",
            "States": {"Item": {"Type": "Task", "Resource": INVOKE, "Arguments": {"FunctionName": "h"},
                                "Retry": RETRY, "End": True}},
        },
        "Catch": [{"ErrorEquals": ["Fatal"], "Next": "Wrong"}],
        "Next": "Ask",
    },
    "Ask": {"Type": "Choice", "Choices": [{"Condition": "{% $random() < 0.3 %}", "Next": "First"}], "Default": "Done"},
    "Done": {"Type": "Succeed", "Output": "{% $exists($why) ? $why : 'well' %}"},
    "Wrong": {"Type": "Fail", "Error": "{% $states.input.Error %}"},
}  # fmt: skip


def one_step(hand: Any, draw: Callable[..., Any]) -> None:
    """One thing that may happen now, or something that comes too late."""
    execution: Execution = hand.execution
    kinds = ["late"]
    kinds += (
        ["answer", "break"] * bool(hand.calls())
        + ["token"] * bool(execution.tokens)
        + ["time"] * bool(execution.timers)
    )
    match draw(st.sampled_from(kinds)):
        case "answer":
            task = draw(st.sampled_from([call.task for call in hand.calls()]))
            hand.answer(draw(st.sampled_from([None, 1, "x", {"a": [1]}])), task=task)
        case "break":
            task = draw(st.sampled_from([call.task for call in hand.calls()]))
            hand.break_(draw(st.sampled_from(["Boom", "Boom", "Fatal", "States.TaskFailed"])), task=task)
        case "token":
            token = draw(st.sampled_from(execution.open_tokens()))
            draw(st.sampled_from([hand.settle, hand.beat, lambda token: hand.settle_badly("Boom", token=token)]))(
                token=token
            )
        case "time":
            hand.wait(min(hand.armed().values()))
        case _:
            late(hand, draw)


def late(hand: Any, draw: Callable[..., Any]) -> None:
    """Signals that nobody waits for: numbers never given, tokens never made or long settled."""
    before = snapshot(hand.execution)
    number = draw(st.sampled_from([0, 999]))
    how: Any = draw(
        st.sampled_from(
            [
                lambda: hand.tell(TaskSucceeded, task=number, output=1),
                lambda: hand.tell(TaskFailed, task=number, error="E", cause=""),
                lambda: hand.tell(TimerFired, timer=number),
                lambda: hand.tell(TokenSucceeded, token="none", output=1),
                lambda: hand.tell(TokenFailed, token="none", error="E", cause=""),
                lambda: hand.tell(TokenHeartbeat, token="none"),
            ]
        )
    )
    step = how()
    assert (step.settled, step.effects, step.events) == (False, [], [])
    after = snapshot(hand.execution)
    assert {**after, "lastAt": ""} == {**before, "lastAt": ""}


def refold(hand: Any) -> tuple[Execution, list[Any], list[Any]]:
    execution: Execution | None = None
    events: list[Any] = []
    effects: list[Any] = []
    for signal in hand.journal:
        step = interpreter.apply(hand.definition, execution, signal)
        execution = step.execution
        events += step.events
        effects += step.effects
    assert execution is not None
    return execution, events, effects


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_replaying_the_journal_gives_the_same_execution_and_history(new_hand: Begin, data: st.DataObject) -> None:
    """An execution is a fold of its journal: same state, events and effects, and nothing it was given changed."""
    hand = new_hand(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(data.draw(st.integers(0, 40))):
        if hand.execution.status is not ExecutionStatus.RUNNING:
            break
        one_step(hand, data.draw)
    journal = copy.deepcopy(hand.journal)
    execution, events, effects = refold(hand)
    assert snapshot(execution) == snapshot(hand.execution)
    assert events == hand.events
    assert effects == hand.effects
    assert hand.journal == journal
    assert execution.outstanding() == hand.execution.outstanding()


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_an_execution_ends_once_and_then_nothing_changes_it(new_hand: Begin, data: st.DataObject) -> None:
    """Whatever comes after the end."""
    hand = new_hand(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(300):
        if hand.execution.status is not ExecutionStatus.RUNNING:
            break
        one_step(hand, data.draw)
    if hand.execution.status is ExecutionStatus.RUNNING:
        hand.abort("enough")
    assert sum(isinstance(effect, EndExecution) for effect in hand.effects) == 1
    ended = snapshot(hand.execution)
    for signal in data.draw(st.permutations(hand.journal[1:]))[:20]:
        step = interpreter.apply(hand.definition, hand.execution, signal)
        assert (step.settled, step.effects, step.events) == (False, [], [])
    assert snapshot(hand.execution) == ended
    assert hand.execution.outstanding() == []


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_what_is_outstanding_is_what_was_asked_for_and_not_over(new_hand: Begin, data: st.DataObject) -> None:
    """After a crash nothing is lost and nothing is done that nobody waits for: calls and timers are among the effects
    asked for before, each is still meant by the execution, and every running execution waits for something.
    """
    hand = new_hand(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(data.draw(st.integers(0, 40))):
        if hand.execution.status is not ExecutionStatus.RUNNING:
            break
        one_step(hand, data.draw)
    outstanding = hand.execution.outstanding()
    assert all(effect in hand.effects for effect in outstanding)
    asked = [effect for effect in outstanding if isinstance(effect, InvokeFunction | StartExecution)]
    assert len({effect.task for effect in asked}) == len(asked)
    if hand.execution.status is ExecutionStatus.RUNNING:
        assert outstanding or hand.execution.tokens
    for effect in outstanding:
        twin, _, _ = refold(hand)
        assert interpreter.apply(hand.definition, twin, answer_to(effect, hand)).settled


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_events_are_numbered_without_gaps_and_follow_earlier_ones(new_hand: Begin, data: st.DataObject) -> None:
    """GetExecutionHistory: ids from 1, previousEventId smaller, timestamps never going back."""
    hand = new_hand(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(40):
        if hand.execution.status is not ExecutionStatus.RUNNING:
            break
        one_step(hand, data.draw)
    assert [event["id"] for event in hand.events] == list(range(1, len(hand.events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in hand.events)
    times = [event["timestamp"] for event in hand.events]
    assert times == sorted(times)
    entered = sum(event["type"].endswith("StateEntered") for event in hand.events)
    left = sum(event["type"].endswith(("StateExited", "StateAborted")) for event in hand.events)
    assert left <= entered


def answer_to(effect: Any, hand: Any) -> Signal:
    if isinstance(effect, SetTimer):
        return TimerFired(at=effect.at, seed="x", timer=effect.timer)
    return TaskSucceeded(at=hand.now, seed="x", task=effect.task, output={"Payload": 1})


def test_the_machine_of_the_laws_runs_to_its_end(begin: Begin) -> None:
    """Answering everything well."""
    hand = begin(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(500):
        if hand.execution.status is not ExecutionStatus.RUNNING:
            break
        if hand.calls():
            hand.answer(1)
        elif hand.execution.tokens:
            hand.settle(2)
        else:
            hand.wait(min(hand.armed().values()))
    assert hand.output == "well"
