"""The executions in memory: a bounded number, because each can be folded again from its journal.

Only the driver's thread uses ``Memory``. An execution that has ended stays until its end is durable.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from workflows.asl.answers import ChildExecution
from workflows.asl.interpreter import interpreter
from workflows.asl.interpreter.execution import Execution
from workflows.asl.interpreter.interpreter import SignalResult
from workflows.asl.json_text import from_text
from workflows.asl.reading import definition
from workflows.asl.reading.states import Definition
from workflows.asl.signals import JSON, ExecutionStatus, Signal, Started
from workflows.embedded import arns
from workflows.embedded.step_functions.journal import ExecutionRow, Journal
from workflows.embedded.step_functions.rounds import Refusal

log = logging.getLogger(__name__)


class JournalUnreadable(Refusal):
    """An execution cannot be folded: its journal or its definition was not written by this program."""


@dataclass(slots=True, eq=False)
class RunningExecution:
    """An execution in memory.

    ``row.id`` is 0 for an Express execution, which has no journal. ``unwritten`` counts the signals that are not
    durable yet; until it is 0 the execution cannot be folded from its journal.
    """

    row: ExecutionRow
    definition: Definition
    execution: Execution | None = None
    seq: int = 0
    state_entries: int = 0
    unwritten: int = 0

    @property
    def journaled(self) -> bool:
        return self.row.id > 0

    @property
    def over(self) -> bool:
        return self.row.status is not ExecutionStatus.RUNNING

    def step(self, signal: Signal) -> SignalResult:
        """Apply a signal."""
        step = interpreter.apply(self.definition, self.execution, signal)
        self.execution = step.execution
        self.seq += step.settled
        self.state_entries += step.states_entered
        return step


class Definitions:
    """Parsed definitions by the hash of their text. There are only a few."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._parsed: dict[str, Definition] = {}

    def add(self, parsed: Definition) -> None:
        """Store a definition durably before executions run it."""
        self._journal.keep_definition(parsed.digest, parsed.text)
        self._parsed[parsed.digest] = parsed

    def of(self, row: ExecutionRow) -> Definition:
        """Return the definition that an execution began with; the machine's may have changed since."""
        if row.definition not in self._parsed:
            text = self._journal.definition(row.definition)
            parsed = definition.parse(text, name=row.machine, can_call=lambda _: True)  # checked when it was stored
            self._parsed[row.definition] = parsed
        return self._parsed[row.definition]


def steps(
    journal: Journal, definitions: Definitions, row: ExecutionRow
) -> Iterator[tuple[RunningExecution, SignalResult]]:
    """Fold an execution from its journal. Yields it after each signal. Raises JournalUnreadable."""
    try:
        running = RunningExecution(row, definitions.of(row))
        for signal in journal.signals(row.id):
            yield running, running.step(signal)
    except Exception as error:
        raise JournalUnreadable(f"{row.arn} cannot be read from its journal: {error}") from error


def steps_or_log(
    journal: Journal, definitions: Definitions, row: ExecutionRow
) -> Iterator[tuple[RunningExecution, SignalResult]]:
    """Fold an execution as ``steps`` does, and log one that cannot be read. Raises JournalUnreadable."""
    try:
        yield from steps(journal, definitions, row)
    except JournalUnreadable as error:
        cause = error.__cause__
        log.error("an execution cannot be read and does not continue", exc_info=cause, extra={"execution": row.arn})
        raise


def first_signal(row: ExecutionRow, seed: str, role_arn: str = "") -> Started:
    """Return the first signal of an execution."""
    return Started(
        at=row.started_at,
        seed=seed,
        input=from_text(row.input),
        execution_arn=row.arn,
        execution_name=row.name,
        machine_arn=arns.machine_arn(row.machine),
        machine_name=row.machine,
        role_arn=role_arn,
    )


def as_child(row: ExecutionRow, output: JSON = None) -> ChildExecution:
    """Return an execution in the form that its parent gets."""
    return ChildExecution(
        execution_arn=row.arn,
        machine_arn=arns.machine_arn(row.machine),
        name=row.name,
        input=row.input,
        started_at=row.started_at,
        status=row.status,
        output=output,
        error=row.error,
        cause=row.cause,
        stopped_at=row.stopped_at,
    )


class Memory:
    """Executions by ARN. The most recently used are kept."""

    def __init__(self, journal: Journal, definitions: Definitions, executions_max: int) -> None:
        self._journal = journal
        self._definitions = definitions
        self._executions_max = executions_max
        self._journaled: OrderedDict[str, RunningExecution] = OrderedDict()  # least recently used first
        self._express: dict[str, RunningExecution] = {}

    def __len__(self) -> int:
        return len(self._journaled) + len(self._express)

    def add(self, running: RunningExecution) -> None:
        """Keep an execution that has just begun."""
        (self._journaled if running.journaled else self._express)[running.row.arn] = running

    def find(self, arn: str) -> ExecutionRow | None:
        """Return the row of an execution that runs or has ended."""
        running = self._journaled.get(arn)
        return running.row if running else self._journal.find(arn)

    def running(self, arn: str) -> RunningExecution | None:
        """Return an execution unless it has ended; it is folded from its journal if it is not in memory.

        Raises JournalUnreadable.
        """
        running = self._express.get(arn) or self._journaled.get(arn) or self._folded(arn)
        if running is None or running.over:
            return None
        if running.journaled:
            self._journaled.move_to_end(arn)
        return running

    def running_or_ended(self, arn: str) -> RunningExecution | None:
        """Return a journaled execution, from memory or folded from its journal.

        Raises JournalUnreadable.
        """
        running = self._journaled.get(arn)
        if running is not None:
            return running
        row = self._journal.find(arn)
        folded = [each for each, _ in steps_or_log(self._journal, self._definitions, row)] if row is not None else []
        return folded[-1] if folded else None

    def forget(self, running: RunningExecution) -> None:
        """Drop an execution whose end is durable."""
        (self._journaled if running.journaled else self._express).pop(running.row.arn, None)

    def evict(self) -> None:
        """Drop the least recently used executions whose signals are all durable."""
        surplus = len(self._journaled) - self._executions_max
        if surplus > 0:
            idle = [arn for arn, running in self._journaled.items() if running.unwritten == 0]
            for arn in idle[:surplus]:
                del self._journaled[arn]

    def _folded(self, arn: str) -> RunningExecution | None:
        row = self._journal.find(arn)
        if row is None or row.status is not ExecutionStatus.RUNNING:
            return None
        folded = [running for running, _ in steps_or_log(self._journal, self._definitions, row)]
        if not folded:
            return None
        self._journaled[arn] = folded[-1]
        return folded[-1]
