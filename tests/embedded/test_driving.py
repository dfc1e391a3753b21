"""Executions run by the driver: functions, tokens, timers, children, one after the other and together."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import toy_handlers as toys
import toy_machines

from workflows.embedded import arns
from workflows.embedded.step_functions.driver import ExecutionUnknown, MachineUnknown, NameInvalid
from workflows.executions import TokenGone

DEADLINE_S = 20.0


def invoke(function: str, more: str = "") -> str:
    return f"""
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {{FunctionName: {function}, Payload: "{{% $states.input %}}"}}
    Output: "{{% $states.result.Payload %}}"
    {more}"""


ONE_TASK = f"""
StartAt: Do
States:
  Do: {invoke("Echo")}
    End: true
"""
FAILING = f"""
StartAt: Do
States:
  Do: {invoke("Fail")}
    End: true
"""
SETTLING = toy_machines.WAITING.replace("LeaveToken", "SettleOwnToken")
TIMED = """
StartAt: Sleep
States:
  Sleep: {Type: Wait, Seconds: 600, End: true}
"""


def starting(machine: str, how: str = "startExecution.sync:2", name: str = "one-child", more: str = "") -> str:
    return f"""
    Type: Task
    Resource: arn:aws:states:::states:{how}
    Arguments: {{StateMachineArn: "{arns.machine_arn(machine)}", Name: {name}, Input: "{{% $states.input %}}"}}
    {more}"""


def starting_express(more: str = "") -> str:
    return f"""
    Type: Task
    Resource: arn:aws:states:::aws-sdk:sfn:startSyncExecution
    Arguments: {{StateMachineArn: "{arns.machine_arn("Express")}", Input: "{{% $string($states.input) %}}"}}
    {more}"""


def test_an_execution_runs_its_function_and_ends_with_its_result(open_world: Any) -> None:
    """The output of an execution is the output of its last state."""
    world = open_world({"One": ONE_TASK})
    ended = world.run("One", {"meal": "soup"})
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"meal": "soup"})


def test_an_exception_of_a_function_fails_the_task_by_its_class_name(open_world: Any) -> None:
    """State machines match on exception class names."""
    ended = open_world({"One": FAILING}).run("One")
    assert (ended["status"], ended["error"]) == ("FAILED", "ToyFailed")
    assert json.loads(ended["cause"])["errorMessage"] == "as asked"


def test_a_function_that_does_not_exist_fails_the_task_and_not_the_engine(open_world: Any) -> None:
    """With Lambda's error ResourceNotFoundException."""
    world = open_world({"One": ONE_TASK.replace("Echo", "Nobody"), "Two": ONE_TASK})
    assert world.run("One")["error"] == "Lambda.ResourceNotFoundException"
    assert world.run("Two")["status"] == "SUCCEEDED"


