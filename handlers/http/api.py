"""One HTTP API on Powertools' resolver: strict reading before its validation, problem documents after it.

Powertools keeps the request it serves in attributes of the resolver and its classes. That is right on Lambda, where a
process serves one request at a time. The embedded engine serves many in one process, so here each thread has its own.

``tests/handlers/test_powertools.py`` lists what is used or replaced of Powertools' private parts.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import OpenAPIRequestValidationMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from domain.identifiers import OrderId
from handlers.http import callers, problems
from handlers.http.invalid import invalid_request, unknown_parameters
from handlers.http.json_bodies import json_object
from handlers.http.preconditions import expected_versions
from handlers.http.refusals import MethodNotAllowed, NoSuchPath, RequestRefused
from workflows.orders.command_handling import Caller
from workflows.orders.permissions import Action
from workflows.orders.requests import OrderRequest

logging.getLogger("aws_lambda_powertools").setLevel(logging.INFO)  # its DEBUG lines hold whole bodies: personal data


@dataclass(slots=True)
class _ServedRequest:
    """What Powertools keeps about the request it serves, and the caller."""

    event: APIGatewayProxyEventV2
    lambda_context: Any
    context: dict[str, Any] = field(default_factory=dict)
    caller: Caller | None = None


class Api(APIGatewayHttpResolver):
    """The routes of one function. HEAD is served by the route of GET; the front leaves the body out."""

    def __init__(self, *, open_paths: frozenset[str] = frozenset()) -> None:
        """Args: open_paths: Paths that need no caller."""
        self._served: ContextVar[_ServedRequest | None] = ContextVar("served", default=None)
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
        """The caller of the request that is being served.

        Raises:
            RequestRefused: The request carries no usable token.
        """
        serving = self._serving
        if serving.caller is None:
            serving.caller = callers.caller(self.event)
        return serving.caller

    def order_request(self, action: Action, order_id: OrderId, key: str | None, if_match: str | None) -> OrderRequest:
        """Make the caller's request to change an order from the values of its headers."""
        expected = expected_versions(if_match)
        return OrderRequest(action=action, order_id=order_id, caller=self.caller, key=key, if_match=expected)

    @property
    def _serving(self) -> _ServedRequest:
        served = self._served.get()
        assert served is not None, "only a request that is being served has an event and a caller"
        return served

    def resolve(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Serve one API Gateway event; return the response in payload format 2.0."""
        self._build()
        token = self._served.set(_ServedRequest(APIGatewayProxyEventV2(_head_as_get(event)), context))
        try:
            return super().resolve(event, context)
        finally:
            self._served.reset(token)

    def _build(self) -> None:
        """Wrap every route in its middlewares, once. Powertools does so on first use: twice if two threads meet."""
        if self._built:
            return
        with self._building:
            for route in self._static_routes + self._dynamic_routes:
                if not route._middleware_stack_built:
                    route._build_middleware_stack(router_middlewares=self._router_middlewares, app=self)
            self._built = True

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = r"^{}\Z") -> re.Pattern[str]:
        """Compile a route's path. Powertools ends it with ``$``, which also matches before ``%0a`` behind an id."""
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
        served = self._served.get()
        return self._between_requests if served is None else served.context

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
        methods = {route.method for route in routes if route.rule.match(path)}
        if not methods:
            return self._problem(NoSuchPath("There is nothing at this path."))
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        return self._problem(MethodNotAllowed(f"This path takes {allowed}.", headers={"Allow": allowed}))


class _StrictRequests(OpenAPIRequestValidationMiddleware):
    """Before Powertools validates: a known caller, no unknown query parameter, and a body that is one JSON object."""

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
    unknown = sorted(set(event.get("queryStringParameters") or {}) - set(known))
    if unknown:
        raise unknown_parameters(unknown, known)


def _head_as_get(event: Mapping[str, Any]) -> dict[str, Any]:
    context = event["requestContext"]
    if context["http"]["method"] != "HEAD":
        return dict(event)
    return {**event, "requestContext": {**context, "http": {**context["http"], "method": "GET"}}}
