"""Parallel and Map: states with branches inside. All branches succeed, or the first failure stops the others."""

from __future__ import annotations

from workflows.asl.interpreter import tasks
from workflows.asl.interpreter.frames import Branch, ErrorOutput, Frame, Inside, StateFailed
from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.interpreter.outcomes import fail, finish, kind_of, limit_cause
from workflows.asl.interpreter.payloads import BYTES_MAX, Payload
from workflows.asl.interpreter.retrying import DATA_LIMIT
from workflows.asl.interpreter.turn import (
    Again,
    BranchEnded,
    BranchFailed,
    Enter,
    Resume,
    Turn,
    shown,
    unexpected,
    whole_number,
)
from workflows.asl.jsonata.evaluation import Names
from workflows.asl.reading.states import Map, Parallel, Task, Wait
from workflows.asl.reading.templates import QueryEvaluationError
from workflows.asl.signals import JSON

_OUTPUTS_MAX = 64 * BYTES_MAX  # characters; AWS names no bound before the output of the whole state is made
_CONCURRENCY_MAX = 40  # iterations of an inline Map at once (AWS docs, Map state processing modes)


def start_parallel(turn: Turn, frame: Frame, state: Parallel) -> None:
    """Start every branch with the same input.

    Raises:
        QueryEvaluationError: Arguments failed to evaluate.
    """
    names = turn.names(frame)
    payload = Payload(state.arguments.render(names)) if state.arguments is not None else frame.input
    started = turn.record(frame.branch, "ParallelStateStarted")
    inside = frame.inside = Inside({}, [None] * len(state.branches), len(state.branches))
    for index, scope in enumerate(state.branches):
        branch = Branch(scope, frame.branch.variables, started, frame, index, frame.branch.map_item, input=payload)
        inside.branches[index] = branch
        turn.work.append(Enter(branch, scope.start_at, payload))


def start_map(turn: Turn, frame: Frame, state: Map) -> None:
    """Start the first iterations, as many as may run at once.

    Raises:
        QueryEvaluationError: MaxConcurrency, Items or ItemSelector failed to evaluate, or the items are not a list.
    """
    frame.inside = Inside({}, [], 0)  # a failure from here on is followed by MapStateFailed, as recorded on AWS
    names = turn.names(frame)
    limit = whole_number(state.concurrency_max, names, 0, "MaxConcurrency") if state.concurrency_max else 0
    for field, tolerated in (("Count", state.tolerated_count), ("Percentage", state.tolerated_percentage)):
        if tolerated is not None:
            whole_number(tolerated, names, 0, f"ToleratedFailure{field}")
    items = _items_of(frame, state, names)
    started = turn.record(frame.branch, "MapStateStarted", {"length": len(items)})
    frame.inside = Inside({}, [None] * len(items), len(items), items)
    if not items:
        _succeed(turn, frame, frame.inside)
        return
    for _ in range(min(limit or _CONCURRENCY_MAX, _CONCURRENCY_MAX, len(items))):
        _start_iteration(turn, frame, state, frame.inside, started)


def _items_of(frame: Frame, state: Map, names: Names) -> list[JSON]:
    items = state.items.render(names) if state.items is not None else frame.input.value
    if isinstance(items, list):
        return items
    if state.items is not None:
        raise unexpected(state.items, "Items", "array", items)
    raise QueryEvaluationError("", f"Map state input must be an array but was: {shown(items)}")


def resume(turn: Turn, frame: Frame, inside: Inside) -> None:
    """Go on with the branches and iterations that did not end; the outputs of the others are kept.

    Raises:
        QueryEvaluationError, StateFailed: The state's Assign or Output failed, or the input of an iteration.
    """
    if inside.succeeded:
        _exit(turn, frame, inside)
        return
    for branch in inside.branches.values():
        turn.execution.resume(branch)
        branch.frame = branch.frame or branch.stopped_in
        branch.last_event = frame.branch.last_event
    for branch in list(inside.branches.values()):
        if branch.frame is not None:
            begin_again(turn, branch.frame)
        elif branch.input is not None:
            turn.work.append(Enter(branch, branch.scope.start_at, branch.input))
        elif isinstance(frame.state, Map):
            _enter_iteration(turn, frame, frame.state, branch)


def begin_again(turn: Turn, frame: Frame) -> None:
    """Queue the work of a state that was stopped. Its retries are counted from zero.

    A Parallel or Map resumes its branches; if it had none yet, or failed with States.DataLimitExceeded, it begins anew.
    """
    frame.retries.clear()
    frame.retry_count = 0
    frame.timers.clear()
    frame.call = None
    goes_on = frame.inside is not None and (frame.inside.has_begun or frame.inside.succeeded)
    turn.work.append((Resume if goes_on else Again)(frame.branch, frame))


