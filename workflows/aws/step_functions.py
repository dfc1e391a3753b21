"""Executions at Step Functions.

Every call may be repeated, by botocore too, because a start is identified by its name and a settled task by its token.
A repeated start succeeds while the execution runs, and ``ExecutionAlreadyExists`` afterwards. A repeated use of
a token gets ``TaskTimedOut``, which becomes ``TokenGone``: the task no longer waits, which is true.

``ExecutionLimitExceeded`` (a million running) is transient.

An execution joins the order's trace, and Step Functions passes the trace on to the functions that it calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.asl.json_text import to_text
from workflows.asl.signals import JSON
from workflows.aws.transient_errors import transient_as
from workflows.executions import ExecutionsUnavailable, TokenGone
from workflows.tracing import current_trace, xray_header

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class StepFunctions:
    """Implements ``workflows.executions.Executions``. A machine is named by its ARN."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client
        errors = client.exceptions
        self._gone = (errors.TaskTimedOut, errors.TaskDoesNotExist, errors.InvalidToken)

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        try:
            with transient_as(ExecutionsUnavailable):
                trace = current_trace()
                header: Mapping[str, Any] = {} if trace is None else {"traceHeader": xray_header(trace)}
                self._client.start_execution(stateMachineArn=machine, name=name, input=to_text(input), **header)
        except self._client.exceptions.ExecutionAlreadyExists:
            return  # it runs with a differently written input, or it ended within the last 90 days

    def succeed(self, token: str, output: JSON) -> None:
        try:
            with transient_as(ExecutionsUnavailable):
                self._client.send_task_success(taskToken=token, output=to_text(output))
        except self._gone as error:
            raise TokenGone(str(error)) from error

    def fail(self, token: str, error: str, cause: str) -> None:
        try:
            with transient_as(ExecutionsUnavailable):
                self._client.send_task_failure(taskToken=token, error=error, cause=cause)
        except self._gone as gone:
            raise TokenGone(str(gone)) from gone
