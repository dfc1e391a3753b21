"""The operations on executions and task tokens, one method each: from its parameters to its result, both JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NoReturn
from uuid import uuid4

from workflows.asl.interpreter.history import HistoryEvent
from workflows.asl.reading.integrations import qualified_name
from workflows.asl.signals import JSON, ExecutionStatus
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    StepFunctionsRefusal,
    execution_arn_of,
    input_of,
    invalid,
    json_of,
    machine_arn_of,
    refuse_metadata_only,
    refuse_parameters,
    text_of,
)
from workflows.embedded.step_functions.driver import Driver, ExecutionNotRedrivable, ExecutionUnknown, NameInvalid
from workflows.embedded.step_functions.journal import ExecutionRow
from workflows.embedded.step_functions.machines import MachineUnknown
from workflows.embedded.step_functions.pages import PAGE_MAX, limit_of, page_of, position_of, token_of
from workflows.embedded.step_functions.reports import Reports
from workflows.executions import TokenGone

_OF_DISTRIBUTED_MAPS = "PENDING_REDRIVE"  # a status that executions of distributed Maps alone can have
_BILLED_MS = 100  # the unit in which AWS bills Express executions


class ExecutionOperations:
    """Works on one driver. Threads share it."""

    def __init__(self, driver: Driver, reports: Reports) -> None:
        self._driver = driver
        self._reports = reports
        self._last_history: tuple[tuple[str, int], Sequence[HistoryEvent]] = ("", 0), ()

    def by_name(self) -> Operations:
        """Return the operations by their names in the protocol."""
        return {
            "StartExecution": self._start_execution,
            "StartSyncExecution": self._start_sync_execution,
            "StopExecution": self._stop_execution,
            "RedriveExecution": self._redrive_execution,
            "SendTaskSuccess": self._send_task_success,
            "SendTaskFailure": self._send_task_failure,
            "SendTaskHeartbeat": self._send_task_heartbeat,
            "DescribeExecution": self._describe_execution,
            "ListExecutions": self._list_executions,
            "GetExecutionHistory": self._get_execution_history,
        }

    def _start_execution(self, parameters: Parameters) -> Result:
        input_ = input_of(parameters)
        row = self._started(parameters, input_)
        if row.status is not ExecutionStatus.RUNNING or json.loads(row.input) != input_:
            raise StepFunctionsRefusal("ExecutionAlreadyExists", f"Execution Already Exists: '{row.arn}'")
        return {"executionArn": row.arn, "startDate": row.started_at}

    def _start_sync_execution(self, parameters: Parameters) -> Result:
        """Run an Express execution to its end. A failure is a result with a status, as at AWS."""
        refuse_metadata_only(parameters)
        row = self._started(parameters, input_of(parameters), sync=True)
        self._driver.ended(row.arn).result()  # an Express execution has a time limit
        described = self._reports.describe(row.arn)
        took_ms = (described["stopDate"] - described["startDate"]).total_seconds() * 1000
        billed_ms = max(1, -int(-took_ms // _BILLED_MS)) * _BILLED_MS
        billing = {"billedDurationInMilliseconds": billed_ms, "billedMemoryUsedInMB": 64}
        return {**described, "billingDetails": billing}

    def _started(self, parameters: Parameters, input_: JSON, *, sync: bool = False) -> ExecutionRow:
        machine, name = machine_arn_of(parameters), parameters.get("name") or str(uuid4())
        try:
            if sync and not self._driver.is_express(machine):
                raise _type_not_supported()
            return self._driver.start_execution(machine, name, input_, parameters.get("input"))
        except MachineUnknown:
            _no_machine(machine)
        except NameInvalid as error:
            raise StepFunctionsRefusal("InvalidName", f"Invalid Name: '{name}' ({error})") from error

    def _stop_execution(self, parameters: Parameters) -> Result:
        arn = execution_arn_of(parameters)
        try:
            self._driver.stop_execution(arn, parameters.get("error", ""), parameters.get("cause", ""))
        except ExecutionUnknown:
            self._described(arn)  # an execution that has ended may be stopped again; an unknown one may not
        return {"stopDate": self._described(arn).get("stopDate", datetime.now(UTC))}

    def _redrive_execution(self, parameters: Parameters) -> Result:
        arn = execution_arn_of(parameters)
        try:
            self._driver.redrive_execution(arn)
        except ExecutionUnknown:
            _no_execution(arn)
        except ExecutionNotRedrivable as error:
            raise StepFunctionsRefusal("ExecutionNotRedrivable", str(error)) from error
        return {"redriveDate": self._described(arn)["redriveDate"]}

    def _send_task_success(self, parameters: Parameters) -> Result:
        output = json_of(text_of(parameters, "output"), "InvalidOutput", "Invalid Output")
        return _settled(parameters, lambda token: self._driver.succeed(token, output))

    def _send_task_failure(self, parameters: Parameters) -> Result:
        error, cause = parameters.get("error", ""), parameters.get("cause", "")
        return _settled(parameters, lambda token: self._driver.fail(token, error, cause))

    def _send_task_heartbeat(self, parameters: Parameters) -> Result:
        return _settled(parameters, self._driver.heartbeat)

    def _describe_execution(self, parameters: Parameters) -> Result:
        refuse_metadata_only(parameters)
        return self._described(execution_arn_of(parameters))

    def _list_executions(self, parameters: Parameters) -> Result:
        refuse_parameters(parameters, "mapRunArn", "redriveFilter")
        machine = machine_arn_of(parameters)
        if parameters.get("statusFilter") == _OF_DISTRIBUTED_MAPS:
            return {"executions": []}
        status = _status(parameters["statusFilter"]) if "statusFilter" in parameters else None
        try:
            if self._driver.is_express(machine):
                raise _type_not_supported()
        except MachineUnknown:
            if not self._reports.page(qualified_name(machine), None, 1, None)[0]:  # a deleted machine may have some
                _no_machine(machine)
        before = position_of("ListExecutions", parameters)
        page, last = self._reports.page(qualified_name(machine), status, limit_of(parameters), before)
        following = token_of("ListExecutions", parameters, last) if last is not None else {}
        return {"executions": page, **following}

    def _get_execution_history(self, parameters: Parameters) -> Result:
        arn = execution_arn_of(parameters)
        if parameters.get("includeExecutionData") is False:
            refuse_parameters(parameters, "includeExecutionData")
        try:
            events = self._history(arn)
        except LookupError:
            _no_execution(arn)
        reverse = bool(parameters.get("reverseOrder"))
        page, following = page_of(
            "GetExecutionHistory",
            parameters,
            events[::-1] if reverse else events,
            lambda event: event["id"],
            descending=reverse,
            default=PAGE_MAX,
        )
        return {"events": page, **following}

    def _history(self, arn: str) -> Sequence[HistoryEvent]:
        """Return a history. The last one is kept, because its next page follows; folding a long one takes a second."""
        version = arn, self._reports.history_length(arn)
        kept, events = self._last_history
        if kept != version:
            events = self._reports.history(arn)
            self._last_history = version, events
        return events

    def _described(self, arn: str) -> Result:
        try:
            return self._reports.describe(arn)
        except LookupError:
            _no_execution(arn)


def _settled(parameters: Parameters, settle: Callable[[str], None]) -> Result:
    token = text_of(parameters, "taskToken")
    try:
        token_execution(token)
        settle(token)
    except InvalidToken:
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'") from None
    except TokenGone:
        message = "Task Timed Out: 'Provided task does not exist anymore'"
        raise StepFunctionsRefusal("TaskTimedOut", message) from None
    return {}


def _no_machine(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'") from None


def _no_execution(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None


def _type_not_supported() -> StepFunctionsRefusal:
    message = "This operation is not supported by this type of state machine"
    return StepFunctionsRefusal("StateMachineTypeNotSupported", message)


def _status(name: str) -> ExecutionStatus:
    try:
        return ExecutionStatus(name)
    except ValueError as error:
        raise invalid(f"'statusFilter': {error}") from error
