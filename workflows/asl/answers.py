"""Answers to effects, in the shapes and words of AWS: pure builders for every driver of executions.

An answer is either the ``output`` of ``TaskSucceeded``, or a ``TaskError`` with the error and cause of ``TaskFailed``.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from workflows.asl.json_text import to_text, to_text_strictly
from workflows.asl.signals import JSON, ExecutionStatus, Mode


class TaskError(NamedTuple):
    """The ``error`` and ``cause`` of a ``TaskFailed`` signal."""

    error: str
    cause: str


class CallFailed(Exception):
    """Raised by a callable that stands for another system: the task fails with this error and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(error, cause)
        self.error = error
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExecution:
    """An execution that a task started. ``input`` is the JSON text it was started with."""

    execution_arn: str
    machine_arn: str
    name: str
    input: str
    started_at: datetime
    status: ExecutionStatus = ExecutionStatus.RUNNING
    output: JSON = None
    error: str | None = None
    cause: str | None = None
    stopped_at: datetime | None = None


def function_succeeded(payload: JSON) -> JSON:
    """Build Lambda's answer to Invoke. If the Resource is the function itself, the interpreter unwraps the payload."""
    return {"ExecutedVersion": "$LATEST", "Payload": payload, "StatusCode": 200}


def function_failed(exception: BaseException, request_id: str = "") -> TaskError:
    """Report an exception as Lambda's Python runtime does: the error is the name of its class.

    That of a ``CallFailed`` is the one it holds.
    """
    if isinstance(exception, CallFailed):
        return TaskError(exception.error, exception.cause)
    name = type(exception).__name__
    details: dict[str, JSON] = {"errorMessage": str(exception), "errorType": name, "requestId": request_id}
    details["stackTrace"] = traceback.format_tb(exception.__traceback__)
    return TaskError(name, to_text(details))


class MarshalError(Exception):
    """A function returned a value that is not JSON. Lambda reports Runtime.MarshalError."""


MarshalError.__name__ = "Runtime.MarshalError"


def function_result(value: object) -> JSON:
    """Return what a Python function returned as JSON. Bytes are the response itself, as for Lambda's runtime.

    Raises:
        MarshalError: It is not JSON.
    """
    try:
        result = json.loads(value) if isinstance(value, bytes) else value
        plain: JSON = json.loads(to_text_strictly(result))
    except (TypeError, ValueError, RecursionError) as error:
        raise MarshalError(f"Unable to marshal response: {error}") from None
    return plain


def without_own_frames(error: BaseException) -> BaseException:
    """Drop this program's frames from the traceback, as Lambda's runtime drops its own."""
    trace = error.__traceback__
    while trace is not None and _is_own(trace.tb_frame.f_globals.get("__name__", "")):
        trace = trace.tb_next
    return error.with_traceback(trace)


def _is_own(module: str) -> bool:
    return module.startswith(("workflows.", "concurrent.futures."))


def function_exited(code: object, request_id: str = "") -> TaskError:
    """Report that the function ended its process, e.g. with ``sys.exit``."""
    error = "Runtime.ExitError"
    details = {"errorMessage": f"Runtime exited with {code!r}", "errorType": error, "requestId": request_id}
    return TaskError(error, to_text({**details, "stackTrace": []}))


def function_timed_out(timeout_s: float, request_id: str = "") -> TaskError:
    """Report that the function ran longer than its own timeout."""
    message = f"RequestId: {request_id} Error: Task timed out after {timeout_s:.2f} seconds"
    return TaskError("Sandbox.Timedout", to_text({"errorType": "Sandbox.Timedout", "errorMessage": message}))


def function_missing(function: str) -> TaskError:
    """Report that there is no such function."""
    cause = f"Function not found: {function} (Service: Lambda, Status Code: 404, Request ID: 0)"
    return TaskError("Lambda.ResourceNotFoundException", cause)


