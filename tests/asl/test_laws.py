"""Laws of the interpreter, on random runs of one machine that contains every type of state."""

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
    Redriven,
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
                        "Arguments": {"FunctionName": "g", "Payload": {"token": "{% $states.context.Task.Token %}"}},
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


def one_step(driver: Any, draw: Callable[..., Any]) -> None:
    """Send one signal that is possible now, or one that comes too late."""
    execution: Execution = driver.execution
    if execution.status is not ExecutionStatus.RUNNING:
        redrive(driver)
        return
    kinds = ["late"]
    kinds += (
        ["answer", "fail"] * bool(driver.calls())
        + ["token"] * bool(execution.tokens)
        + ["time"] * bool(execution.timers)
    )
    match draw(st.sampled_from(kinds)):
        case "answer":
            task = draw(st.sampled_from([call.task for call in driver.calls()]))
            driver.answer(draw(st.sampled_from([None, 1, "x", {"a": [1]}])), task=task)
        case "fail":
            task = draw(st.sampled_from([call.task for call in driver.calls()]))
            driver.fail_call(draw(st.sampled_from(["Boom", "Boom", "Fatal", "States.TaskFailed"])), task=task)
        case "token":
            token = draw(st.sampled_from(execution.open_tokens()))
            draw(
                st.sampled_from(
                    [driver.settle, driver.heartbeat, lambda token: driver.settle_with_error("Boom", token=token)]
                )
            )(token=token)
        case "time":
            driver.wait(min(driver.armed().values()))
        case _:
            late(driver, draw)


def redrive(driver: Any) -> None:
    """Redrive an execution that did not succeed."""
    before = len(driver.events)
    assert driver.send(Redriven).settled
    assert driver.events[before]["type"] == "ExecutionRedriven"


def late(driver: Any, draw: Callable[..., Any]) -> None:
    """Send a signal that must change nothing: an unknown task or timer number, or an unknown token."""
    before = snapshot(driver.execution)
    number = draw(st.sampled_from([0, 999]))
    how: Any = draw(
        st.sampled_from(
            [
                lambda: driver.send(TaskSucceeded, task=number, output=1),
                lambda: driver.send(TaskFailed, task=number, error="E", cause=""),
                lambda: driver.send(TimerFired, timer=number),
                lambda: driver.send(TokenSucceeded, token="none", output=1),
                lambda: driver.send(TokenFailed, token="none", error="E", cause=""),
                lambda: driver.send(TokenHeartbeat, token="none"),
            ]
        )
    )
    step = how()
    assert (step.settled, step.effects, step.events) == (False, [], [])
    after = snapshot(driver.execution)
    assert {**after, "lastAt": ""} == {**before, "lastAt": ""}


def refold(driver: Any) -> tuple[Execution, list[Any], list[Any]]:
    execution: Execution | None = None
    events: list[Any] = []
    effects: list[Any] = []
    for signal in driver.journal:
        step = interpreter.apply(driver.definition, execution, signal)
        execution = step.execution
        events += step.events
        effects += step.effects
    assert execution is not None
    return execution, events, effects


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_replaying_the_journal_gives_the_same_execution_and_history(new_driver: Begin, data: st.DataObject) -> None:
    """An execution is the fold of its journal: same state, events and effects, and the signals stay unchanged."""
    driver = new_driver(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(data.draw(st.integers(0, 40))):
        if driver.execution.status is ExecutionStatus.SUCCEEDED:
            break
        one_step(driver, data.draw)
    journal = copy.deepcopy(driver.journal)
    execution, events, effects = refold(driver)
    assert snapshot(execution) == snapshot(driver.execution)
    assert events == driver.events
    assert effects == driver.effects
    assert driver.journal == journal
    assert execution.outstanding() == driver.execution.outstanding()


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_an_execution_ends_once_and_does_not_change_afterwards(new_driver: Begin, data: st.DataObject) -> None:
    """Signals after the end change nothing."""
    driver = new_driver(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(300):
        if driver.execution.status is not ExecutionStatus.RUNNING:
            break
        one_step(driver, data.draw)
    if driver.execution.status is ExecutionStatus.RUNNING:
        driver.abort("enough")
    assert sum(isinstance(effect, EndExecution) for effect in driver.effects) == 1
    ended = snapshot(driver.execution)
    for signal in data.draw(st.permutations(driver.journal[1:]))[:20]:
        step = interpreter.apply(driver.definition, driver.execution, signal)
        assert (step.settled, step.effects, step.events) == (False, [], [])
    assert snapshot(driver.execution) == ended
    assert driver.execution.outstanding() == []


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_outstanding_effects_are_earlier_effects_that_are_still_open(new_driver: Begin, data: st.DataObject) -> None:
    """After a crash no effect is lost and none is pointless.

    Outstanding calls and timers are among the earlier effects, the execution accepts an answer to each of them, and
    every running execution waits for at least one.
    """
    driver = new_driver(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(data.draw(st.integers(0, 40))):
        if driver.execution.status is ExecutionStatus.SUCCEEDED:
            break
        one_step(driver, data.draw)
    outstanding = driver.execution.outstanding()
    assert all(effect in driver.effects for effect in outstanding)
    calls = [effect for effect in outstanding if isinstance(effect, InvokeFunction | StartExecution)]
    assert len({effect.task for effect in calls}) == len(calls)
    if driver.execution.status is ExecutionStatus.RUNNING:
        assert outstanding or driver.execution.tokens
    for effect in outstanding:
        twin, _, _ = refold(driver)
        assert interpreter.apply(driver.definition, twin, answer_to(effect, driver)).settled


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_events_are_numbered_without_gaps_and_follow_earlier_ones(new_driver: Begin, data: st.DataObject) -> None:
    """GetExecutionHistory: ids count from 1, previousEventId is smaller, timestamps never go back."""
    driver = new_driver(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(40):
        if driver.execution.status is ExecutionStatus.SUCCEEDED:
            break
        one_step(driver, data.draw)
    assert [event["id"] for event in driver.events] == list(range(1, len(driver.events) + 1))
    assert all(event["previousEventId"] < event["id"] for event in driver.events)
    times = [event["timestamp"] for event in driver.events]
    assert times == sorted(times)
    entered = sum(event["type"].endswith("StateEntered") for event in driver.events)
    exited = sum(event["type"].endswith("StateExited") for event in driver.events)
    assert exited <= entered  # a state that was aborted can go on after a redrive, without being entered again


def answer_to(effect: Any, driver: Any) -> Signal:
    if isinstance(effect, SetTimer):
        return TimerFired(at=effect.at, seed="x", timer=effect.timer)
    return TaskSucceeded(at=driver.now, seed="x", task=effect.task, output={"Payload": 1})


def test_the_machine_of_the_laws_runs_to_its_end(begin: Begin) -> None:
    """If every call succeeds."""
    driver = begin(STATES, {"order": 1}, TimeoutSeconds=100_000)
    for _ in range(500):
        if driver.execution.status is not ExecutionStatus.RUNNING:
            break
        if driver.calls():
            driver.answer(1)
        elif driver.execution.tokens:
            driver.settle(2)
        else:
            driver.wait(min(driver.armed().values()))
    assert driver.output == "well"
