"""The embedded engine behind Step Functions' own protocol, on 127.0.0.1, for programs that know only that one.

boto3's ``stepfunctions`` client works against it with ``endpoint_url`` (or ``AWS_ENDPOINT_URL_SFN``): starts, task
tokens, and what reports of executions need. Answers and errors are those of AWS; any other operation is refused by
name. Signatures are not checked: who reaches the port may use it.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn
from uuid import uuid4

from workflows.asl.reading.integrations import machine_name
from workflows.asl.signals import JSON, Status
from workflows.asl.tokens import InvalidToken, token_execution
from workflows.embedded.step_functions.driver import Driver, ExecutionUnknown, NameInvalid
from workflows.embedded.step_functions.machines import MachineUnknown
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.rounds import DriverStopped
from workflows.executions import TokenGone

log = logging.getLogger(__name__)

TARGET = "AWSStepFunctions."
PAGE_MAX = 1000
"""The most executions or events in one answer, as at AWS. There are no further pages: what is longer says so."""

_LOOK_FOR_THE_END_S = 0.05

Asked = Mapping[str, Any]
Answered = dict[str, Any]


class StepFunctionsRefusal(Exception):
    """An error of the API: ``code`` is the name that clients see."""

    def __init__(self, code: str, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class StepFunctionsApi:
    """Serves a driver from now until ``close``. ``port`` 0 takes a free one; ``url`` says where."""

    def __init__(self, driver: Driver, reports: Reports, *, port: int = 0) -> None:
        operations = _Operations(driver, reports)
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _request_handler(operations.answer))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        serve = partial(self._server.serve_forever, _LOOK_FOR_THE_END_S)
        self._thread = threading.Thread(target=serve, name="step functions api", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections. Idempotent."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Operations:
    """One method an operation, from its JSON to its JSON."""

    def __init__(self, driver: Driver, reports: Reports) -> None:
        self._driver = driver
        self._reports = reports
        self._by_name: Mapping[str, Callable[[Asked], Answered]] = {
            "StartExecution": self._start_execution,
            "StopExecution": self._stop_execution,
            "SendTaskSuccess": self._send_task_success,
            "SendTaskFailure": self._send_task_failure,
            "SendTaskHeartbeat": self._send_task_heartbeat,
            "DescribeExecution": self._describe_execution,
            "ListExecutions": self._list_executions,
            "GetExecutionHistory": self._get_execution_history,
        }

    def answer(self, operation: str, asked: Asked) -> Answered:
        """Raises StepFunctionsRefusal."""
        found = self._by_name.get(operation)
        if found is None:
            known = ", ".join(self._by_name)
            raise StepFunctionsRefusal("UnknownOperationException", f"{operation!r} is not served here; {known} are")
        try:
            return found(asked)
        except DriverStopped as error:
            raise StepFunctionsRefusal("ServiceUnavailable", str(error), HTTPStatus.SERVICE_UNAVAILABLE) from error

    def _start_execution(self, asked: Asked) -> Answered:
        machine, name = _text(asked, "stateMachineArn"), asked.get("name") or str(uuid4())
        given = _json(asked.get("input", "{}"), "InvalidExecutionInput")
        try:
            row = self._driver.start_execution(machine, name, given)
        except MachineUnknown as error:
            raise StepFunctionsRefusal("StateMachineDoesNotExist", str(error)) from error
        except NameInvalid as error:
            raise StepFunctionsRefusal("InvalidName", str(error)) from error
        if row.status is not Status.RUNNING or json.loads(row.input) != given:
            raise StepFunctionsRefusal("ExecutionAlreadyExists", f"Execution Already Exists: '{row.arn}'")
        return {"executionArn": row.arn, "startDate": row.started_at}

    def _stop_execution(self, asked: Asked) -> Answered:
        arn = _text(asked, "executionArn")
        try:
            self._driver.stop_execution(arn, asked.get("error", ""), asked.get("cause", ""))
        except ExecutionUnknown:
            self._described(arn)  # to stop what has ended is no error, to stop what never was is one
        return {"stopDate": self._described(arn).get("stopDate", datetime.now(UTC))}

    def _send_task_success(self, asked: Asked) -> Answered:
        output = _json(_text(asked, "output"), "InvalidOutput")
        return _settled(asked, lambda token: self._driver.succeed(token, output))

    def _send_task_failure(self, asked: Asked) -> Answered:
        error, cause = asked.get("error", ""), asked.get("cause", "")
        return _settled(asked, lambda token: self._driver.fail(token, error, cause))

    def _send_task_heartbeat(self, asked: Asked) -> Answered:
        return _settled(asked, self._driver.heartbeat)

    def _describe_execution(self, asked: Asked) -> Answered:
        return self._described(_text(asked, "executionArn"))

    def _list_executions(self, asked: Asked) -> Answered:
        machine = machine_name(_text(asked, "stateMachineArn"))
        status = _status(asked["statusFilter"]) if "statusFilter" in asked else None
        return {"executions": self._reports.latest(machine, status, min(asked.get("maxResults") or 100, PAGE_MAX))}

    def _get_execution_history(self, asked: Asked) -> Answered:
        arn = _text(asked, "executionArn")
        try:
            events = self._reports.history(arn)
        except LookupError:
            _no_execution(arn)
        if len(events) > PAGE_MAX:
            raise StepFunctionsRefusal("ValidationException", f"{len(events)} events: more than one page, not served")
        return {"events": events[::-1] if asked.get("reverseOrder") else events}

    def _described(self, arn: str) -> Answered:
        try:
            return self._reports.describe(arn)
        except LookupError:
            _no_execution(arn)


def _settled(asked: Asked, settle: Callable[[str], None]) -> Answered:
    token = _text(asked, "taskToken")
    try:
        token_execution(token)
        settle(token)
    except InvalidToken:
        raise StepFunctionsRefusal("InvalidToken", "Invalid Token: 'Invalid token'") from None
    except TokenGone:
        message = "Task Timed Out: 'Provided task does not exist anymore'"
        raise StepFunctionsRefusal("TaskTimedOut", message) from None
    return {}


def _no_execution(arn: str) -> NoReturn:
    raise StepFunctionsRefusal("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'") from None


def _status(name: str) -> Status:
    try:
        return Status(name)
    except ValueError as error:
        raise StepFunctionsRefusal("ValidationException", f"'statusFilter': {error}") from error


def _text(asked: Asked, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise StepFunctionsRefusal("ValidationException", f"'{name}' must be a text of at least one character")
    return value


def _object(body: bytes) -> Asked:
    asked = _json(body.decode(errors="replace") or "{}", "SerializationException")
    if not isinstance(asked, dict):
        raise StepFunctionsRefusal("SerializationException", "a request is a JSON object")
    return asked


def _json(text: str, code: str) -> JSON:
    try:
        value: JSON = json.loads(text)
    except ValueError as error:
        raise StepFunctionsRefusal(code, f"Invalid JSON: {error}") from error
    return value


def _request_handler(answer: Callable[[str, Asked], Answered]) -> type[BaseHTTPRequestHandler]:
    class RequestHandler(BaseHTTPRequestHandler):
        """A thread a connection; a connection serves one request after the other."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # header and body leave in one packet

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                operation = self.headers.get("X-Amz-Target", "").removeprefix(TARGET)
                self._send(HTTPStatus.OK, answer(operation, _object(body)))
            except StepFunctionsRefusal as refusal:
                self._send(refusal.status, {"__type": refusal.code, "message": str(refusal)})
            except Exception as error:
                log.exception("a request broke the Step Functions API")
                said = {"__type": "InternalServerError", "message": type(error).__name__}
                self._send(HTTPStatus.INTERNAL_SERVER_ERROR, said)

        def _send(self, status: HTTPStatus, said: Answered) -> None:
            body = json.dumps(said, default=datetime.timestamp).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            log.debug(format, *args)

    return RequestHandler
