"""A Task from its start to its end: scheduled, answered or timed out, settled by its token, or stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from workflows.asl.interpreter import history
from workflows.asl.interpreter.frames import ErrorOutput, Frame, StateFailed, TaskCall
from workflows.asl.interpreter.outcomes import fail, finish, limit_cause
from workflows.asl.interpreter.payloads import Payload
from workflows.asl.interpreter.retrying import DATA_LIMIT, TIMEOUT
from workflows.asl.interpreter.service_metadata import has_metadata, with_metadata
from workflows.asl.interpreter.turn import Turn, runtime_failure, whole_number
from workflows.asl.reading.integrations import ServiceRefusal, effect_of, problems_of
from workflows.asl.reading.states import Task
from workflows.asl.signals import JSON, Mode, StartExecution, StopExecution
from workflows.asl.tokens import make_token

_SYNC = (Mode.SYNC, Mode.SYNC_2)


def start(turn: Turn, frame: Frame, state: Task) -> None:
    """Start one attempt: evaluate the arguments, then request the call.

    Raises:
        QueryEvaluationError: Arguments, TimeoutSeconds or HeartbeatSeconds failed to evaluate.
        StateFailed: The arguments do not fit the resource, or are over the quota.
    """
    call = frame.call = TaskCall(turn.execution.number_task(), None)
    if state.integration.waits_for_token:
        call.token = make_token(turn.execution.arn, turn.dice.bytes32("token"))
    names = turn.names(frame)
    arguments = Payload(state.arguments.render(names)) if state.arguments is not None else frame.input
    timeout_s = whole_number(state.timeout_s, names, 1, "TimeoutSeconds") if state.timeout_s is not None else None
    if state.heartbeat_s is not None:
        call.heartbeat_s = whole_number(state.heartbeat_s, names, 1, "HeartbeatSeconds")
    _check_arguments(frame, state, arguments)
    try:
        call.effect = effect_of(state.integration, call.task, arguments.value, call.token)
    except ServiceRefusal as refusal:
        _record_scheduled(turn, frame, state, arguments, timeout_s)
        reject(turn, frame, state, ErrorOutput(refusal.error, refusal.cause))
        return
    call.shows_log = isinstance(arguments.value, dict) and arguments.value.get("LogType") == "Tail"
    turn.execution.open_call(frame, call)
    _record_scheduled(turn, frame, state, arguments, timeout_s)
    turn.effects.append(call.effect)
    if timeout_s is not None:
        turn.arm("timeout", frame, delay_s=timeout_s)
    if call.heartbeat_s is not None:
        turn.arm("heartbeat", frame, delay_s=call.heartbeat_s)


def answer(turn: Turn, frame: Frame, state: Task, call: TaskCall, output: JSON) -> None:
    """Take the answer to the call. It ends the task; for a callback it only confirms that the request was delivered."""
    if call.token is None:
        settle(turn, frame, state, call, output)
        return
    call.effect = None
    _record_submitted(turn, frame, state, call, output)


def submit(turn: Turn, frame: Frame, state: Task, call: TaskCall, output: JSON) -> None:
    """Record that the child execution of the task has started."""
    call.submitted = True
    _record_submitted(turn, frame, state, call, output)


def settle(turn: Turn, frame: Frame, state: Task, call: TaskCall, output: JSON) -> None:
    """End the task with its result.

    Raises:
        QueryEvaluationError: Assign or Output failed to evaluate.
        StateFailed: The result is over the quota.
    """
    mode = state.integration.mode
    close(turn, frame)
    if mode in _SYNC and not call.submitted and isinstance(output, dict) and "ExecutionArn" in output:
        # journals of versions that did not send TaskSubmitted
        _record_submitted(turn, frame, state, call, {name: output.get(name) for name in ("ExecutionArn", "StartDate")})
    if state.integration.is_plain_function:
        output = _payload_of(output)
    elif call.token is None and mode not in _SYNC:
        output = _service_result(turn, state, call, output)
    result = Payload(output)
    if result.too_large:
        failure = ErrorOutput(
            DATA_LIMIT, limit_cause(state.integration.function_arn or state.integration.resource_type)
        )
        _record_failed(turn, frame, state, failure)
        raise StateFailed(failure)
    details = history.with_output(result, **({} if state.integration.is_plain_function else _resource_of(state)))
    turn.record(frame.branch, _event(state, "Succeeded"), details)
    names = turn.names(frame, result=output)
    finish(turn, frame, names, result, assign=state.assign, output=state.output, next_state=state.next)


def reject(turn: Turn, frame: Frame, state: Task, failure: ErrorOutput) -> None:
    """Fail the task: its call failed, or its token was settled with an error."""
    close(turn, frame)
    _record_failed(turn, frame, state, failure)
    fail(turn, frame, failure)


def time_out(turn: Turn, frame: Frame, state: Task, purpose: str) -> None:
    """Fail the task with States.Timeout, after TimeoutSeconds or HeartbeatSeconds."""
    stop(turn, frame)
    resource = {} if state.integration.is_plain_function else _resource_of(state)
    turn.record(frame.branch, _event(state, "TimedOut"), history.failed(TIMEOUT, None, **resource))
    fail(turn, frame, ErrorOutput(TIMEOUT, None, is_heartbeat=purpose == "heartbeat"))


def heartbeat(turn: Turn, frame: Frame, call: TaskCall) -> None:
    """Start the heartbeat timer again."""
    if call.heartbeat_s is not None:
        turn.disarm(frame, "heartbeat")
        turn.arm("heartbeat", frame, delay_s=call.heartbeat_s)


def stop(turn: Turn, frame: Frame) -> None:
    """Abandon the call, and stop the child execution that it waits for."""
    effect = frame.call.effect if frame.call is not None else None
    if isinstance(effect, StartExecution) and effect.mode in _SYNC:
        turn.effects.append(StopExecution(task=effect.task))
    close(turn, frame)


def close(turn: Turn, frame: Frame) -> None:
    """Close the call: ignore its late answers and its token, and disarm its timers."""
    if frame.call is not None:
        turn.execution.close_call(frame.call)
        frame.call = None
    turn.disarm(frame, "timeout")
    turn.disarm(frame, "heartbeat")


def _record_submitted(turn: Turn, frame: Frame, state: Task, call: TaskCall, output: JSON) -> None:
    result = Payload(_service_result(turn, state, call, output))
    turn.record(frame.branch, "TaskSubmitted", history.with_output(result, **_resource_of(state)))


def _service_result(turn: Turn, state: Task, call: TaskCall, output: JSON) -> JSON:
    """Add to the answer of an optimised integration what AWS adds: the log of the call and the HTTP metadata."""
    if state.integration.service is not None:
        output = _payload_of(output)
    if not isinstance(output, dict) or not has_metadata(state.integration):
        return output
    answer = {**output, "LogResult": ""} if call.shows_log else output  # base64 of the log, which is empty here
    event = f"{turn.execution.arn}/{turn.execution.history.last_id}"
    # Not drawn from the signal's dice: that would change the tokens of the same signal in journals that exist already.
    return with_metadata(state.integration, answer, turn.at, str(uuid5(NAMESPACE_URL, event)))


def _payload_of(output: JSON) -> JSON:
    """Unwrap what a function, or the callee that stands for a service, returned."""
    return output.get("Payload") if isinstance(output, Mapping) else output


def _check_arguments(frame: Frame, state: Task, arguments: Payload) -> None:
    problems = problems_of(state.integration, arguments.value)
    if problems:
        what = f"The Parameters '{arguments.text}' could not be used to start the Task: [{'; '.join(problems)}]"
        raise runtime_failure(frame, what)
    if arguments.too_large:
        raise StateFailed(ErrorOutput(DATA_LIMIT, limit_cause(state.name)))


def _record_scheduled(turn: Turn, frame: Frame, state: Task, arguments: Payload, timeout_s: int | None) -> None:
    limits: dict[str, Any] = {"timeoutInSeconds": timeout_s} if timeout_s is not None else {}
    if state.integration.is_plain_function:
        details = history.with_input(arguments, resource=state.resource, **limits)
        turn.record(frame.branch, "LambdaFunctionScheduled", details)
        turn.record(frame.branch, "LambdaFunctionStarted")
        return
    if frame.call is not None and frame.call.heartbeat_s is not None:
        limits["heartbeatInSeconds"] = frame.call.heartbeat_s
    resource = _resource_of(state)
    details = {**resource, "region": turn.execution.region, "parameters": arguments.text, **limits}
    turn.record(frame.branch, "TaskScheduled", details)
    turn.record(frame.branch, "TaskStarted", resource)


def _record_failed(turn: Turn, frame: Frame, state: Task, failure: ErrorOutput) -> None:
    resource = {} if state.integration.is_plain_function else _resource_of(state)
    turn.record(frame.branch, _event(state, "Failed"), history.failed(failure.error, failure.cause, **resource))


def _event(state: Task, what: str) -> str:
    return f"{'LambdaFunction' if state.integration.is_plain_function else 'Task'}{what}"


def _resource_of(state: Task) -> dict[str, str]:
    return {"resourceType": state.integration.resource_type, "resource": state.integration.resource}
