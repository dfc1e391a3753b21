"""Serves AWS Step Functions' own protocol on 127.0.0.1: for boto3, the AWS CLI and every other SDK.

boto3's ``stepfunctions`` client works against it with ``endpoint_url`` (or ``AWS_ENDPOINT_URL_SFN``). It serves the
executions and tokens of a driver; ``local_step_functions`` adds machines that clients create. Results and errors are
those of AWS; other operations are refused by name. Signatures are not checked: every process that reaches the port may
use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workflows.embedded.http.requests import BodyTooLarge, read_body
from workflows.embedded.http.server import HttpServer
from workflows.embedded.step_functions.api_requests import (
    Operations,
    Parameters,
    Result,
    StepFunctionsRefusal,
    object_of,
)
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.execution_operations import ExecutionOperations
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.request_shapes import checked
from workflows.embedded.step_functions.rounds import DriverStopped

TARGET = "AWSStepFunctions."

BODY_BYTES_MAX = 1_048_576
"""The request quota of Step Functions."""

LASTING = ("StartSyncExecution", "TestState")
"""Operations that wait for functions."""

LASTING_MAX = 200
"""Lasting operations at once; more wait. They take no thread from the others, whose calls may end them."""


class StepFunctionsApi:
    """Serves a driver from now until ``close``, at ``url``."""

    def __init__(self, driver: Driver, reports: Reports, *, more: Operations | None = None, port: int = 0) -> None:
        """Listen and start serving.

        Args:
            more: Operations beside those on executions and tokens, by name.
            port: 0 takes a free one.

        Raises:
            PortTaken: The port cannot be listened on.
        """
        self._operations: Operations = {**ExecutionOperations(driver, reports).by_name(), **(more or {})}
        self._lasting = CapacityLimiter(LASTING_MAX)
        app = Starlette(routes=[Route("/", self._answer, methods=["POST"])], exception_handlers={Exception: _broken})
        self._server = HttpServer(app, port)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def close(self) -> None:
        """Finish the requests under way, then stop. Idempotent."""
        self._server.close()

    async def _answer(self, request: Request) -> Response:
        operation = request.headers.get("x-amz-target", "").removeprefix(TARGET)
        try:
            parameters = checked(object_of(await read_body(request, BODY_BYTES_MAX)))
            limiter = self._lasting if operation in LASTING else None
            result = await to_thread.run_sync(self._perform, operation, parameters, limiter=limiter)
            return _response(HTTPStatus.OK, result)
        except BodyTooLarge as error:
            return _error("SerializationException", str(error), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except StepFunctionsRefusal as refusal:
            return _error(refusal.code, str(refusal), refusal.status)

    def _perform(self, operation: str, parameters: Parameters) -> Result:
        """Perform an operation. Raises StepFunctionsRefusal."""
        perform = self._operations.get(operation)
        if perform is None:
            known = ", ".join(sorted(self._operations))
            raise StepFunctionsRefusal("UnknownOperationException", f"{operation!r} is not served here; {known} are")
        try:
            return perform(parameters)
        except DriverStopped as error:
            raise StepFunctionsRefusal("ServiceUnavailable", str(error), HTTPStatus.SERVICE_UNAVAILABLE) from error


def _response(status: HTTPStatus, result: Mapping[str, Any]) -> Response:
    body = json.dumps(result, default=datetime.timestamp)
    return Response(body, status.value, media_type="application/x-amz-json-1.0")


def _error(code: str, message: str, status: HTTPStatus) -> Response:
    return _response(status, {"__type": code, "message": message})


async def _broken(_request: Request, error: Exception) -> Response:
    return _error("InternalServerError", type(error).__name__, HTTPStatus.INTERNAL_SERVER_ERROR)  # uvicorn logs it
