"""Differences between the log of an order and what the engine did for it.

Each kind is a statement that holds at every moment of a healthy order, whatever is under way: a test checks all of
them at random moments of simulated orders. The engine's side is read between two reads of the log. What the engine
must know already is looked up in the first; what the log must know by then, in the second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from domain.order import events as e
from domain.order.order import RunState
from workflows.event_store.commits import History
from workflows.runs.reading import OrderRun, OrderRuns, ReadExecution
from workflows.runs.visits import Visit
from workflows.sagas.actions import ACTIONS
from workflows.time_budgets import CIRCUIT_WAIT, Awaiting, Budgets

SHOWN_WITHIN = timedelta(minutes=1)
"""How late Step Functions may show what an execution did; its reads are eventually consistent."""

LINGERS_AFTER = CIRCUIT_WAIT + timedelta(hours=1)
"""How long an execution may go on after its run was over: a wait for a circuit in a compensation is not interrupted."""

KEPT = timedelta(days=90)
"""How long Step Functions keeps an execution after its end."""


class RunDifferenceKind(StrEnum):
    """What differs. The docstring of ``docs/timeline.md`` says what is checked for each."""

    RUN_NOT_STARTED = "run_not_started"
    EXECUTION_ENDED = "execution_ended"
    EXECUTION_LINGERS = "execution_lingers"
    STATE_NOT_ENTERED = "state_not_entered"
    INTENT_NOT_RECORDED = "intent_not_recorded"
    OUTCOME_NOT_RECORDED = "outcome_not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """One difference.

    Attributes:
        execution: The name of the execution, if it is about one.
        version: The version of the event, if it is about one.
        words: One sentence with a full stop.
    """

    kind: RunDifferenceKind
    run: int
    execution: str | None = None
    state: str | None = None
    version: int | None = None
    words: str


def differences(read: OrderRuns, budgets: Budgets) -> list[RunDifference]:
    """Compare the runs with the log, the oldest run first."""
    return [difference for run in read.runs if run.executions is not None for difference in _of_run(read, run, budgets)]


def _of_run(read: OrderRuns, run: OrderRun, budgets: Budgets) -> Iterator[RunDifference]:
    if run.parent is None:
        yield from _not_started(read, run, budgets)
        return
    yield from _ended_early(read, run, run.parent)
    yield from _lingering(read, run, run.parent)
    yield from _not_entered(read, run)
    for execution in run.executions or ():
        for visit in execution.visits:
            yield from _not_recorded(read.after, run, execution, visit)


# --- runs and executions ----------------------------------------------------------------------------------------------


def _is_going_on(read: OrderRuns, run: OrderRun) -> bool:
    """Whether, by the log, the run is the newest and neither parked nor ended."""
    return run.run == read.order.run and read.order.run_state is RunState.RUNNING


def _not_started(read: OrderRuns, run: OrderRun, budgets: Budgets) -> Iterator[RunDifference]:
    waited = read.read_at - run.began.recorded_at
    if _is_going_on(read, run) and budgets[Awaiting.RUN] < waited < KEPT:
        words = f"Run {run.run} began with event {run.began.version}, and the engine has no execution of it."
        yield RunDifference(kind=RunDifferenceKind.RUN_NOT_STARTED, run=run.run, version=run.began.version, words=words)


def _ended_early(read: OrderRuns, run: OrderRun, parent: ReadExecution) -> Iterator[RunDifference]:
    if _is_going_on(read, run) and parent.described.stopped_at is not None:
        words = f"The execution of run {run.run} is {parent.described.status}, and the order is open and not parked."
        yield RunDifference(kind=RunDifferenceKind.EXECUTION_ENDED, run=run.run, execution=parent.name, words=words)


def _lingering(read: OrderRuns, run: OrderRun, parent: ReadExecution) -> Iterator[RunDifference]:
    if parent.described.stopped_at is not None or _is_going_on(read, run):
        return
    over = _over_at(read, run)
    since = read.after.recorded[over - 1].recorded_at
    if read.read_at - since > LINGERS_AFTER:
        words = f"Run {run.run} was over with event {over}, and its execution is still {parent.described.status}."
        yield RunDifference(
            kind=RunDifferenceKind.EXECUTION_LINGERS, run=run.run, execution=parent.name, version=over, words=words
        )


def _over_at(read: OrderRuns, run: OrderRun) -> int:
    """Return the version at which a run that is not going on was over: the next run began, or the order stopped."""
    for recorded in read.after.recorded[run.began.version :]:
        if isinstance(recorded.event, e.RunStarted) and recorded.event.run > run.run:
            return recorded.version
    return read.order.stopped_at


# --- from the log to the engine ---------------------------------------------------------------------------------------

_CAUSE = re.compile(r"run (?P<run>[0-9]+), (?P<action>\w+)")


def _not_entered(read: OrderRuns, run: OrderRun) -> Iterator[RunDifference]:
    """Find commits that a step of the run recorded though no state of its executions asked for that step."""
    executions = run.executions or ()
    children = sum(visit.starts is not None for execution in executions for visit in execution.visits)
    standard = [execution for execution in executions if execution.name is not None]
    if not all(execution.whole for execution in standard) or len(standard) != 1 + children:
        return  # some states are not known
    entered = {visit.action for execution in standard for visit in execution.visits}
    for recorded in read.before.recorded:
        cause = _CAUSE.fullmatch(recorded.causation)
        if cause is None or int(cause["run"]) != run.run or cause["action"] not in ACTIONS:
            continue
        if cause["action"] in entered or recorded.version != recorded.commit:
            continue
        if read.read_at - recorded.recorded_at > SHOWN_WITHIN:
            words = (
                f"Event {recorded.version} was recorded by the step {cause['action']} of run {run.run}, and the engine "
                "entered no state with that step."
            )
            yield RunDifference(
                kind=RunDifferenceKind.STATE_NOT_ENTERED, run=run.run, version=recorded.version, words=words
            )


# --- from the engine to the log ---------------------------------------------------------------------------------------


def _not_recorded(log: History, run: OrderRun, execution: ReadExecution, visit: Visit) -> Iterator[RunDifference]:
    def difference(kind: RunDifferenceKind, what: str, missing: type[Any]) -> RunDifference:
        words = f"{visit.state} {what}, and the log has no {missing.__name__}."
        return RunDifference(kind=kind, run=run.run, execution=execution.name, state=visit.state, words=words)

    if visit.action is None:
        return
    recorded = {type(each.event) for each in log.recorded}
    needed = _NEEDED_TO_ENTER.get(visit.action, ())
    if needed and recorded.isdisjoint(needed):
        yield difference(RunDifferenceKind.INTENT_NOT_RECORDED, "was entered", needed[0])
    result = "" if visit.output is None else _result(visit)
    recorded_as = _RECORDED_AS.get((visit.action, result), ())
    if recorded_as and recorded.isdisjoint(recorded_as):
        yield difference(RunDifferenceKind.OUTCOME_NOT_RECORDED, f"succeeded with {result}", recorded_as[0])
    if result == "parked" and not _was_parked(log, run.run):
        yield difference(RunDifferenceKind.OUTCOME_NOT_RECORDED, "succeeded with parked", e.OrderParked)


_STOPPED: tuple[type[Any], ...] = (e.CancellationRequested, e.OrderAbandoned)
_CARRIED: tuple[type[Any], ...] = (e.OrderPickedUp, e.OrderDelivered)

_NEEDED_TO_ENTER: Mapping[str, tuple[type[Any], ...]] = {
    "authorize": (e.PaymentAuthorizationRequested,),
    "request_preparation": (e.PreparationRequested, *_STOPPED),
    "request_courier": (e.CourierRequested, *_STOPPED),
    "compensate": (e.CancellationRequested,),
}
"""By action: events of which the log has at least one before a state asks for it. The first is the usual one."""

_RECORDED_AS: Mapping[tuple[str, str], tuple[type[Any], ...]] = {
    ("authorize", "authorized"): (e.PaymentAuthorized, *_CARRIED),
    ("settle", "settled"): (e.OrderCompleted, e.OrderAbandoned),
    ("compensate", "cancelled"): (e.OrderCancelled, e.OrderAbandoned, e.OrderCompleted),
    ("request_preparation", "accepted"): (e.PreparationAccepted, e.PreparationReady, *_CARRIED),
    ("await_acceptance", "accepted"): (e.PreparationAccepted, e.PreparationReady, *_CARRIED),
    ("await_readiness", "ready"): (e.PreparationReady, *_CARRIED),
    ("request_courier", "assigned"): (e.CourierAssigned, e.DeliveryFailed, *_CARRIED),
    ("request_courier", "picked_up"): _CARRIED,
    ("await_pickup", "picked_up"): _CARRIED,
    ("await_delivery", "delivered"): (e.OrderDelivered,),
}
"""By action and result: events of which the log has at least one once a task succeeded so. The first is the usual
one."""


def _result(visit: Visit) -> str:
    """Return the word that a task succeeded with; empty if it has none."""
    output: Any = visit.output
    if "Payload" in output:  # of lambda:invoke
        output = output["Payload"]
    elif "Output" in output and output.get("Status") == "SUCCEEDED":  # of startSyncExecution
        output = json.loads(output["Output"])
    word = output.get("answer") or output.get("outcome") if isinstance(output, dict) else None
    return word if isinstance(word, str) else ""


def _was_parked(log: History, run: int) -> bool:
    """Whether a task may say that it parked the run: it is parked, superseded, or the order has ended."""
    for recorded in log.recorded:
        match recorded.event:
            case e.OrderParked():
                if recorded.event.run == run:
                    return True
            case e.RunStarted():
                if recorded.event.run > run:
                    return True
            case e.OrderCompleted() | e.OrderCancelled() | e.OrderAbandoned():
                return True
            case _:
                pass
    return False
