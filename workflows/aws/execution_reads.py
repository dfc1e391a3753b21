"""Reads executions at Step Functions.

DescribeExecution has a quota of 15 requests a second in large regions, GetExecutionHistory of 20, and
DescribeStateMachineForExecution of 1; see docs/deploying.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from workflows.aws.transient_errors import transient_as
from workflows.executions import (
    DescribedExecution,
    ExecutionEvents,
    ExecutionsUnavailable,
    MachineDefinition,
    NoSuchExecution,
)

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctionsReads:
    """Implements ``ExecutionReads``."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client
        errors = client.exceptions
        self._unknown = (errors.ExecutionDoesNotExist, errors.InvalidArn, errors.InvalidToken)

    def describe(self, *, machine: str, name: str) -> DescribedExecution:
        with self._asking():
            described = self._client.describe_execution(executionArn=_arn(machine, name))
        return DescribedExecution(
            arn=described["executionArn"],
            status=described["status"],
            started_at=described["startDate"],
            stopped_at=described.get("stopDate"),
            error=described.get("error", ""),
            cause=described.get("cause", ""),
            definition=None,
        )

    def history(self, *, machine: str, name: str, limit: int, reverse: bool, cursor: str | None) -> ExecutionEvents:
        further: Any = {} if cursor is None else {"nextToken": cursor}
        with self._asking():
            page = self._client.get_execution_history(
                executionArn=_arn(machine, name), maxResults=limit, reverseOrder=reverse, **further
            )
        events: Any = page["events"]
        return ExecutionEvents(events=events, next=page.get("nextToken"))

    def definition(self, *, machine: str) -> MachineDefinition:
        with self._asking():
            return _read(self._client.describe_state_machine(stateMachineArn=machine)["definition"])

    def definition_of(self, *, machine: str, name: str) -> MachineDefinition:
        with self._asking():
            arn = _arn(machine, name)
            return _read(self._client.describe_state_machine_for_execution(executionArn=arn)["definition"])

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with transient_as(ExecutionsUnavailable):
                yield
        except self._unknown as error:
            raise NoSuchExecution(str(error)) from error


def _arn(machine: str, name: str) -> str:
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def _read(text: str) -> MachineDefinition:
    return MachineDefinition(raw=json.loads(text), digest=sha256(text.encode()).hexdigest())
