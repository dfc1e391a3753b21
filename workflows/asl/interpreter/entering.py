"""Entering a state: the work that each type of state does at once, and the timer or call it then waits for."""

from __future__ import annotations

from typing import assert_never

from workflows.asl.interpreter import containers, history, tasks
from workflows.asl.interpreter.frames import Branch, ErrorOutput, Frame, StateFailed
from workflows.asl.interpreter.outcomes import finish
from workflows.asl.interpreter.turn import Enter, Turn, runtime_failure, shown, unexpected, whole_number
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.reading.state_reading import parse_timestamp
from workflows.asl.reading.states import Choice, Fail, Map, Parallel, Pass, Succeed, Task, Wait
from workflows.asl.reading.templates import QueryEvaluationError, Template


def enter(turn: Turn, work: Enter) -> Frame:
    """Record that the state was entered. ``begin`` does its work afterwards, so that a failure finds the frame."""
    branch: Branch = work.branch
    state = branch.scope.states[work.name]
    previous = branch.last_event
    kind = f"{type(state).__name__}StateEntered"
    event = turn.record(branch, kind, history.entered(state.name, work.input))
    frame = Frame(state, branch, work.input, turn.at, event, previous)
    branch.frame = frame
    return frame


def begin(turn: Turn, frame: Frame) -> None:
    """Do the state's work from the start: on entry and at each retry.

    Raises:
        QueryEvaluationError, StateFailed: The state failed.
    """
    state = frame.state
    match state:
        case Task():
            tasks.start(turn, frame, state)
        case Choice():
            _choose(turn, frame, state)
        case Pass() | Succeed():
            _pass_on(turn, frame)
        case Parallel():
            frame.inside = None
            containers.start_parallel(turn, frame, state)
        case Map():
            frame.inside = None
            containers.start_map(turn, frame, state)
        case Wait():
            _wait(turn, frame, state)
        case Fail():
            names = turn.names(frame)
            error, cause = _text(state.error, names, "Error"), _text(state.cause, names, "Cause")
            raise StateFailed(ErrorOutput(error, cause))
        case _:
            assert_never(state)


def wait_over(turn: Turn, frame: Frame) -> None:
    """Exit a Wait whose timer fired.

    Raises:
        QueryEvaluationError, StateFailed: Assign or Output failed.
    """
    _pass_on(turn, frame)


def _pass_on(turn: Turn, frame: Frame) -> None:
    state = frame.state
    names = turn.names(frame)
    finish(turn, frame, names, frame.input, assign=state.assign, output=state.output, next_state=state.next)


def _choose(turn: Turn, frame: Frame, state: Choice) -> None:
    names = turn.names(frame)
    for rule in state.rules:
        if isinstance(rule.condition, bool):
            chosen = rule.condition
        else:
            value = rule.condition.render(names)
            if not isinstance(value, bool):
                raise unexpected(rule.condition, "Condition", "boolean", value)
            chosen = value
        if chosen:
            finish(turn, frame, names, frame.input, assign=rule.assign, output=rule.output, next_state=rule.next)
            return
    if state.default is None:
        raise runtime_failure(frame, "Failed to transition out of the state. The state does not point to a next state.")
    finish(turn, frame, names, frame.input, assign=state.assign, output=state.output, next_state=state.default)


def _wait(turn: Turn, frame: Frame, state: Wait) -> None:
    names = turn.names(frame)
    if state.seconds is not None:
        delay_s = whole_number(state.seconds, names, 0, "Seconds")
        if delay_s == 0:
            _pass_on(turn, frame)
        else:
            turn.arm("wait", frame, delay_s=delay_s)
        return
    if state.timestamp is not None:
        value = state.timestamp.render(names)
        until = parse_timestamp(value)
        if until is None:
            what = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string"
            raise QueryEvaluationError("Timestamp", f"{what}: {value if isinstance(value, str) else shown(value)}")
        if until <= turn.at:
            _pass_on(turn, frame)
        else:
            turn.arm("wait", frame, at=until)


def _text(template: Template | None, names: Names, field: str) -> str | None:
    if template is None:
        return None
    value = template.render(names)
    if not isinstance(value, str):
        raise unexpected(template, field, "string", value)
    return value
