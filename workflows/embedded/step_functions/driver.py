"""Runs executions of state machines on the hub: stands for AWS Step Functions.

``stepping.py`` makes the steps of executions, and ``rounds.py`` makes them durable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from workflows.asl.interpreter import redriving
from workflows.asl.json_text import from_text, to_text
from workflows.asl.reading.integrations import qualified_name
from workflows.asl.signals import JSON, Aborted, ExecutionStatus, Redriven, TokenFailed, TokenHeartbeat, TokenSucceeded
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.clock import Clock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.external_effects import Callees, MakeSignal
from workflows.embedded.step_functions.journal import ExecutionRow, Journal
from workflows.embedded.step_functions.machines import Machine, MachineUnknown
from workflows.embedded.step_functions.rounds import DriverRound, DriverStopped, Refusal, Rounds
from workflows.embedded.step_functions.running import Definitions, Memory
from workflows.embedded.step_functions.stepping import Stepper
from workflows.executions import TokenGone
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

IN_MEMORY_MAX = 1024
"""Executions kept in memory, some 10 KB each. The others are folded again when they get a signal."""


class ExecutionUnknown(Refusal):
    """No execution has this ARN, or it has ended."""


class ExecutionNotRedrivable(Refusal):
    """The execution runs, has succeeded, or stopped where it cannot go on. The message says which."""


class NameInvalid(ValueError):
    """The name is not 1 to 80 characters without spaces, brackets and other special characters."""


class _TokenSettled(Refusal):
    """No task waits with the token. Callers get TokenGone."""


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
        self._memory = Memory(journal, definitions, in_memory_max)
        self._rounds = Rounds(database, hub, on_break)
        self._stepper = Stepper(
            self._rounds, self._memory, machines, functions, clock=clock, alarms=alarms, last_id=journal.last_id()
        )
        self._releases_waiters = False  # only in the driver's thread
        self.started = self._stepper.started
        self.ended_by_status = self._stepper.ended_by_status

    def begin(self) -> None:
        """Resume every execution that has not ended, and apply what arrives."""
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

    def start_execution(
        self,
        machine: str,
        name: str,
        input: JSON,  # noqa: A002 - likewise
        input_text: str | None = None,
    ) -> ExecutionRow:
        """Start an execution as ``start`` does, and return its row, or its current row if it was started before.

        Args:
            input_text: The JSON text of the input as its row shows it; None for compact text.
        """
        known = self._machine(machine)
        if not arns.NAME.fullmatch(name):
            raise NameInvalid(f"{name!r} cannot name an execution: use 1 to 80 characters, no spaces, no brackets")
        text, arn = to_text(input) if input_text is None else input_text, arns.execution_arn(known.name, name)
        row = self._rounds.run(lambda to: self._stepper.start(known, name, text, None, to) or self._memory.find(arn))
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
            self._stepper.apply(running, lambda at, seed: Aborted(at=at, seed=seed, error=error, cause=cause), round_)

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
            self._stepper.apply(running, lambda at, seed: Redriven(at=at, seed=seed), round_)

        self._rounds.run(work)

    def ended(self, arn: str) -> Deferred[None]:
        """Return a future that is done once the execution's end is durable, or holds ExecutionUnknown."""
        ended: Deferred[None] = Deferred()

        def work(round_: DriverRound) -> None:
            row = self._memory.find(arn)
            if row is None or row.status is not ExecutionStatus.RUNNING:
                result = None if row else ExecutionUnknown(f"there is no execution {arn}")
                round_.answers.append((ended, result))
            elif self._releases_waiters:
                round_.answers.append((ended, _stopping()))
            else:
                self._stepper.waiters[arn].append(ended)

        self._rounds.submit(work)
        return ended

    def release_waiters(self) -> None:
        """Fail the futures of ``ended``, those to come too, with DriverStopped; executions continue later."""

        def work(round_: DriverRound) -> None:
            self._releases_waiters = True
            for waiters in self._stepper.waiters.values():
                round_.answers += [(waiter, _stopping()) for waiter in waiters]
            self._stepper.waiters.clear()

        with suppress(DriverStopped):  # it has stopped, and has failed them
            self._rounds.run(work)

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
            if running is None or not self._stepper.apply(running, make, round_):
                raise _TokenSettled("no task waits with this token any more")

        try:
            self._rounds.run(work)
        except _TokenSettled as refusal:
            raise TokenGone(str(refusal)) from None

    def _resuming(self, arn: str) -> Callable[[DriverRound], None]:
        return lambda _: self._stepper.resume(arn)


def _stopping() -> DriverStopped:
    return DriverStopped("the service stops; the execution continues at its next start")
