"""Reads executions for the functions of the API, from the journal: what Step Functions' API returns on AWS."""

from __future__ import annotations

from collections.abc import Mapping

from workflows.asl.reading.integrations import machine_name
from workflows.asl.reading.states import Definition
from workflows.embedded import arns
from workflows.embedded.step_functions.journal import ExecutionRow, Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.executions import DescribedExecution, ExecutionEvents, MachineDefinition, NoSuchExecution


class JournalReads:
    """Implements ``ExecutionReads``. Any thread may use it; it sees only what is durable."""

    def __init__(
        self, journal: Journal, definitions: Definitions, reports: Reports, machines: Mapping[str, Machine]
    ) -> None:
        self._journal = journal
        self._definitions = definitions
        self._reports = reports
        self._machines = machines

    def describe(self, *, machine: str, name: str) -> DescribedExecution:
        row = self._row(machine, name)
        return DescribedExecution(
            arn=row.arn,
            status=row.status.value,
            started_at=row.started_at,
            stopped_at=row.stopped_at,
            error=row.error or "",
            cause=row.cause or "",
            definition=row.definition,
        )

    def history(self, *, machine: str, name: str, limit: int, reverse: bool, cursor: str | None) -> ExecutionEvents:
        events = self._reports.history(self._row(machine, name).arn)
        if reverse:
            events.reverse()
        begin = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 0
        if cursor is not None and not 0 < begin < len(events):
            raise NoSuchExecution(f"{cursor} is not a cursor of execution {name}")
        page = events[begin : begin + limit]
        return ExecutionEvents(events=page, next=str(begin + limit) if begin + limit < len(events) else None)

    def definition(self, *, machine: str) -> MachineDefinition:
        return _read(self._machines[machine_name(machine)].definition)

    def definition_of(self, *, machine: str, name: str) -> MachineDefinition:
        return _read(self._definitions.of(self._row(machine, name)))

    def _row(self, machine: str, name: str) -> ExecutionRow:
        row = self._journal.find(arns.execution_arn(machine_name(machine), name))
        if row is None:
            raise NoSuchExecution(f"there is no execution {name}")
        return row


def _read(definition: Definition) -> MachineDefinition:
    return MachineDefinition(raw=definition.raw, digest=definition.digest)
