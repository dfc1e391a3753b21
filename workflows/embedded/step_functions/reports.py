"""Reads executions: the results of DescribeExecution, ListExecutions and GetExecutionHistory, and the state entries.

Also works on a read-only database beside a running engine. It sees only what is durable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.signals import ExecutionStatus, Started
from workflows.embedded import arns
from workflows.embedded.step_functions.journal import ExecutionRow, Journal
from workflows.embedded.step_functions.running import Definitions, steps_or_log


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEntries:
    """States entered, which AWS charges for. A retry of a state is not counted here."""

    standard: int
    express: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDefinition:
    """The machine that an execution began with: its name, the text of its definition, and its role."""

    machine: str
    text: str
    role_arn: str
    started_at: datetime


class Reports:
    """Reads executions by ARN; ``arns.execution_arn(machine, name)`` gives the ARN of a name."""

    def __init__(self, journal: Journal, definitions: Definitions) -> None:
        self._journal = journal
        self._definitions = definitions

    def describe(self, arn: str) -> dict[str, Any]:
        """Return what DescribeExecution returns, in boto3's shape. Raises LookupError."""
        row = self._row(arn)
        described: dict[str, Any] = {
            **self._listed([row])[0],
            "input": row.input,
            "inputDetails": {"included": True},
            "output": row.output,
            "outputDetails": {"included": True} if row.output is not None else None,
            "error": row.error if row.status is not ExecutionStatus.TIMED_OUT else None,
            "cause": row.cause,
            **self._redrives(row),
        }
        return {name: value for name, value in described.items() if value is not None}

    def latest(
        self, machine: str | None = None, status: ExecutionStatus | None = None, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Return what ListExecutions returns: the executions that began last, newest first."""
        return [_summary(row) for row in self._journal.latest(machine, status, limit)]

    def page(
        self, machine: str, status: ExecutionStatus | None, limit: int, before: int | None
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return a page of ListExecutions, and the ``before`` of the next one; None if this is the last.

        Args:
            machine: A name, with a version or an alias for the executions that were started by it.
        """
        name, _, qualifier = machine.partition(":")
        rows = self._journal.latest(name, status, limit + 1, before=before, qualifier=qualifier or None)
        return self._listed(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None

    def definition_of(self, arn: str) -> RunDefinition:
        """Return what an execution runs; its machine may have changed since. Raises LookupError."""
        row = self._row(arn)
        first = self._journal.signals(row.id)[0]
        return RunDefinition(
            machine=row.machine,
            text=self._journal.definition(row.definition),
            role_arn=first.role_arn if isinstance(first, Started) else "",
            started_at=row.started_at,
        )

    def history(self, arn: str) -> list[HistoryEvent]:
        """Return the events of GetExecutionHistory, by folding the journal again. Raises LookupError."""
        row = self._row(arn)
        return [event for _, step in steps_or_log(self._journal, self._definitions, row) for event in step.events]

    def history_length(self, arn: str) -> int:
        """Return a number that grows with the history, and costs less to read. Raises LookupError."""
        return self._journal.length(self._row(arn).id)

    def state_entries(self, arn_or_name: str) -> StateEntries:
        """Count for the executions of this ARN, name or name prefix before ``-``, and for all that they started."""
        count: Counter[bool] = Counter()
        for row in self._journal.family(arn_or_name):
            count[row.express] += row.state_entries or self._entered_so_far(row)
            count[True] += row.express_entries
        return StateEntries(standard=count[False], express=count[True])

    def _entered_so_far(self, row: ExecutionRow) -> int:
        return max(
            (running.state_entries for running, _ in steps_or_log(self._journal, self._definitions, row)), default=0
        )

    def _redrives(self, row: ExecutionRow) -> dict[str, Any]:
        if row.express:
            return {}
        at = self._journal.redrives(row.id)
        if row.status in (ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED):
            reason = f"Execution is {row.status.value} and cannot be redriven"
            status = {"redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": reason}
        else:
            status = {"redriveStatus": "REDRIVABLE"}
        return {"redriveCount": len(at), "redriveDate": at[-1] if at else None, **status}

    def _listed(self, rows: Sequence[ExecutionRow]) -> list[dict[str, Any]]:
        """Return what ListExecutions returns of each, with its version and alias if it was started by those."""
        versions = self._journal.versions_of([row.id for row in rows])
        return [{**_summary(row), **_qualified(row.machine, *versions.get(row.id, ("", "")))} for row in rows]

    def _row(self, arn: str) -> ExecutionRow:
        row = self._journal.find(arn)
        if row is None:
            raise LookupError(f"there is no execution {arn}")
        return row


def _qualified(machine: str, version: str, alias: str) -> dict[str, str]:
    arns_of = {"stateMachineVersionArn": version, "stateMachineAliasArn": alias}
    return {key: arns.qualified_machine_arn(machine, name) for key, name in arns_of.items() if name}


def _summary(row: ExecutionRow) -> dict[str, Any]:
    listed = {
        "executionArn": row.arn,
        "stateMachineArn": arns.machine_arn(row.machine),
        "name": row.name,
        "status": row.status.value,
        "startDate": row.started_at,
        "stopDate": row.stopped_at,
    }
    return {name: value for name, value in listed.items() if value is not None}
