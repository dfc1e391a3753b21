"""Makes the steps of executions within a round: applies signals, and handles their effects.

The way of a signal:

1. an event of an execution (a start, a function's result, a settled token, a timer) becomes a signal, and the
   interpreter makes a step (``apply``);
2. its effects are handled (``_handle``). Effects on other executions (a child starts or is stopped, a parent gets a
   child's end) are signals of the same round, so a parent and its child never disagree;
3. all signals of the round are written to the journal in the turn's transaction (``rounds.py``);
4. once that is durable, the effects outside (functions, timers) are performed and callers get their results.

So a crash cannot take back anything that was seen. After a crash the journals are folded, and calls and timers without
an outcome are made again (``resume``).

Express executions that a task waits for (``startSyncExecution``) are only in memory: their signals are not written, and
after a crash they start again, because the task that started them has no outcome yet.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import assert_never
from uuid import uuid4

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.json_text import to_text
from workflows.asl.reading.integrations import qualified_name
from workflows.asl.signals import (
    JSON,
    Aborted,
    CancelTimer,
    Effect,
    EndExecution,
    ExecutionStatus,
    InvokeFunction,
    Mode,
    SetTimer,
    StartExecution,
    StopExecution,
    TaskSubmitted,
)
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.external_effects import Callees, ExternalEffects, MakeSignal, task_outcome
from workflows.embedded.step_functions.journal import ExecutionRow, Parent
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.rounds import DriverRound, DriverStopped, Rounds
from workflows.embedded.step_functions.running import Memory, RunningExecution, as_child, first_signal
from workflows.hub.deferred import Deferred

log = logging.getLogger(__name__)

_NESTING_MAX = 50  # executions that start each other and still run; a start is nested in the round of its parent
_WAITING = (Mode.SYNC, Mode.SYNC_2, Mode.EXPRESS)  # the modes in which the parent waits for the end


class Stepper:
    """Used only by the driver's thread, but for the outcomes of functions, which come from any thread."""

    def __init__(
        self,
        rounds: Rounds,
        memory: Memory,
        machines: Mapping[str, Machine],
        functions: Callees,
        *,
        clock: Clock,
        alarms: Alarms,
        last_id: int,
    ) -> None:
        """``last_id`` is the highest id of an execution in the journal; 0 in an empty one."""
        self._rounds = rounds
        self._memory = memory
        self._machines = machines
        self._clock = clock
        self._last_id = last_id
        self._children: dict[tuple[str, int], str] = {}  # running executions by the task that waits for them
        self._external = ExternalEffects(functions, alarms, self._deliver)
        self.waiters: defaultdict[str, list[Deferred[None]]] = defaultdict(list)
        """Futures to resolve at the end of an execution, by its ARN."""
        self.started: Counter[str] = Counter()
        """Executions started since the start of the process, by machine."""
        self.ended_by_status: Counter[tuple[str, str]] = Counter()
        """Executions ended since the start of the process, by machine and status."""

    # --- 1. a signal is applied -----------------------------------------------------------------------------

    def apply(self, running: RunningExecution, make: MakeSignal, round_: DriverRound) -> bool:
        """Make a step of an execution.

        False if the signal has no effect, e.g. because no task waits for it any more.
        """
        seq, signal = running.seq, make(self._clock.now(), secrets.token_hex(16))
        try:
            step = running.step(signal)
        except Exception as error:
            self._end_broken(running, error, round_)
            return True
        if step.settled:
            if running.journaled:
                round_.writes.applied(running.row.id, seq, signal)
                self._count_unwritten(running, round_)
            for effect in step.effects:
                self._handle(running, effect, round_)
        return step.settled

    def _apply_later(self, arn: str, make: MakeSignal, round_: DriverRound, *, first: bool = False) -> None:
        """Apply a signal in this round, after the current work; before all other work of the round if ``first``."""

        def work(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is not None:
                self.apply(running, make, round_)

        if first:
            round_.follow.appendleft(work)
        else:
            round_.follow.append(work)

    def _deliver(self, arn: str, make: MakeSignal) -> None:
        """Apply a signal from outside.

        After the driver has stopped it is dropped: the next driver makes the call again.
        """
        try:
            self._rounds.submit(lambda round_: self._apply_later(arn, make, round_))
        except DriverStopped:
            log.debug("a signal came after the driver had stopped")

    def _count_unwritten(self, running: RunningExecution, round_: DriverRound) -> None:
        def written() -> None:
            running.unwritten -= 1
            self._memory.evict()

        running.unwritten += 1
        round_.effects.append(written)

    def _end_broken(self, running: RunningExecution, error: Exception, round_: DriverRound) -> None:
        """End an execution with States.Runtime after a bug of the interpreter, so that the others continue."""
        log.error("an execution broke the interpreter", exc_info=error, extra={"execution": running.row.arn})
        cause = f"An internal error occurred: {type(error).__name__}"
        if running.journaled:
            self._count_unwritten(running, round_)
        self._end(running, EndExecution(status=ExecutionStatus.FAILED, error="States.Runtime", cause=cause), round_)

    # --- 2. its effects: on other executions in this round, outside once it is durable -------------------------

    def _handle(self, running: RunningExecution, effect: Effect, round_: DriverRound) -> None:
        arn = running.row.arn
        outside = round_.effects if running.journaled else round_.at_once
        match effect:
            case InvokeFunction():
                outside.append(lambda: self._external.invoke(arn, effect))
            case SetTimer():
                outside.append(lambda: self._external.set_timer(arn, effect))
            case CancelTimer():
                outside.append(lambda: self._external.cancel_timer(arn, effect.timer))
            case StartExecution(mode=Mode.EXPRESS):
                outside.append(lambda: self._start_express(arn, effect))
            case StartExecution():
                self._start_child(arn, effect, round_)
            case StopExecution():
                child = self._children.get((arn, effect.task))
                if child is not None:
                    self._apply_later(child, lambda at, seed: Aborted(at=at, seed=seed), round_)
            case EndExecution():
                self._end(running, effect, round_)
            case _:
                assert_never(effect)

    # --- executions start and end ----------------------------------------------------------------------------

    def start(
        self, machine: Machine, name: str, input_text: str, parent: Parent | None, round_: DriverRound
    ) -> ExecutionRow | None:
        """Begin an execution in this round; None if the name is taken."""
        is_journaled = parent is None or parent.mode is not Mode.EXPRESS
        if machine.express:
            arn = arns.express_arn(machine.name, name, str(uuid4()))
        else:
            arn = arns.execution_arn(machine.name, name)
            if self._memory.find(arn) is not None:
                return None
        self._last_id += is_journaled
        row = ExecutionRow(
            id=self._last_id if is_journaled else 0,
            arn=arn,
            machine=machine.name,
            name=name,
            express=machine.express,
            definition=machine.definition.digest,
            input=input_text,
            started_at=self._clock.now(),
            parent=parent,
        )
        running = RunningExecution(row, machine.definition)
        self._memory.add(running)
        self._note_child(row)
        self.started[machine.name] += 1
        if is_journaled:
            round_.writes.started(row)
            if machine.version is not None:
                round_.writes.of_version(row.id, machine.version, machine.alias)
        self.apply(running, lambda _, seed: first_signal(row, seed, machine.role_arn), round_)
        return row

    def _start_express(self, parent_arn: str, effect: StartExecution) -> None:
        """Start an Express child in a round of its own; its parent waits for it durably by now."""
        with suppress(DriverStopped):  # the next driver starts it again
            self._rounds.submit(lambda round_: self._start_child(parent_arn, effect, round_))

    def _start_child(self, parent_arn: str, effect: StartExecution, round_: DriverRound) -> None:
        """Start an execution for a task. The task gets a refusal, or the start if it does not wait for the end."""
        machine = self._machines.get(qualified_name(effect.machine))
        mode = effect.mode
        if machine is None:
            outcome: JSON | TaskError = answers.machine_missing(effect.machine, mode)
        elif machine.express != (mode is Mode.EXPRESS) and (mode in _WAITING):
            outcome = answers.type_not_supported(effect.machine, mode)
        else:
            parent = Parent(arn=parent_arn, task=effect.task, mode=mode)
            outcome = self._begin_child(machine, effect, parent, round_)
        if outcome is not None:
            self._apply_later(parent_arn, task_outcome(effect.task, outcome), round_)

    def _begin_child(
        self, machine: Machine, effect: StartExecution, parent: Parent, round_: DriverRound
    ) -> JSON | TaskError | None:
        """Start a child and return the task's outcome; None if the task waits for the child's end."""
        if self._nesting(parent.arn) >= _NESTING_MAX:
            return answers.too_many_executions(effect.mode)
        name = str(uuid4()) if effect.name is None else effect.name
        if not arns.NAME.fullmatch(name):
            return answers.name_invalid(name, effect.mode)
        row = self.start(machine, name, effect.input, parent, round_)
        if row is None:
            row = self._running_alike(arns.execution_arn(machine.name, name), effect)
        if row is None:
            return answers.name_taken(arns.execution_arn(machine.name, name), effect.mode)
        started = answers.child_started(as_child(row), effect.mode)
        if effect.mode not in _WAITING:
            return started
        if effect.mode is not Mode.EXPRESS:
            task = effect.task  # before the end of the child, which may have come already
            make: MakeSignal = lambda at, seed: TaskSubmitted(at=at, seed=seed, task=task, output=started)  # noqa: E731
            self._apply_later(parent.arn, make, round_, first=True)
        return None

    def _nesting(self, arn: str) -> int:
        """Count an execution and those above it that are still running."""
        running, count = self._memory.running(arn), 0
        while running is not None:
            count += 1
            parent = running.row.parent
            running = self._memory.running(parent.arn) if parent is not None else None
        return count

    def _running_alike(self, arn: str, effect: StartExecution) -> ExecutionRow | None:
        """Return the running execution that an equal start began; None if the task would wait for another's child."""
        row = self._memory.find(arn)
        if row is None or effect.mode in _WAITING or row.status is not ExecutionStatus.RUNNING:
            return None
        return row if json.loads(row.input) == json.loads(effect.input) else None

    def _end(self, running: RunningExecution, effect: EndExecution, round_: DriverRound) -> None:
        stopped_at = running.execution.stopped_at if running.execution else None
        row = running.row = replace(
            running.row,
            status=effect.status,
            output=to_text(effect.output) if effect.status is ExecutionStatus.SUCCEEDED else None,
            error=effect.error,
            cause=effect.cause,
            stopped_at=stopped_at or self._clock.now(),
            state_entries=running.state_entries,
        )
        self.ended_by_status[row.machine, row.status.value] += 1
        if running.journaled:
            round_.writes.ended(row)
        elif row.parent is not None:
            round_.writes.express_entries(row.parent.arn, row.state_entries)
        (round_.effects if running.journaled else round_.at_once).append(lambda: self._forget(running))
        round_.answers += [(waiter, None) for waiter in self.waiters.pop(row.arn, ())]
        if row.parent is not None and row.parent.mode in _WAITING:
            self._children.pop((row.parent.arn, row.parent.task), None)
            child = answers.child_ended(as_child(row, effect.output), row.parent.mode)
            self._apply_later(row.parent.arn, task_outcome(row.parent.task, child), round_)

    def _forget(self, running: RunningExecution) -> None:
        if not running.over:
            return  # it was redriven before its end was durable
        self._memory.forget(running)
        self._external.forget(running.row.arn)

    def _note_child(self, row: ExecutionRow) -> None:
        if row.parent is not None and row.parent.mode in (Mode.SYNC, Mode.SYNC_2):  # an Express child is never stopped
            self._children[row.parent.arn, row.parent.task] = row.arn

    # --- after a crash ---------------------------------------------------------------------------------------

    def resume(self, arn: str) -> None:
        """Make calls and timers without an outcome again. Its children resume by themselves, but for Express ones."""
        running = self._memory.running(arn)
        if running is None or running.execution is None:
            return
        self._note_child(running.row)
        for effect in running.execution.outstanding():
            match effect:
                case InvokeFunction():
                    self._external.invoke(arn, effect)
                case SetTimer():
                    self._external.set_timer(arn, effect)
                case StartExecution(mode=Mode.EXPRESS):
                    self._start_express(arn, effect)
        self._memory.evict()