def branch_ended(turn: Turn, ended: BranchEnded, frame: Frame, inside: Inside) -> None:
    """Keep the output of a branch or iteration, and end the state after the last one.

    Raises:
        QueryEvaluationError, StateFailed: The state's Assign or Output failed, or the next iteration's input, or the
            outputs together are larger than ``_OUTPUTS_MAX``.
    """
    branch = ended.branch
    turn.execution.end(branch)
    del inside.branches[branch.index]
    inside.outputs[branch.index] = ended.output.value
    inside.output_size += len(ended.output.text)
    inside.left -= 1
    if inside.output_size > _OUTPUTS_MAX:
        raise StateFailed(ErrorOutput(DATA_LIMIT, limit_cause(frame.state.name)))
    last = branch.last_event
    if isinstance(frame.state, Map):
        last = turn.record_aside(branch.last_event, "MapIterationSucceeded", _iteration(frame, branch))
        if inside.waiting_from < len(inside.items):
            _start_iteration(turn, frame, frame.state, inside, branch.last_event)
    frame.branch.last_event = last
    if inside.left == 0:
        _succeed(turn, frame, inside)


def branch_failed(turn: Turn, failed: BranchFailed, frame: Frame, inside: Inside) -> None:
    """Stop the other branches, then fail the state with the failure of the branch.

    Recorded on AWS: https://github.com/localstack/localstack/pull/9891. Retriers and catchers match the branch's error,
    although AWS's list of error names has States.BranchFailed.
    """
    _stop_inside(turn, frame, inside, failed.branch)
    frame.branch.last_event = failed.branch.last_event
    fail(turn, frame, failed.failure)


def stop_all(turn: Turn, frame: Frame, inside: Inside) -> None:
    """Stop all branches, because the state itself failed: in an iteration's input, or in Assign or Output."""
    for branch in inside.branches.values():
        abort(turn, branch, frame.branch.last_event)


def abort(turn: Turn, branch: Branch, event: int) -> None:
    """End a branch from outside. ``event`` is the id of the event that caused it."""
    turn.execution.end(branch)
    frame = branch.frame
    if frame is None:
        return
    branch.stopped_in, branch.frame = frame, None
    if frame.inside is not None:
        for inner in frame.inside.branches.values():
            abort(turn, inner, event)
    tasks.stop(turn, frame)
    for purpose in list(frame.timers):
        turn.disarm(frame, purpose)
    if isinstance(frame.state, Task | Wait | Parallel | Map):
        turn.record_aside(event, f"{kind_of(frame)}StateAborted")


def _stop_inside(turn: Turn, frame: Frame, inside: Inside, failed: Branch) -> None:
    event = failed.last_event
    for index in sorted(inside.branches, key=lambda number: (number != failed.index, number)):
        branch = inside.branches[index]
        if isinstance(frame.state, Map):
            what = "MapIterationFailed" if branch is failed else "MapIterationAborted"
            turn.record_aside(event, what, _iteration(frame, branch))
        if branch is failed and branch.frame is not None and not isinstance(branch.frame.state, Task):
            # AWS shows the state a branch failed in as aborted only where it is a Task
            branch.stopped_in, branch.frame = branch.frame, None
        abort(turn, branch, event)


def _start_iteration(turn: Turn, frame: Frame, state: Map, inside: Inside, previous: int) -> None:
    index = inside.waiting_from
    inside.waiting_from += 1
    item: dict[str, JSON] = {"Index": index, "Value": inside.items[index]}
    branch = Branch(state.processor, frame.branch.variables, previous, frame, index, item)
    inside.branches[index] = branch
    branch.last_event = turn.record_aside(previous, "MapIterationStarted", _iteration(frame, branch))
    _enter_iteration(turn, frame, state, branch)


def _enter_iteration(turn: Turn, frame: Frame, state: Map, branch: Branch) -> None:
    branch.input = _iteration_input(turn, frame, state, branch)
    turn.work.append(Enter(branch, state.processor.start_at, branch.input))


def _iteration_input(turn: Turn, frame: Frame, state: Map, branch: Branch) -> Payload:
    if branch.map_item is None or state.item_selector is None:
        return Payload(branch.map_item["Value"] if branch.map_item is not None else None)
    names = turn.names(frame)
    names.states = {**names.states, "context": {**turn.context(frame), "Map": {"Item": branch.map_item}}}
    return Payload(state.item_selector.render(names))


def _succeed(turn: Turn, frame: Frame, inside: Inside) -> None:
    turn.record_aside(frame.branch.last_event, f"{kind_of(frame)}StateSucceeded")
    inside.succeeded = True
    _exit(turn, frame, inside)


def _exit(turn: Turn, frame: Frame, inside: Inside) -> None:
    state = frame.state
    output = list(inside.outputs)
    names = turn.names(frame, result=output)
    finish(turn, frame, names, Payload(output), assign=state.assign, output=state.output, next_state=state.next)


def _iteration(frame: Frame, branch: Branch) -> HistoryEvent:
    return {"name": frame.state.name, "index": branch.index}
