"""One HTTP API on Powertools' resolver: strict reading before its validation, problem documents after it.

The resolver of Powertools keeps the request it serves in class and instance attributes, which is right on Lambda, where
a process serves one request at a time. Here one process serves many, so each thread sees its own request.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from domain.identifiers import OrderId
from handlers.http import callers, problems
from handlers.http.invalid import invalid_request, refused
from handlers.http.json_bodies import json_object
from handlers.http.preconditions import expected_versions
from handlers.http.refusals import MethodNotAllowed, NoSuchPath, RequestRefused
from workflows.orders.command_handling import Caller
from workflows.orders.permissions import Action
from workflows.orders.requests import Asked

logging.getLogger("aws_lambda_powertools").setLevel(logging.INFO)  # its DEBUG lines hold whole bodies: personal data


@dataclass(slots=True)
class _Request:
    """What Powertools keeps about the request it serves, and who calls."""

    event: APIGatewayProxyEventV2
    lambda_context: Any
    context: dict[str, Any] = field(default_factory=dict)
    caller: Caller | None = None


class Api(APIGatewayHttpResolver):
    """The routes of one function. ``open_paths`` need no caller."""

    def __init__(self, *, open_paths: frozenset[str] = frozenset()) -> None:
        self._request: ContextVar[_Request | None] = ContextVar("request", default=None)
        self._between_requests: dict[str, Any] = {}
        self._building = threading.Lock()
        self._built = False
        self.open_paths = open_paths
        super().__init__(enable_validation=True, debug=False)  # debug would show tracebacks to callers
        self._request_validation_middleware = _StrictRequests()  # type: ignore[no-untyped-call]  # untyped there
        self.exception_handler([RequestRefused, *problems.STATUS])(self._problem)
        self.exception_handler(RequestValidationError)(self._invalid)
        self.not_found(self._no_such_route)

    @property
    def event(self) -> Mapping[str, Any]:
        """The API Gateway event that is being served."""
        return self._serving.event.raw_event

    @property
    def caller(self) -> Caller:
        """Who calls. Raises RequestRefused."""
        serving = self._serving
        if serving.caller is None:
            serving.caller = callers.caller(self.event)
        return serving.caller

    def asked(self, action: Action, order_id: OrderId, key: str | None, if_match: str | None) -> Asked:
        """The caller's request to change an order, as its headers put it."""
        return Asked(
            action=action, order_id=order_id, caller=self.caller, key=key, if_match=expected_versions(if_match)
        )

    @property
    def _serving(self) -> _Request:
        request = self._request.get()
        assert request is not None, "only a request that is being served has an event and a caller"
        return request

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        self._build()
        token = self._request.set(_Request(APIGatewayProxyEventV2(dict(event)), context))
        try:
            return super().resolve(event, context)
        finally:
            self._request.reset(token)

    def _build(self) -> None:
        """Put the middlewares around every route once; Powertools does so on first use, twice when two threads meet."""
        if self._built:
            return
        with self._building:
            for route in self._static_routes + self._dynamic_routes:
                if not route._middleware_stack_built:
                    route._build_middleware_stack(router_middlewares=self._router_middlewares, app=self)
            self._built = True

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"^{}\Z") -> re.Pattern[str]:
        """Powertools ends a route with ``$``, which takes a line break, and leaves it out: %0a behind an order's id."""
        compiled: re.Pattern[str] = APIGatewayHttpResolver._compile_regex(rule, base_regex)
        return compiled

    # --- what Powertools keeps about a request -------------------------------------------------------------------

    @property
    def current_event(self) -> APIGatewayProxyEventV2:  # type: ignore[override]  # there an attribute of the class
        return self._serving.event

    @property
    def lambda_context(self) -> Any:  # type: ignore[override]  # likewise
        return self._serving.lambda_context

    @property
    def context(self) -> dict[str, Any]:
        request = self._request.get()
        return self._between_requests if request is None else request.context

    @context.setter
    def context(self, value: dict[str, Any]) -> None:
        self._between_requests = value

    # --- problems ------------------------------------------------------------------------------------------------

    def _problem(self, error: Exception) -> Response[str]:
        return problems.answer(error, self.current_event.path)

    def _invalid(self, error: RequestValidationError) -> Response[str]:
        return self._problem(invalid_request(error.errors()))

    def _no_such_route(self, _: NotFoundError) -> Response[str]:
        path = self.current_event.path
        routes = [*self._static_routes, *self._dynamic_routes]
        allowed = sorted({route.method for route in routes if route.rule.match(path)})
        if not allowed:
            return self._problem(NoSuchPath("There is nothing at this path."))
        methods = ", ".join(allowed)
        return self._problem(MethodNotAllowed(f"This path takes {methods}.", headers={"Allow": methods}))


class _StrictRequests(OpenAPIRequestValidationMiddleware):
    """Before Powertools validates: who calls, no query parameter that nobody reads, a body that is one JSON object."""

    def handler(self, app: Any, next_middleware: Any) -> Response[Any]:
        route = app.context["_route"]
        if route.openapi_path not in app.open_paths:
            _ = app.caller
        if route.dependant is not None:
            _check_query(app.event, [param.alias for param in route.dependant.query_params])
        return super().handler(app, next_middleware)

    def _get_body(self, app: Any) -> dict[str, Any]:
        return json_object(app.event)


def _check_query(event: Mapping[str, Any], known: list[str]) -> None:
    sent: MutableMapping[str, Any] = event.get("queryStringParameters") or {}
    unknown = sorted(set(sent) - set(known))
    if unknown:
        takes = f"takes {', '.join(known)}" if known else "takes none"
        errors = [(name[:64], f"is no query parameter here; this path {takes}") for name in unknown]
        raise refused(errors, HTTPStatus.BAD_REQUEST)
