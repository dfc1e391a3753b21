"""One HTTP API: the routes of one Lambda function, with validated requests and problem documents.

API Gateway matches a request to a route of the template before it calls the function, and names the route in the event.
So no path is matched here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from domain.identifiers import OrderId
from handlers.http import callers, problems
from handlers.http.damaged_streams import DamagedStreams
from handlers.http.preconditions import expected_versions
from handlers.http.refusals import NoSuchPath
from handlers.http.responses import Response
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import ChainBroken
from workflows.orders.command_handling import Caller
from workflows.orders.permissions import Action
from workflows.orders.requests import OrderRequest
from workflows.tracing import trace_of_request, xray_header

if TYPE_CHECKING:
    from handlers.http.parameters import Parameters

_damaged = DamagedStreams()


@dataclass(frozen=True)
class Route:
    """One route.

    Attributes:
        path: As in the template, e.g. ``/orders/{order_id}``.
        function: Called with the arguments that its annotations describe.
        documentation: Of its operation in the OpenAPI document; None for a route that is not in it.
        public: It needs no token.
    """

    method: str
    path: str
    function: Callable[..., Response]
    documentation: Mapping[str, Any] | None
    public: bool

    @cached_property
    def parameters(self) -> Parameters:
        """Its parameters, read from the function by the first request."""
        from handlers.http.parameters import read_parameters

        return read_parameters(self.path, self.function)


@dataclass(slots=True)
class _ServedRequest:
    event: Mapping[str, Any]
    headers: Mapping[str, str]
    caller: Caller | None = None


_served: ContextVar[_ServedRequest] = ContextVar("served")


class Api:
    """The routes of one function, by method and path. HEAD is served by the route of GET; the front drops the body."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}

    def add(
        self,
        method: str,
        path: str,
        function: Callable[..., Response],
        documentation: Mapping[str, Any] | None = None,
        *,
        public: bool = False,
    ) -> None:
        """Register a function for a route. A ``public`` route needs no token."""
        self.routes[f"{method} {path}"] = Route(method, path, function, documentation, public)

    def include(self, other: Api) -> None:
        """Serve the routes of another API too. Each of them may be kept in the module of its subject."""
        self.routes |= other.routes

    @property
    def caller(self) -> Caller:
        """The caller of the request that is being served.

        Raises:
            RequestRefused: The request carries no usable token.
        """
        served = _served.get()
        if served.caller is None:
            served.caller = callers.caller(served.event, served.headers)
        return served.caller

    @property
    def token_ends(self) -> datetime:
        """When the access token of the request that is being served expires."""
        return callers.token_ends(_served.get().event)

    def order_request(self, action: Action, order_id: OrderId, key: str | None, if_match: str | None) -> OrderRequest:
        """Make the caller's request to change an order from the values of its headers."""
        expected = expected_versions(if_match)
        return OrderRequest(action=action, order_id=order_id, caller=self.caller, key=key, if_match=expected)

    def resolve(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Serve one event of API Gateway; return the response in payload format 2.0, with the trace of the request.

        Raises:
            Exception: A bug. API Gateway answers 500.
        """
        headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        token = _served.set(_ServedRequest(event, headers))
        try:
            response = self._answer(event, headers)
        except problems.REFUSALS as error:
            response = problems.answer(error, str(event["rawPath"]))
            if isinstance(error, ChainBroken | Undecodable):
                _damaged.log(error)
        finally:
            _served.reset(token)
        result = response.result(headers.get("accept-encoding", ""))
        if trace := trace_of_request(headers):
            result["headers"]["X-Amzn-Trace-Id"] = xray_header(trace)
        return result

    def _answer(self, event: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
        method, _, path = str(event["routeKey"]).partition(" ")
        route = self.routes.get(f"{'GET' if method == 'HEAD' else method} {path}")
        if route is None or not str(event["rawPath"]).isprintable():  # ``%0a`` behind a path makes it another path
            raise NoSuchPath("There is nothing at this path.")
        if not route.public:
            _ = self.caller
        return route.function(**route.parameters.arguments(event, headers))