def machine_missing(machine: str, mode: Mode) -> TaskError:
    """Report that there is no such state machine."""
    return _service_failure(mode, "StateMachineDoesNotExist", f"State Machine Does Not Exist: '{machine}'")


def name_taken(execution_arn: str, mode: Mode) -> TaskError:
    """Report that a Standard execution of that name runs with another input or has ended."""
    return _service_failure(mode, "ExecutionAlreadyExists", f"Execution Already Exists: '{execution_arn}'")


def name_invalid(name: str, mode: Mode) -> TaskError:
    """Report that an execution cannot have this name."""
    return _service_failure(mode, "InvalidName", f"Invalid Name: '{name}'")


def too_many_executions(mode: Mode) -> TaskError:
    """Report that no more executions may run, as AWS does above its quota of open executions."""
    message = "The maximum number of running executions has been reached"
    return _service_failure(mode, "ExecutionLimitExceeded", message)


def type_not_supported(machine: str, mode: Mode) -> TaskError:
    """Report a startSyncExecution of a Standard machine, or a ``.sync`` start of an Express one."""
    return _service_failure(mode, "StateMachineTypeNotSupported", f"This operation is not supported by '{machine}'")


def child_started(child: ChildExecution, mode: Mode) -> JSON:
    """Build the answer to REQUEST_RESPONSE and TOKEN, once the child has started."""
    return {"ExecutionArn": child.execution_arn, "StartDate": _date(child.started_at, mode)}


def child_ended(child: ChildExecution, mode: Mode) -> JSON | TaskError:
    """Build the answer to SYNC, SYNC_2 and EXPRESS. A failed EXPRESS child is a result with a status, not an error."""
    if mode is Mode.EXPRESS or child.status is ExecutionStatus.SUCCEEDED:
        return _described(child, mode)
    return TaskError("States.TaskFailed", to_text(_described(child, mode)))


def _described(child: ChildExecution, mode: Mode) -> dict[str, JSON]:
    succeeded = child.status is ExecutionStatus.SUCCEEDED
    parsed = mode is Mode.SYNC_2 and succeeded
    described: dict[str, JSON] = {
        "Cause": child.cause,
        "Error": child.error if child.status is not ExecutionStatus.TIMED_OUT else None,
        "ExecutionArn": child.execution_arn,
        "Input": json.loads(child.input) if parsed else child.input,
        "InputDetails": {"Included": True},
        "Name": child.name,
    }
    if succeeded:
        described["Output"] = child.output if parsed else to_text(child.output)
        described["OutputDetails"] = {"Included": True}
        if mode is not Mode.EXPRESS:
            described |= _NOT_REDRIVABLE
    described["StartDate"] = _date(child.started_at, mode)
    described["StateMachineArn"] = child.machine_arn
    described["Status"] = child.status.value
    if child.stopped_at is not None:
        described["StopDate"] = _date(child.stopped_at, mode)
    return {key: value for key, value in described.items() if value is not None or key in ("Input", "Output")}


_NOT_REDRIVABLE: Final[Mapping[str, JSON]] = {
    "RedriveCount": 0,
    "RedriveStatus": "NOT_REDRIVABLE",
    "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
}


def _date(at: datetime, mode: Mode) -> JSON:
    """Format a date: epoch milliseconds in the optimised integration, ISO 8601 text in the SDK integration."""
    if mode is Mode.EXPRESS:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return round(at.timestamp() * 1000)


_PREFIX: Final[Mapping[bool, str]] = {True: "Sfn", False: "StepFunctions"}


def _service_failure(mode: Mode, code: str, message: str) -> TaskError:
    service = "Sfn" if mode is Mode.EXPRESS else "AWSStepFunctions"
    cause = f"{message} (Service: {service}; Status Code: 400; Error Code: {code}; Request ID: 0; Proxy: null)"
    return TaskError(f"{_PREFIX[mode is Mode.EXPRESS]}.{code}Exception", cause)
