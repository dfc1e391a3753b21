"""Runs executions of state machines: Step Functions in one thread.

The walk of a signal:

1. whatever happens to an execution (a start, a function's answer, a token, a timer) arrives, becomes a signal, and
   the interpreter steps (``_tell``);
2. its effects are taken (``_take``). What is inside the engine (a child starts or is stopped, a parent hears of an
   end) are signals too, of the same round, so a parent and its child never disagree;
3. all signals of the round are written to the journal in one transaction (``rounds.py``);
4. once that is durable, the effects outside (functions, timers) happen and whoever asked is answered.

So nothing is seen that a crash could take back. After a crash the journals are folded, and what was outstanding is
done again (``_resume``).

Express executions that a task waits for (``startSyncExecution``) live in memory alone: their signals are not written,
and a crash begins them again, because the task that started them is outstanding.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from typing import assert_never
from uuid import uuid4

from workflows.asl import answers
from workflows.asl.answers import TaskError
from workflows.asl.json_text import to_text
from workflows.asl.reading.integrations import machine_name
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
    TokenFailed,
    TokenHeartbeat,
    TokenSucceeded,
)
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.journal import ExecutionRow, Journal, Parent
from workflows.embedded.step_functions.machines import Machine, MachineUnknown
from workflows.embedded.step_functions.outside import Callees, Outside, Tell, task_answer
from workflows.embedded.step_functions.rounds import DriverRound, DriverStopped, Refusal, Rounds
from workflows.embedded.step_functions.running import Definitions, Memory, RunningExecution, as_child, first_signal
from workflows.executions import TokenGone
from workflows.sqlite.database import Database

log = logging.getLogger(__name__)

IN_MEMORY_MAX = 1024
"""Executions kept folded, some 10 KB each. The others only wait, and are folded again when something happens."""

_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")  # StartExecution's rule


class ExecutionUnknown(Refusal):
    """No execution has this ARN, or it has ended."""


class NameInvalid(ValueError):
    """An execution's name has 1 to 80 characters without spaces, brackets and the like."""


class _NobodyWaits(Refusal):
    """TokenGone, as the driver's thread says it."""