def test_starting_again_by_the_same_name_changes_nothing(open_world: Any) -> None:
    """While it runs and after its end, with the same input and with another."""
    world = open_world({"Wait": toy_machines.WAITING})
    for sent in ({"place": "again"}, {"place": "again"}, {"place": "other"}):
        world.start("Wait", "one", sent)
    token = toys.PLACES["again"].token.result(DEADLINE_S)
    world.driver.succeed(token, "done")
    arn = arns.execution_arn("Wait", "one")
    world.end_of(arn)
    world.start("Wait", "one", {"place": "again"})
    assert [listed["status"] for listed in world.reports.latest("Wait")] == ["SUCCEEDED"]
    assert len([event for event in world.reports.history(arn) if event["type"] == "ExecutionStarted"]) == 1


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a" * 81, "a{b", "a\n", "a:b"])
def test_a_name_that_step_functions_refuses_is_refused(open_world: Any, name: str) -> None:
    """Otherwise the order would fail only on AWS."""
    with pytest.raises(NameInvalid):
        open_world({"One": ONE_TASK}).driver.start("One", name, {})


def test_an_unknown_machine_is_refused_by_name(open_world: Any) -> None:
    """The message lists the known names."""
    with pytest.raises(MachineUnknown, match="One"):
        open_world({"One": ONE_TASK}).driver.start("Two", "one", {})


def test_a_token_is_settled_once_however_many_try_at_once(open_world: Any) -> None:
    """Sixteen threads: one settles it, the others get TokenGone; the result is that of the first."""
    world = open_world({"Wait": toy_machines.WAITING})
    arn = world.start("Wait", "one", {"place": "race"})
    token = toys.PLACES["race"].token.result(DEADLINE_S)
    line = threading.Barrier(16)

    def settle(number: int) -> int | None:
        line.wait(DEADLINE_S)
        try:
            world.driver.succeed(token, number)
        except TokenGone:
            return None
        return number

    with ThreadPoolExecutor(16) as threads:
        winners = [number for number in threads.map(settle, range(16)) if number is not None]
    assert [json.loads(world.end_of(arn)["output"])] == winners
    with pytest.raises(TokenGone):
        world.driver.fail(token, "Late", "too late")


@pytest.mark.parametrize("token", ["", "nonsense", "AQ", "ü", "a" * 5000])
def test_an_invalid_token_settles_nothing(open_world: Any, token: str) -> None:
    """The caller gets TokenGone, as for a token without a waiting task."""
    with pytest.raises(TokenGone):
        open_world({"Wait": toy_machines.WAITING}).driver.succeed(token, {})


def test_a_function_settles_a_token_though_it_holds_the_only_thread(open_world: Any) -> None:
    """Waiting for durability needs no second thread of the pool, or functions would wait for each other."""
    world = open_world({"Wait": SETTLING}, workers=1)
    arns_ = [world.start("Wait", f"n{number}", {"place": "own"}) for number in range(5)]
    assert [json.loads(world.end_of(arn)["output"]) for arn in arns_] == [{"settled": True}] * 5


def test_a_token_fails_its_task_with_a_name_and_a_cause(open_world: Any) -> None:
    """SendTaskFailure."""
    world = open_world({"Wait": toy_machines.WAITING})
    arn = world.start("Wait", "one", {"place": "failing"})
    world.driver.fail(toys.PLACES["failing"].token.result(DEADLINE_S), "CancellationAsked", "by the customer")
    ended = world.end_of(arn)
    assert (ended["error"], ended["cause"]) == ("CancellationAsked", "by the customer")


def test_a_token_of_a_task_that_timed_out_is_gone(open_world: Any) -> None:
    """TimeoutSeconds closes the task and its token."""
    world = open_world({"Wait": toy_machines.WAITING})
    arn = world.start("Wait", "one", {"place": "slow"})
    token = toys.PLACES["slow"].token.result(DEADLINE_S)
    world.advance(3600)
    assert world.end_of(arn)["error"] == "States.Timeout"
    with pytest.raises(TokenGone):
        world.driver.succeed(token, {})


def test_a_wait_ends_at_its_time(open_world: Any) -> None:
    """Not before."""
    world = open_world({"Timed": TIMED})
    arn = world.start("Timed", "one")
    world.advance(599)
    assert world.reports.describe(arn)["status"] == "RUNNING"
    world.advance(1)
    assert world.end_of(arn)["status"] == "SUCCEEDED"


def test_stopping_an_execution_aborts_it_and_stopping_it_again_is_refused(open_world: Any) -> None:
    """StopExecution."""
    world = open_world({"Timed": TIMED})
    arn = world.start("Timed", "one")
    world.driver.stop_execution(arn, "Enough", "by hand")
    ended = world.end_of(arn)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Enough", "by hand")
    with pytest.raises(ExecutionUnknown):
        world.driver.stop_execution(arn)


def test_a_parent_continues_with_the_output_of_its_child(open_world: Any) -> None:
    """``.sync:2`` gives the child's output as JSON."""
    parent = f"""
StartAt: Child
States:
  Child: {starting("One")}
    Output: "{{% $states.result.Output %}}"
    End: true
"""
    world = open_world({"Parent": parent, "One": ONE_TASK})
    assert json.loads(world.run("Parent", {"meal": "soup"})["output"]) == {"meal": "soup"}
    assert world.reports.describe(arns.execution_arn("One", "one-child"))["status"] == "SUCCEEDED"


def test_a_failed_child_fails_the_task_of_its_parent(open_world: Any) -> None:
    """With States.TaskFailed, and the child's description as the cause."""
    parent = f"""
StartAt: Child
States:
  Child: {starting("One")}
    End: true
"""
    ended = open_world({"Parent": parent, "One": FAILING}).run("Parent")
    assert ended["error"] == "States.TaskFailed"
    assert json.loads(ended["cause"])["Error"] == "ToyFailed"


def test_a_child_by_a_name_that_is_taken_is_refused_as_on_aws(open_world: Any) -> None:
    """A ``.sync`` task cannot wait for an execution that another caller started."""
    parent = f"""
StartAt: Child
States:
  Child: {starting("One")}
    End: true
"""
    world = open_world({"Parent": parent, "One": ONE_TASK})
    world.run("One", name="one-child")
    assert world.run("Parent")["error"] == "StepFunctions.ExecutionAlreadyExistsException"


def test_a_start_without_waiting_gives_the_arn_and_is_idempotent(open_world: Any) -> None:
    """startExecution: the same name and input, while it runs, is the same execution."""
    parent = f"""
StartAt: First
States:
  First: {starting("Timed", "startExecution", more="Next: Second")}
    Output: "{{% $states.input %}}"
  Second: {starting("Timed", "startExecution", more="End: true")}
"""
    world = open_world({"Parent": parent, "Timed": TIMED})
    output = json.loads(world.run("Parent")["output"])
    assert output["ExecutionArn"] == arns.execution_arn("Timed", "one-child")


def test_an_express_child_runs_in_memory_and_is_counted_for_its_parent(open_world: Any) -> None:
    """It leaves no journal; its state entries are counted apart."""
    parent = f"""
StartAt: Child
States:
  Child: {starting_express("Next: Again")}
    Output: "{{% $parse($states.result.Output) %}}"
  Again: {starting_express("End: true")}
    Output: "{{% $parse($states.result.Output) %}}"
"""
    world = open_world({"Parent": parent, "Express": ONE_TASK})
    assert json.loads(world.run("Parent", {"meal": "soup"})["output"]) == {"meal": "soup"}
    assert [listed["name"] for listed in world.reports.latest()] == ["one"]
    entries = world.reports.state_entries("one")
    assert (entries.standard, entries.express) == (2, 2)


@pytest.mark.parametrize("how", ["startExecution.sync:2", "startExecution"])
def test_a_machine_that_starts_itself_ends_with_an_error(open_world: Any, how: str) -> None:
    """As on AWS, where the quota of open executions ends it: the innermost start is refused; the engine continues."""
    again = f"""
StartAt: Again
States:
  Again: {starting("Again", how, name='"{% $uuid() %}"', more="End: true")}
"""
    world = open_world({"Again": again, "One": ONE_TASK})
    ended = world.run("Again")
    assert ended["status"] == ("FAILED" if how.endswith("sync:2") else "SUCCEEDED")
    errors = {row.get("error") for row in map(world.reports.describe, _arns(world))} - {None}
    assert "StepFunctions.ExecutionLimitExceededException" in errors
    assert world.run("One", {"meal": "soup"})["status"] == "SUCCEEDED"


def _arns(world: Any) -> list[str]:
    return [arns.execution_arn("Again", row["name"]) for row in world.reports.latest("Again")]


def test_a_failed_express_child_is_a_result_and_not_an_error(open_world: Any) -> None:
    """A parent that does not check Status continues, as on AWS."""
    parent = f"""
StartAt: Child
States:
  Child: {starting_express("End: true")}
    Output: "{{% [$states.result.Status, $states.result.Error] %}}"
"""
    world = open_world({"Parent": parent, "Express": FAILING})
    assert json.loads(world.run("Parent")["output"]) == ["FAILED", "ToyFailed"]


def test_a_standard_machine_cannot_be_run_as_an_express_one_nor_the_other_way_round(open_world: Any) -> None:
    """StateMachineTypeNotSupported."""
    standard = f"""
StartAt: Child
States:
  Child: {starting_express("End: true")}
""".replace("stateMachine:Express", "stateMachine:One")
    express = f"""
StartAt: Child
States:
  Child: {starting("Express", more="End: true")}
"""
    world = open_world({"Standard": standard, "Other": express, "One": ONE_TASK, "Express": ONE_TASK})
    assert world.run("Standard")["error"] == "Sfn.StateMachineTypeNotSupportedException"
    assert world.run("Other")["error"] == "StepFunctions.StateMachineTypeNotSupportedException"


def test_when_one_branch_fails_the_children_of_the_others_are_stopped(open_world: Any) -> None:
    """Down to the grandchildren."""
    parent = f"""
StartAt: Both
States:
  Both:
    Type: Parallel
    Branches:
      - StartAt: Child
        States:
          Child:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Arguments: {{StateMachineArn: "{arns.machine_arn("Middle")}", Name: middle}}
            End: true
      - StartAt: Wait
        States:
          Wait:
            Type: Task
            Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
            Arguments:
              FunctionName: LeaveToken
              Payload: {{place: stopping, token: "{{% $states.context.Task.Token %}}"}}
            End: true
    End: true
"""
    middle = f"""
StartAt: Child
States:
  Child: {starting("Timed", name="inner", more="End: true")}
"""
    world = open_world({"Parent": parent, "Middle": middle, "Timed": TIMED})
    arn = world.start("Parent", "one")
    inner = arns.execution_arn("Timed", "inner")
    world.driver.fail(toys.PLACES["stopping"].token.result(DEADLINE_S), "Rejected", "no")
    assert world.end_of(arn)["error"] == "Rejected"
    assert world.end_of(arns.execution_arn("Middle", "middle"))["status"] == "ABORTED"
    assert world.end_of(inner)["status"] == "ABORTED"


def test_state_entries_are_those_of_an_execution_and_of_all_it_started(open_world: Any) -> None:
    """By ARN, by name, and by the part of a name before a dash; running executions count what they entered."""
    parent = f"""
StartAt: Child
States:
  Child: {starting("Timed", name="order-1-timed", more="Next: Last")}
  Last: {{Type: Pass, End: true}}
"""
    world = open_world({"Parent": parent, "Timed": TIMED})
    arn = world.start("Parent", "order-1")
    for name in (arn, "order-1", "order"):
        assert world.reports.state_entries(name).standard == 2
    world.start("Parent", "orders-2")
    world.advance(600)
    world.end_of(arn)
    assert world.reports.state_entries("order").standard == 3


def test_a_history_has_the_events_of_get_execution_history(open_world: Any) -> None:
    """It comes from folding the journal again."""
    world = open_world({"One": ONE_TASK})
    arn = world.start("One", "one")
    world.end_of(arn)
    assert [event["type"] for event in world.reports.history(arn)] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]


def test_a_lone_surrogate_is_journaled_and_read_back(open_world: Any) -> None:
    """JSON can hold a lone surrogate, which UTF-8 cannot encode; it must not stop the engine."""
    world = open_world({"Timed": TIMED})
    arn = world.start("Timed", "one", {"odd": "\ud800"})
    world = open_world({"Timed": TIMED})
    world.advance(600)
    assert json.loads(world.end_of(arn)["output"]) == {"odd": "\ud800"}
