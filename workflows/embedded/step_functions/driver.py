"""Runs executions of state machines on the hub: stands for AWS Step Functions.

The way of a signal:

1. an event of an execution (a start, a function's result, a settled token, a timer) becomes a signal, and the
   interpreter makes a step (``_apply``);
2. its effects are handled (``_handle``). Effects on other executions (a child starts or is stopped, a parent gets a
   child's end) are signals of the same round, so a parent and its child never disagree;
3. all signals of the round are written to the journal in the turn's transaction (``rounds.py``);
4. once that is durable, the effects outside (functions, timers) are performed and callers get their results.

So a crash cannot take back anything that was seen. After a crash the journals are folded, and calls and timers without
an outcome are made again (``_resume``).

Express executions that a task waits for (``startSyncExecution``) are only in memory: their signals are not written, and
after a crash they start again, because the task that started them has no outcome yet.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import assert_never
from uuid import uuid4

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.interpreter import redriving
from workflows.asl.json_text import from_text, to_text
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
    Redriven,
    SetTimer,
    StartExecution,
    StopExecution,
    TaskSubmitted,
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.external_effects import Callees, ExternalEffects, MakeSignal, task_outcome
from workflows.embedded.step_functions.journal import ExecutionRow, Journal, Parent
from workflows.embedded.step_functions.machines import Machine, MachineUnknown
from workflows.embedded.step_functions.rounds import DriverRound, DriverStopped, Refusal, Rounds
from workflows.embedded.step_functions.running import Definitions, Memory, RunningExecution, as_child, first_signal
from workflows.executions import TokenGone
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

log = logging.getLogger(__name__)

IN_MEMORY_MAX = 1024
"""Executions kept in memory, some 10 KB each. The others are folded again when they get a signal."""

NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")
"""The rule for names of executions and machines."""


class ExecutionUnknown(Refusal):
    """No execution has this ARN, or it has ended."""


class ExecutionNotRedrivable(Refusal):
    """The execution runs, has succeeded, or stopped where it cannot go on. The message says which."""


class NameInvalid(ValueError):
    """The name is not 1 to 80 characters without spaces, brackets and other special characters."""


class _TokenSettled(Refusal):
    """No task waits with the token. Callers get TokenGone."""


_NESTING_MAX = 50  # executions that start each other and still run; a start is nested in the round of its parent
_WAITING = (Mode.SYNC, Mode.SYNC_2, Mode.EXPRESS)  # the modes in which the parent waits for the end


class Driver:
    """Implements ``workflows.executions.Executions``. Call it from any thread but its own."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        definitions: Definitions,
        machines: Mapping[str, Machine],
        functions: Callees,
        *,
        clock: Clock,
        hub: Hub,
        alarms: Alarms,
        in_memory_max: int = IN_MEMORY_MAX,
        on_break: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """``on_break`` is called in the driver's thread, with the error, when the journal can no longer be written."""
        for machine in machines.values():
            definitions.add(machine.definition)
        self._journal = journal
        self._machines = machines
        self._clock = clock
        self._memory = Memory(journal, definitions, in_memory_max)
        self._children: dict[tuple[str, int], str] = {}  # running executions by the task that waits for them
        self._waiters: defaultdict[str, list[Deferred[None]]] = defaultdict(list)  # for an execution's end
        self._last_id = journal.last_id()
        self.started: Counter[str] = Counter()
        """Executions started since the start of the process, by machine."""
        self.ended_by_status: Counter[tuple[str, str]] = Counter()
        """Executions ended since the start of the process, by machine and status."""
        self._rounds = Rounds(database, hub, on_break)
        self._external = ExternalEffects(functions, alarms, self._deliver)

    def begin(self) -> None:
        """Resume every execution that has not ended, and start the thread."""
        for arn in self._journal.running():
            self._rounds.submit(self._resuming(arn))
        self._rounds.begin()

    def close(self) -> None:
        """Write what has arrived, then stop. The next driver makes the calls under way again. Idempotent."""
        self._rounds.close()

    # --- for callers; durable on return ---------------------------------------------------------------------

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        """Start an execution, or do nothing if it was started before. Raises MachineUnknown or NameInvalid."""
        self.start_execution(machine, name, input)

    def start_execution(self, machine: str, name: str, input: JSON) -> ExecutionRow:  # noqa: A002 - likewise
        """Start an execution as ``start`` does, and return its row, or its current row if it was started before."""
        known = self._machine(machine)
        if not NAME.fullmatch(name):
            raise NameInvalid(f"{name!r} cannot name an execution: use 1 to 80 characters, no spaces, no brackets")
        text, arn = to_text(input), arns.execution_arn(known.name, name)
        row = self._rounds.run(lambda to: self._start(known, name, text, None, to) or self._memory.find(arn))
        assert row is not None, "a name that is taken has an execution"
        return row

    def is_express(self, machine: str) -> bool:
        """Whether a machine is of type EXPRESS. Raises MachineUnknown."""
        return self._machine(machine).express

    def _machine(self, machine: str) -> Machine:
        known = self._machines.get(qualified_name(machine))
        if known is None:
            raise MachineUnknown(f"there is no state machine {machine}; the machines are: {', '.join(self._machines)}")
        return known

    def succeed(self, token: str, output: JSON) -> None:
        """End the task that waits with ``token``. Raises TokenGone."""
        copy = from_text(to_text(output))  # shares nothing with the caller
        self._settle(token, lambda at, seed: TokenSucceeded(at=at, seed=seed, token=token, output=copy))

    def fail(self, token: str, error: str, cause: str) -> None:
        """Fail the task that waits with ``token``. Raises TokenGone."""
        self._settle(token, lambda at, seed: TokenFailed(at=at, seed=seed, token=token, error=error, cause=cause))

    def heartbeat(self, token: str) -> None:
        """Report that the work of the task that waits with ``token`` continues. Raises TokenGone."""
        self._settle(token, lambda at, seed: TokenHeartbeat(at=at, seed=seed, token=token))

    def stop_execution(self, arn: str, error: str = "", cause: str = "") -> None:
        """Abort an execution. Raises ExecutionUnknown."""

        def work(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is None:
                raise ExecutionUnknown(f"no execution {arn} is running")
            self._apply(running, lambda at, seed: Aborted(at=at, seed=seed, error=error, cause=cause), round_)

        self._rounds.run(work)

    def redrive_execution(self, arn: str) -> None:
        """Let an execution go on that did not succeed. Raises ExecutionUnknown or ExecutionNotRedrivable."""

        def work(round_: DriverRound) -> None:
            running = self._memory.running_or_ended(arn)
            if running is None or running.execution is None:
                raise ExecutionUnknown(f"there is no execution {arn}")
            problem = redriving.problem_of(running.execution)
            if problem is not None:
                raise ExecutionNotRedrivable(problem)
            running.row = replace(
                running.row, status=ExecutionStatus.RUNNING, output=None, error=None, cause=None, stopped_at=None
            )
            self._memory.add(running)
            round_.writes.redriven(running.row)
            self._apply(running, lambda at, seed: Redriven(at=at, seed=seed), round_)

        self._rounds.run(work)

    def ended(self, arn: str) -> Deferred[None]:
        """Return a future that is done once the execution's end is durable, or holds ExecutionUnknown."""
        ended: Deferred[None] = Deferred()

        def work(round_: DriverRound) -> None:
            row = self._memory.find(arn)
            if row is not None and row.status is ExecutionStatus.RUNNING:
                self._waiters[arn].append(ended)
            else:
                result = None if row else ExecutionUnknown(f"there is no execution {arn}")
                round_.answers.append((ended, result))

        self._rounds.submit(work)
        return ended

    def in_memory(self) -> int:
        """Return how many executions are in memory."""
        return len(self._memory)

    def _settle(self, token: str, make: MakeSignal) -> None:
        try:
            arn = token_execution(token)
        except InvalidToken as error:
            raise TokenGone(str(error)) from error

        def work(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is None or not self._apply(running, make, round_):
                raise _TokenSettled("no task waits with this token any more")

        try:
            self._rounds.run(work)
        except _TokenSettled as refusal:
            raise TokenGone(str(refusal)) from None

    # --- 1. a signal is applied -----------------------------------------------------------------------------

    def _apply(self, running: RunningExecution, make: MakeSignal, round_: DriverRound) -> bool:
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
                self._apply(running, make, round_)

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

    def _start(
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
        self._apply(running, lambda _, seed: first_signal(row, seed, machine.role_arn), round_)
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
        name = effect.name or str(uuid4())
        row = self._start(machine, name, effect.input, parent, round_)
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
        round_.answers += [(waiter, None) for waiter in self._waiters.pop(row.arn, ())]
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

    def _resuming(self, arn: str) -> Callable[[DriverRound], None]:
        return lambda _: self._resume(arn)

    def _resume(self, arn: str) -> None:
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
