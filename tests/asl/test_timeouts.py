"""TimeoutSeconds and HeartbeatSeconds of a Task, and TimeoutSeconds of the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.asl.run import run
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
    driver = begin({"A": task(TimeoutSeconds=5)})
    number = driver.calls()[0].task
    driver.wait(4.9)
    assert driver.execution.status is ExecutionStatus.RUNNING
    driver.wait(0.1)
    assert driver.chain()[-2:] == [(5, 4, "TaskTimedOut"), (6, 5, "ExecutionFailed")]
    assert driver.details("TaskTimedOut") == [
        {"error": "States.Timeout", "resource": "invoke", "resourceType": "lambda"}
    ]
    assert driver.details("ExecutionFailed") == [{"error": "States.Timeout"}]
    assert driver.details("TaskScheduled")[0]["timeoutInSeconds"] == 5
    assert driver.answer("late", task=number).settled is False


def test_each_attempt_has_the_full_timeout(begin: Begin, task: Build) -> None:
    """The timer of an earlier attempt does not end a later one."""
    driver = begin({"A": task(TimeoutSeconds="{% $states.input.s %}", Retry=[{"ErrorEquals": ["Boom"]}])}, {"s": 10})
    driver.wait(9)
    driver.fail_call()
    driver.wait(1)
    assert driver.armed() == {"timeout": 10.0}
    driver.wait(9)
    driver.answer("ok")
    assert driver.output == "ok"


def test_a_plain_function_times_out_under_its_own_event(begin: Begin, task: Build) -> None:
    """Recorded on AWS: LambdaFunctionTimedOut."""
    driver = begin({"A": task(Resource="arn:aws:lambda:eu-west-1:123456789012:function:f", TimeoutSeconds=5)})
    driver.wait(5)
    assert driver.details("LambdaFunctionTimedOut") == [{"error": "States.Timeout"}]


def test_heartbeats_keep_a_callback_alive(begin: Begin, callback: Build) -> None:
    """SendTaskHeartbeat restarts the heartbeat timer but not the timeout, and adds no event."""
    driver = begin({"A": callback(TimeoutSeconds=100, HeartbeatSeconds=10)})
    driver.answer()
    for _ in range(5):
        driver.wait(9)
        before = len(driver.events)
        assert driver.heartbeat().settled
        assert len(driver.events) == before
    driver.wait(10)
    assert driver.details("TaskTimedOut") == [
        {"error": "States.Timeout", "resource": "invoke.waitForTaskToken", "resourceType": "lambda"}
    ]
    assert driver.end.error == "States.Timeout"


def test_the_timeout_ends_a_callback_despite_heartbeats(begin: Begin, callback: Build) -> None:
    """AWS docs, SendTaskHeartbeat: the Timeout is the maximum duration regardless of heartbeats."""
    driver = begin({"A": callback(TimeoutSeconds=20, HeartbeatSeconds=15)})
    driver.wait(14)
    driver.heartbeat()
    driver.wait(6)
    assert driver.end.error == "States.Timeout"


def test_a_missed_heartbeat_is_caught_by_its_name(begin: Begin, callback: Build) -> None:
    """States.HeartbeatTimeout is for Retry and Catch; the error shown is States.Timeout."""
    driver = begin(
        {
            "A": callback(
                HeartbeatSeconds="{% 2 + 3 %}", Catch=[{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "B"}]
            ),
            "B": {"Type": "Succeed"},
        }
    )
    assert driver.details("TaskScheduled")[0]["heartbeatInSeconds"] == 5
    driver.wait(5)
    assert driver.output["Error"] == "States.Timeout"


def test_a_timed_out_task_stops_its_child_execution(begin: Begin) -> None:
    """A .sync task owns its child execution."""
    driver = begin({"A": CHILD | {"TimeoutSeconds": 5}})
    driver.wait(5)
    assert StopExecution(task=1) in driver.effects


def test_an_express_child_is_not_stopped(begin: Begin) -> None:
    """startSyncExecution children outlive the timeout of their parent."""
    resource = "arn:aws:states:::aws-sdk:sfn:startSyncExecution"
    driver = begin({"A": CHILD | {"Resource": resource, "TimeoutSeconds": 5}})
    driver.wait(5)
    assert not [e for e in driver.effects if isinstance(e, StopExecution)]


def test_a_machine_that_takes_too_long_times_out(begin: Begin) -> None:
    """TIMED_OUT, not FAILED, and nothing in the machine can catch it. Its children are stopped."""
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    driver = begin({"A": CHILD | {"Catch": catch}, "B": {"Type": "Succeed"}}, TimeoutSeconds=30)
    driver.wait(30)
    assert (driver.end.status, driver.end.error) == (ExecutionStatus.TIMED_OUT, "States.Timeout")
    assert driver.chain()[-1] == (5, 0, "ExecutionTimedOut")
    assert driver.details("ExecutionTimedOut") == [{"error": "States.Timeout"}]
    assert StopExecution(task=1) in driver.effects
    assert driver.execution.outstanding() == []


def test_an_aborted_execution_stops_its_children(begin: Begin) -> None:
    """StopExecution: ExecutionAborted with the error and cause of the request."""
    driver = begin({"A": CHILD})
    driver.abort("Mistake", "wrong order")
    assert (driver.end.status, driver.end.error, driver.end.cause) == (
        ExecutionStatus.ABORTED,
        "Mistake",
        "wrong order",
    )
    assert driver.chain()[-1] == (5, 0, "ExecutionAborted")
    assert driver.effects[-2:] == [StopExecution(task=1), driver.end]


def test_an_express_execution_takes_five_minutes_at_most(machine: Build) -> None:
    """AWS's limit, whatever the machine's own is; a Standard one has no limit."""
    wait = machine({"W": {"Type": "Wait", "Seconds": 301, "End": True}}, TimeoutSeconds=1000)
    start = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sfn:startSyncExecution", "End": True}
    parent = machine({"A": start | {"Arguments": {"StateMachineArn": "Child"}}})
    result: Any = run(parent, machines={"Child": wait}).output
    assert result["Status"] == "TIMED_OUT"
    assert run(wait).status is ExecutionStatus.SUCCEEDED
