"""The end of a state: success (Assign, Output, Next), or failure (Retry, then Catch, then the scope around it)."""

from __future__ import annotations

from workflows.asl.interpreter import history
from workflows.asl.interpreter.frames import ErrorOutput, Frame, StateFailed
from workflows.asl.interpreter.payloads import ALL_VARIABLES_BYTES_MAX, Payload, exceeds, size_of
from workflows.asl.interpreter.retrying import DATA_LIMIT, QUERY, first_match, take_retry
from workflows.asl.interpreter.turn import BranchEnded, BranchFailed, Enter, Turn, described
from workflows.asl.json_text import to_text
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.reading.states import Assign, Catcher, Fallible, Map, Parallel
from workflows.asl.reading.templates import QueryEvaluationError, Template
from workflows.asl.signals import JSON

_VARIABLES_TOO_LARGE = f"The variables of the execution are larger than {ALL_VARIABLES_BYTES_MAX} bytes together."


def finish(
    turn: Turn,
    frame: Frame,
    names: Names,
    default: Payload,
    *,
    assign: Assign | None,
    output: Template | None,
    next_state: str | None,
) -> None:
    """Exit the state after success. Assign and Output both see the variables as they were before.

    Args:
        default: The output of the state if it has no ``output`` of its own.
        next_state: None if the state is the last one of its scope.

    Raises:
        QueryEvaluationError: An expression failed; nothing was assigned.
        StateFailed: The output, the assigned values or all variables are over the quota (States.DataLimitExceeded).
    """
    assigned = assign.template.render(names) if assign is not None else None
    texts = _texts_of(frame, assigned)
    sizes = {name: size_of(text) for name, text in (texts or {}).items()}
    if turn.execution.assigned_bytes_with(frame.branch, sizes) > ALL_VARIABLES_BYTES_MAX:
        raise StateFailed(ErrorOutput(DATA_LIMIT, described(frame, _VARIABLES_TOO_LARGE)))
    result = Payload(output.render(names)) if output is not None else default
    if result.too_large:
        raise _too_large(frame)
    turn.record(frame.branch, f"{kind_of(frame)}StateExited", history.exited(frame.state.name, result, texts))
    if isinstance(assigned, dict):
        turn.execution.assign(frame.branch, assigned, sizes)
    frame.branch.frame = None
    if next_state is not None:
        turn.work.append(Enter(frame.branch, next_state, result))
    else:
        turn.work.appendleft(BranchEnded(frame.branch, result))  # before its siblings move on


def fail_evaluation(turn: Turn, frame: Frame, error: QueryEvaluationError) -> ErrorOutput:
    """Record that an expression failed, and return the state's failure."""
    cause = described(frame, error.cause)
    branch = frame.branch
    # AWS shows the event before the state was entered as the previous one, unless more has happened since.
    previous = frame.previous_event if branch.last_event == frame.entered_event else branch.last_event
    place = {"location": error.location} if error.location else {}
    details = history.failed(QUERY, cause, **place, state=frame.state.name)
    branch.last_event = turn.record_aside(previous, "EvaluationFailed", details)
    return ErrorOutput(QUERY, cause)


def fail(turn: Turn, frame: Frame, failure: ErrorOutput) -> None:
    """Retry the state, or catch the failure, or fail the branch. Stop the state's own work before this."""
    delay_s = take_retry(frame, failure, turn.dice)
    if delay_s is not None:
        frame.inside = None
        turn.arm("retry", frame, delay_s=delay_s)
        return
    if isinstance(frame.state, Parallel | Map) and frame.inside is not None and not frame.inside.succeeded:
        turn.record(frame.branch, f"{kind_of(frame)}StateFailed")
    if failure.error == DATA_LIMIT:
        frame.inside = None  # a redrive runs the branches that succeeded too (AWS docs, Redriving executions)
    match = first_match(frame.state.catch, failure) if isinstance(frame.state, Fallible) else None
    if match is None:
        turn.work.appendleft(BranchFailed(frame.branch, failure))
    else:
        _catch(turn, frame, failure, match[1])


def _catch(turn: Turn, frame: Frame, failure: ErrorOutput, catcher: Catcher) -> None:
    error_output: JSON = {"Error": failure.error or "", "Cause": failure.cause or ""}
    names = turn.names(frame, errorOutput=error_output)
    try:
        finish(
            turn,
            frame,
            names,
            Payload(error_output),
            assign=catcher.assign,
            output=catcher.output,
            next_state=catcher.next,
        )
    except QueryEvaluationError as error:  # a catcher does not catch its own errors, but the scope around may
        turn.work.appendleft(BranchFailed(frame.branch, fail_evaluation(turn, frame, error)))
    except StateFailed as error:
        turn.work.appendleft(BranchFailed(frame.branch, error.failure))


def kind_of(frame: Frame) -> str:
    """Return the type of the state as event types name it: Task, Pass, Parallel ..."""
    return type(frame.state).__name__


def _texts_of(frame: Frame, assigned: JSON) -> dict[str, str] | None:
    if not isinstance(assigned, dict):
        return None
    texts = {name: to_text(value) for name, value in assigned.items()}
    if exceeds("".join(texts.values())):  # the quota holds for all variables of one Assign together
        raise _too_large(frame)
    return texts


def _too_large(frame: Frame) -> StateFailed:
    return StateFailed(ErrorOutput(DATA_LIMIT, limit_cause(frame.state.name)))


def limit_cause(what: str) -> str:
    """Describe a result over 256 KiB, in AWS's words."""
    return f"The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
