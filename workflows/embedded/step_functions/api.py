"""Serves AWS Step Functions' own protocol on 127.0.0.1, for programs that know only that one.

boto3's ``stepfunctions`` client works against it with ``endpoint_url`` (or ``AWS_ENDPOINT_URL_SFN``): it starts and
stops executions, settles task tokens, and describes and lists executions. Results and errors are those of AWS; other
operations are refused by name. Signatures are not checked: every process that reaches the port may use it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn
from uuid import uuid4

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.picklable import Picklable
from workflows.asl.reading.integrations import machine_name
from workflows.asl.signals import JSON, ExecutionStatus
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.embedded.http.requests import BodyTooLarge, read_body
from workflows.embedded.http.server import HttpServer
from workflows.embedded.step_functions.driver import Driver, ExecutionUnknown, NameInvalid
from workflows.embedded.step_functions.machines import MachineUnknown
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.rounds import DriverStopped
from workflows.executions import TokenGone

TARGET = "AWSStepFunctions."
PAGE_MAX = 1000
"""The most executions or events in one response, as at AWS. Of a list of executions no further pages are served."""

BODY_BYTES_MAX = 1_048_576
"""The request quota of Step Functions."""

Parameters = Mapping[str, Any]
Result = dict[str, Any]


class StepFunctionsRefusal(Picklable, Exception):
    """An error of the API. ``code`` is the name that clients match on."""

    def __init__(self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class StepFunctionsApi:
    """Serves a driver from now until ``close``, at ``url``."""

    def __init__(self, driver: Driver, reports: Reports, *, port: int = 0) -> None:
        """Raises PortTaken. ``port`` 0 takes a free one."""
        self._operations = _Operations(driver, reports)
        app = Starlette(routes=[Route("/", self._answer, methods=["POST"])], exception_handlers={Exception: _broken})
        self._server = HttpServer(app, port)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Finish the requests under way, then stop. Idempotent."""
        self._server.close()

    async def _answer(self, request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        try:
            parameters = _object(await read_body(request, BODY_BYTES_MAX))
            return _response(HTTPStatus.OK, await run_in_threadpool(self._operations.answer, operation, parameters))
        except BodyTooLarge as error:
            return _error("SerializationException", str(error), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except StepFunctionsRefusal as refusal:
            return _error(refusal.code, str(refusal), refusal.status)


def _response(status: HTTPStatus, result: Result) -> Response:
    body = json.dumps(result, default=datetime.timestamp)
    return Response(body, status.value, media_type="application/x-amz-json-1.0")


def _error(code: str, message: str, status: HTTPStatus) -> Response:
    return _response(status, {"__type": code, "message": message})


async def _broken(_request: Request, error: Exception) -> Response:
    return _error("InternalServerError", type(error).__name__, HTTPStatus.INTERNAL_SERVER_ERROR)  # uvicorn logs it


class _Operations:
    """One method an operation: from its parameters to its result, both JSON."""

    def __init__(self, driver: Driver, reports: Reports) -> None:
        self._driver = driver
        self._reports = reports
        self._by_name: Mapping[str, Callable[[Parameters], Result]] = {
            "StartExecution": self._start_execution,
            "StopExecution": self._stop_execution,
            "SendTaskSuccess": self._send_task_success,
            "SendTaskFailure": self._send_task_failure,
            "SendTaskHeartbeat": self._send_task_heartbeat,
            "DescribeExecution": self._describe_execution,
            "ListExecutions": self._list_executions,
            "GetExecutionHistory": self._get_execution_history,
        }

    def answer(self, operation: str, parameters: Parameters) -> Result:
        """Perform an operation. Raises StepFunctionsRefusal."""
        perform = self._by_name.get(operation)
        if perform is None:
            known = ", ".join(self._by_name)
            raise StepFunctionsRefusal("UnknownOperationException", f"{operation!r} is not served here; {known} are")
        try:
            return perform(parameters)
        except DriverStopped as error:
            raise StepFunctionsRefusal("ServiceUnavailable", str(error), HTTPStatus.SERVICE_UNAVAILABLE) from error

    def _start_execution(self, parameters: Parameters) -> Result:
        machine, name = _text(parameters, "stateMachineArn"), parameters.get("name") or str(uuid4())
        input_ = _json(parameters.get("input", "{}"), "InvalidExecutionInput")
        try:
            row = self._driver.start_execution(machine, name, input_)
        except MachineUnknown as error:
            raise StepFunctionsRefusal("StateMachineDoesNotExist", str(error)) from error
        except NameInvalid as error:
            raise StepFunctionsRefusal("InvalidName", str(error)) from error
        if row.status is not ExecutionStatus.RUNNING or json.loads(row.input) != input_:
            raise StepFunctionsRefusal("ExecutionAlreadyExists", f"Execution Already Exists: '{row.arn}'")
        return {"executionArn": row.arn, "startDate": row.started_at}

    def _stop_execution(self, parameters: Parameters) -> Result:
        arn = _text(parameters, "executionArn")
        try:
            self._driver.stop_execution(arn, parameters.get("error", ""), parameters.get("cause", ""))
        except ExecutionUnknown:
            self._described(arn)  # an execution that has ended may be stopped again; an unknown one may not
        return {"stopDate": self._described(arn).get("stopDate", datetime.now(UTC))}

    def _send_task_success(self, parameters: Parameters) -> Result:
        output = _json(_text(parameters, "output"), "InvalidOutput")
        return _settled(parameters, lambda token: self._driver.succeed(token, output))

    def _send_task_failure(self, parameters: Parameters) -> Result:
        error, cause = parameters.get("error", ""), parameters.get("cause", "")
        return _settled(parameters, lambda token: self._driver.fail(token, error, cause))

    def _send_task_heartbeat(self, parameters: Parameters) -> Result:
        return _settled(parameters, self._driver.heartbeat)

    def _describe_execution(self, parameters: Parameters) -> Result:
        return self._described(_text(parameters, "executionArn"))

    def _list_executions(self, parameters: Parameters) -> Result:
        machine = machine_name(_text(parameters, "stateMachineArn"))
        status = _status(parameters["statusFilter"]) if "statusFilter" in parameters else None
        return {"executions": self._reports.latest(machine, status, min(parameters.get("maxResults") or 100, PAGE_MAX))}

    def _get_execution_history(self, parameters: Parameters) -> Result:
        arn = _text(parameters, "executionArn")
        try:
            events = self._reports.history(arn)
        except LookupError:
            _no_execution(arn)
        if parameters.get("reverseOrder"):
            events.reverse()
        begin, limit = _page_start(parameters), min(parameters.get("maxResults") or PAGE_MAX, PAGE_MAX)
        page: Result = {"events": events[begin : begin + limit]}
        return page | ({"nextToken": str(begin + limit)} if begin + limit < len(events) else {})

    def _described(self, arn: str) -> Result:
        try:
            return self._reports.describe(arn)
        except LookupError:
            _no_execution(arn)


def _settled(parameters: Parameters, settle: Callable[[str], None]) -> Result:
    token = _text(parameters, "taskToken")
    try:
        token_execution(token)
        settle(token)
    except InvalidToken:
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'") from None
    except TokenGone:
        message = "Task Timed Out: 'Provided task does not exist anymore'"
        raise StepFunctionsRefusal("TaskTimedOut", message) from None
    return {}


def _page_start(parameters: Parameters) -> int:
    token = parameters.get("nextToken") or "0"
    if not re.fullmatch("[0-9]{1,5}", token):
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'")
    return int(token)


def _no_execution(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None


def _status(name: str) -> ExecutionStatus:
    try:
        return ExecutionStatus(name)
    except ValueError as error:
        raise StepFunctionsRefusal("ValidationException", f"'statusFilter': {error}") from error


def _text(parameters: Parameters, name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str) or not value:
        raise StepFunctionsRefusal("ValidationException", f"'{name}' must be a string of at least one character")
    return value


def _object(body: bytes) -> Parameters:
    parameters = _json(body.decode(errors="replace") or "{}", "SerializationException")
    if not isinstance(parameters, dict):
        raise StepFunctionsRefusal("SerializationException", "a request is a JSON object")
    return parameters


def _json(text: str, code: str) -> JSON:
    try:
        value: JSON = json.loads(text)
    except ValueError as error:
        raise StepFunctionsRefusal(code, f"Invalid JSON: {error}") from error
    return value
