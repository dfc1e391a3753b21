"""TimeoutSeconds and HeartbeatSeconds of a Task, and TimeoutSeconds of the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.asl.signals import ExecutionStatus, StopExecution

Begin = Callable[..., Any]
Build = Callable[..., dict[str, Any]]
CHILD = {
    "Type": "Task",
    "Resource": "arn:aws:states:::states:startExecution.sync:2",
    "Arguments": {"StateMachineArn": "child"},
    "End": True,
}


def test_a_task_that_takes_too_long_times_out(begin: Begin, task: Build) -> None:
    """Recorded on AWS: TaskTimedOut and ExecutionFailed with States.Timeout and no cause; a late answer is ignored."""
    hand = begin({"A": task(TimeoutSeconds=5)})
    number = hand.calls()[0].task
    hand.wait(4.9)
    assert hand.execution.status is ExecutionStatus.RUNNING
    hand.wait(0.1)
    assert hand.chain()[-2:] == [(5, 4, "TaskTimedOut"), (6, 5, "ExecutionFailed")]
    assert hand.details("TaskTimedOut") == [{"error": "States.Timeout", "resource": "invoke", "resourceType": "lambda"}]
    assert hand.details("ExecutionFailed") == [{"error": "States.Timeout"}]
    assert hand.details("TaskScheduled")[0]["timeoutInSeconds"] == 5
    assert hand.answer("late", task=number).settled is False


def test_the_timeout_runs_anew_for_each_attempt(begin: Begin, task: Build) -> None:
    """And the old deadline means nothing to the new attempt."""
    hand = begin({"A": task(TimeoutSeconds="{% $states.input.s %}", Retry=[{"ErrorEquals": ["Boom"]}])}, {"s": 10})
    hand.wait(9)
    hand.break_()
    hand.wait(1)
    assert hand.armed() == {"timeout": 10.0}
    hand.wait(9)
    hand.answer("ok")
    assert hand.output == "ok"


def test_a_plain_function_times_out_under_its_own_event(begin: Begin, task: Build) -> None:
    """Recorded on AWS: LambdaFunctionTimedOut."""
    hand = begin({"A": task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:f", TimeoutSeconds=5)})
    hand.wait(5)
    assert hand.details("LambdaFunctionTimedOut") == [{"error": "States.Timeout"}]


def test_heartbeats_keep_a_callback_alive(begin: Begin, callback: Build) -> None:
    """SendTaskHeartbeat starts the heartbeat clock again; the timeout runs on. It adds no event."""
    hand = begin({"A": callback(TimeoutSeconds=100, HeartbeatSeconds=10)})
    hand.answer()
    for _ in range(5):
        hand.wait(9)
        before = len(hand.events)
        assert hand.beat().settled
        assert len(hand.events) == before
    hand.wait(10)
    assert hand.details("TaskTimedOut") == [
        {"error": "States.Timeout", "resource": "invoke.waitForTaskToken", "resourceType": "lambda"}
    ]
    assert hand.end.error == "States.Timeout"


def test_the_timeout_ends_a_callback_however_it_beats(begin: Begin, callback: Build) -> None:
    """AWS docs, SendTaskHeartbeat: the Timeout is the maximum duration regardless of heartbeats."""
    hand = begin({"A": callback(TimeoutSeconds=20, HeartbeatSeconds=15)})
    hand.wait(14)
    hand.beat()
    hand.wait(6)
    assert hand.end.error == "States.Timeout"


def test_a_missed_heartbeat_is_caught_by_its_name(begin: Begin, callback: Build) -> None:
    """States.HeartbeatTimeout is for Retry and Catch; the error shown is States.Timeout."""
    hand = begin(
        {
            "A": callback(
                HeartbeatSeconds="{% 2 + 3 %}", Catch=[{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "B"}]
            ),
            "B": {"Type": "Succeed"},
        }
    )
    assert hand.details("TaskScheduled")[0]["heartbeatInSeconds"] == 5
    hand.wait(5)
    assert hand.output["Error"] == "States.Timeout"


def test_a_child_nobody_waits_for_any_more_is_stopped(begin: Begin) -> None:
    """.sync tasks own their child."""
    hand = begin({"A": CHILD | {"TimeoutSeconds": 5}})
    hand.wait(5)
    assert StopExecution(task=1) in hand.effects


def test_an_express_child_is_not_stopped(begin: Begin) -> None:
    """startSyncExecution children outlive the timeout of their parent."""
    resource = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
    hand = begin({"A": CHILD | {"Resource": resource, "TimeoutSeconds": 5}})
    hand.wait(5)
    assert not [e for e in hand.effects if isinstance(e, StopExecution)]


def test_a_machine_that_takes_too_long_is_timed_out(begin: Begin) -> None:
    """TIMED_OUT, not FAILED, and nothing in the machine can catch it. Its children are stopped."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    hand = begin({"A": CHILD | {"Catch": catch}, "B": {"Type": "Succeed"}}, TimeoutSeconds=30)
    hand.wait(30)
    assert (hand.end.status, hand.end.error) == (ExecutionStatus.TIMED_OUT, "States.Timeout")
    assert hand.chain()[-1] == (5, 0, "ExecutionTimedOut")
    assert hand.details("ExecutionTimedOut") == [{"error": "States.Timeout"}]
    assert StopExecution(task=1) in hand.effects
    assert hand.execution.outstanding() == []


def test_an_aborted_execution_stops_its_children(begin: Begin) -> None:
    """StopExecution: ExecutionAborted with what was given."""
    hand = begin({"A": CHILD})
    hand.abort("Mistake", "wrong order")
    assert (hand.end.status, hand.end.error, hand.end.cause) == (ExecutionStatus.ABORTED, "Mistake", "wrong order")
    assert hand.chain()[-1] == (5, 0, "ExecutionAborted")
    assert hand.effects[-2:] == [StopExecution(task=1), hand.end]