_WAITING = (Mode.SYNC, Mode.SYNC_2, Mode.EXPRESS)  # the modes in which the parent hears of the end


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
        alarms: Alarms,
        in_memory_max: int = IN_MEMORY_MAX,
        on_break: Callable[[BaseException], None] = lambda _: None,
    ) -> None:
        """``on_break`` hears when the journal cannot be written any more; it runs in the driver's thread."""
        for machine in machines.values():
            definitions.add(machine.definition)
        self._journal = journal
        self._machines = machines
        self._clock = clock
        self._memory = Memory(journal, definitions, in_memory_max)
        self._children: dict[tuple[str, int], str] = {}  # running executions by the task that waits for them
        self._waiters: defaultdict[str, list[Future[None]]] = defaultdict(list)  # for an execution's end
        self._last_id = journal.last_id()
        self.started: Counter[str] = Counter()
        """Executions started since the start of the process, by machine."""
        self.ended_by_status: Counter[tuple[str, str]] = Counter()
        """Executions ended since the start of the process, by machine and status."""
        self._rounds = Rounds(database, on_break)
        self._outside = Outside(functions, alarms, self._hear)

    def begin(self) -> None:
        """Go on with every execution that has not ended, then with whatever arrives."""
        for arn in self._journal.running():
            self._rounds.bring(self._resuming(arn))
        self._rounds.begin()

    def close(self) -> None:
        """Write what has arrived, then stop. What is under way outside is done again by the next driver. Idempotent."""
        self._rounds.close()

    # --- what others ask; durable on return ------------------------------------------------------------------

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        """Start an execution. Started already: nothing. Raises MachineUnknown or NameInvalid."""
        self.start_execution(machine, name, input)

    def start_execution(self, machine: str, name: str, input: JSON) -> ExecutionRow:  # noqa: A002 - likewise
        """As ``start``: the execution as it begins now, or as it has become since it began."""
        found = self._machines.get(machine_name(machine))
        if found is None:
            raise MachineUnknown(f"there is no state machine {machine}; there is: {', '.join(self._machines)}")
        if not _NAME.fullmatch(name):
            raise NameInvalid(f"{name!r} is no name for an execution: 1 to 80 characters, no spaces, no brackets")
        text, arn = to_text(input), arns.execution_arn(found.name, name)
        row = self._rounds.ask(lambda to: self._start(found, name, text, None, to) or self._memory.find(arn))
        assert row is not None, "a name that is taken has an execution"
        return row

    def succeed(self, token: str, output: JSON) -> None:
        """End the task that waits with ``token``. Raises TokenGone."""
        sent = json.loads(to_text(output))  # nothing is shared with the caller
        self._settle(token, lambda at, seed: TokenSucceeded(at=at, seed=seed, token=token, output=sent))

    def fail(self, token: str, error: str, cause: str) -> None:
        """Fail the task that waits with ``token``. Raises TokenGone."""
        self._settle(token, lambda at, seed: TokenFailed(at=at, seed=seed, token=token, error=error, cause=cause))

    def heartbeat(self, token: str) -> None:
        """Say that whoever has ``token`` still works on it. Raises TokenGone."""
        self._settle(token, lambda at, seed: TokenHeartbeat(at=at, seed=seed, token=token))

    def stop_execution(self, arn: str, error: str = "", cause: str = "") -> None:
        """Abort an execution. Raises ExecutionUnknown."""

        def work_in(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is None:
                raise ExecutionUnknown(f"no execution {arn} is running")
            self._tell(running, lambda at, seed: Aborted(at=at, seed=seed, error=error, cause=cause), round_)

        self._rounds.ask(work_in)

    def ended(self, arn: str) -> Future[None]:
        """Done once the execution's end is durable. Its result raises ExecutionUnknown when there is no such one."""
        ended: Future[None] = Future()

        def work_in(round_: DriverRound) -> None:
            row = self._memory.find(arn)
            if row is not None and row.status is ExecutionStatus.RUNNING:
                self._waiters[arn].append(ended)
            else:
                found = None if row else ExecutionUnknown(f"there is no execution {arn}")
                round_.answers.append((ended, found))

        self._rounds.bring(work_in)
        return ended

    def in_memory(self) -> int:
        """Executions in memory now."""
        return len(self._memory)

    def _settle(self, token: str, tell: Tell) -> None:
        try:
            arn = token_execution(token)
        except InvalidToken as error:
            raise TokenGone(str(error)) from error

        def work_in(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is None or not self._tell(running, tell, round_):
                raise _NobodyWaits("nobody waits with this token any more")

        try:
            self._rounds.ask(work_in)
        except _NobodyWaits as refusal:
            raise TokenGone(str(refusal)) from None

    # --- 1. an execution is told a signal --------------------------------------------------------------------

    def _tell(self, running: RunningExecution, tell: Tell, round_: DriverRound) -> bool:
        """Step an execution. False when the signal meant nothing, e.g. because nobody waits for it any more."""
        seq, signal = running.seq, tell(self._clock.now(), secrets.token_hex(16))
        try:
            step = running.step(signal)
        except Exception as error:
            self._end_broken(running, error, round_)
            return True
        if step.settled:
            if running.journaled:
                round_.writes.said(running.row.id, seq, signal)
                self._count_unwritten(running, round_)
            for effect in step.effects:
                self._take(running, effect, round_)
        return step.settled

    def _tell_later(self, arn: str, tell: Tell, round_: DriverRound) -> None:
        """Tell an execution in this round, after what is being worked in now."""

        def work_in(round_: DriverRound) -> None:
            running = self._memory.running(arn)
            if running is not None:
                self._tell(running, tell, round_)

        round_.follow.append(work_in)

    def _hear(self, arn: str, tell: Tell) -> None:
        """News for an execution from outside; those that come after the end the next driver finds for itself."""
        try:
            self._rounds.bring(lambda round_: self._tell_later(arn, tell, round_))
        except DriverStopped:
            log.debug("news came after the driver had stopped")

    def _count_unwritten(self, running: RunningExecution, round_: DriverRound) -> None:
        def written() -> None:
            running.unwritten -= 1
            self._memory.evict()

        running.unwritten += 1
        round_.effects.append(written)

    def _end_broken(self, running: RunningExecution, error: Exception, round_: DriverRound) -> None:
        """Our own bug must not stop the other executions: this one fails, with what States.Runtime is for."""
        log.error("an execution broke the interpreter", exc_info=error, extra={"execution": running.row.arn})
        cause = f"An internal error occurred: {type(error).__name__}"
        if running.journaled:
            self._count_unwritten(running, round_)
        self._end(running, EndExecution(status=ExecutionStatus.FAILED, error="States.Runtime", cause=cause), round_)

    # --- 2. its effects: those inside the engine in this round, those outside once it is durable ---------------

    def _take(self, running: RunningExecution, effect: Effect, round_: DriverRound) -> None:
        arn = running.row.arn
        outside = round_.effects if running.journaled else round_.at_once
        match effect:
            case InvokeFunction():
                outside.append(lambda: self._outside.invoke(arn, effect))
            case SetTimer():
                outside.append(lambda: self._outside.set_timer(arn, effect))
            case CancelTimer():
                outside.append(lambda: self._outside.cancel_timer(arn, effect.timer))
            case StartExecution(mode=Mode.EXPRESS):
                outside.append(lambda: self._start_express(arn, effect))
            case StartExecution():
                self._start_child(arn, effect, round_)
            case StopExecution():
                child = self._children.get((arn, effect.task))
                if child is not None:
                    self._tell_later(child, lambda at, seed: Aborted(at=at, seed=seed), round_)
            case EndExecution():
                self._end(running, effect, round_)
            case _:
                assert_never(effect)

    # --- executions start and end ----------------------------------------------------------------------------

    def _start(
        self, machine: Machine, name: str, input_text: str, parent: Parent | None, round_: DriverRound
    ) -> ExecutionRow | None:
        """Begin an execution in this round; None when the name is taken."""
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
        self._tell(running, lambda _, seed: first_signal(row, seed), round_)
        return row

    def _start_express(self, parent_arn: str, effect: StartExecution) -> None:
        """In a round of its own: the parent waits for it durably by now."""
        with suppress(DriverStopped):  # then the task is outstanding
            self._rounds.bring(lambda round_: self._start_child(parent_arn, effect, round_))

    def _start_child(self, parent_arn: str, effect: StartExecution, round_: DriverRound) -> None:
        """A task starts an execution: it hears of a refusal, and of the start if it does not wait for the end."""
        machine = self._machines.get(machine_name(effect.machine))
        mode = effect.mode
        if machine is None:
            answer: JSON | TaskError = answers.machine_missing(effect.machine, mode)
        elif machine.express != (mode is Mode.EXPRESS) and (mode in _WAITING):
            answer = answers.type_not_supported(effect.machine, mode)
        else:
            parent = Parent(arn=parent_arn, task=effect.task, mode=mode)
            answer = self._begin_child(machine, effect, parent, round_)
        if answer is not None:
            self._tell_later(parent_arn, task_answer(effect.task, answer), round_)

    def _begin_child(
        self, machine: Machine, effect: StartExecution, parent: Parent, round_: DriverRound
    ) -> JSON | TaskError | None:
        """Start it; what to tell the task now, None when it hears of the end."""
        name = effect.name or str(uuid4())
        row = self._start(machine, name, effect.input, parent, round_)
        if row is None:
            row = self._running_alike(arns.execution_arn(machine.name, name), effect)
        if row is None:
            return answers.name_taken(arns.execution_arn(machine.name, name), effect.mode)
        return None if effect.mode in _WAITING else answers.child_started(as_child(row), effect.mode)

    def _running_alike(self, arn: str, effect: StartExecution) -> ExecutionRow | None:
        """The same start again, while its execution runs, is that start; but nobody can wait for another's child."""
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
            self._tell_later(row.parent.arn, task_answer(row.parent.task, child), round_)

    def _forget(self, running: RunningExecution) -> None:
        self._memory.forget(running)
        self._outside.forget(running.row.arn)

    def _note_child(self, row: ExecutionRow) -> None:
        if row.parent is not None and row.parent.mode in (Mode.SYNC, Mode.SYNC_2):  # an Express child is never stopped
            self._children[row.parent.arn, row.parent.task] = row.arn

    # --- after a crash ---------------------------------------------------------------------------------------

    def _resuming(self, arn: str) -> Callable[[DriverRound], None]:
        return lambda _: self._resume(arn)

    def _resume(self, arn: str) -> None:
        """Do again what was outstanding. Executions that it started run on by themselves, but for Express ones."""
        running = self._memory.running(arn)
        if running is None or running.execution is None:
            return
        self._note_child(running.row)
        for effect in running.execution.outstanding():
            match effect:
                case InvokeFunction():
                    self._outside.invoke(arn, effect)
                case SetTimer():
                    self._outside.set_timer(arn, effect)
                case StartExecution(mode=Mode.EXPRESS):
                    self._start_express(arn, effect)
        self._memory.evict()
