"""Routes that change one order. Only the body and what is done with it differ from route to route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import FunctionType
from typing import Any, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel

from domain.money import Money
from domain.order.events import Fact
from handlers.http.answers import order_written, written_minimally
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.models import OfferBody, TicketBody
from handlers.http.preconditions import IfMatch, OptionalKey, Prefer, prefers_minimal
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import EVENT_TYPES, engine, settings
from workflows.incidents.approval_limits import limit_for, read_limits
from workflows.orders.permissions import Action
from workflows.orders.requests import OrderRequest, report

MakeFact: TypeAlias = Callable[[int, datetime], Fact]
"""Makes the fact to record from the version of the ticket or offer that it answers, and its time."""

Body = TypeVar("Body", bound=BaseModel)
Report = TypeVar("Report", bound=TicketBody | OfferBody)


def order_write(
    api: Api, path: str, action: Action, *, tag: str, answers: str = "OrderJson"
) -> Callable[[Callable[[OrderRequest, Body], Response]], Callable[..., Response]]:
    """Register ``POST path`` for a function of the caller's request and the request's body.

    Args:
        path: Contains ``{order_id}``.
        answers: The name of the shape that the function answers in.
    """

    def register(function: Callable[[OrderRequest, Body], Response]) -> Callable[..., Response]:
        def endpoint(
            order_id: OrderIdText, body: Body, idempotency_key: OptionalKey = None, if_match: IfMatch = None
        ) -> Response:
            return function(api.order_request(action, order_id, idempotency_key, if_match), body)

        assert isinstance(endpoint, FunctionType)
        _describe(endpoint, function, get_type_hints(function)["body"])
        return operation(api, "POST", path, tag=tag, answers=answers)(endpoint)

    return register


def report_route(
    api: Api, path: str, action: Action, *, tag: str
) -> Callable[[Callable[[Report], MakeFact]], Callable[..., Response]]:
    """Register ``POST path`` for a function that makes a fact of the body, which is recorded in the order's log."""

    def register(function: Callable[[Report], MakeFact]) -> Callable[..., Response]:
        def endpoint(
            order_id: OrderIdText,
            body: Report,
            idempotency_key: OptionalKey = None,
            if_match: IfMatch = None,
            prefer: Prefer = None,
        ) -> Response:
            request = api.order_request(action, order_id, idempotency_key, if_match)
            return _record(request, function(body), body.answers, minimal=prefers_minimal(prefer))

        assert isinstance(endpoint, FunctionType)
        _describe(endpoint, function, get_type_hints(function)["body"])
        return operation(api, "POST", path, tag=tag, answers="OrderJson", minimal=True)(endpoint)

    return register


def _record(request: OrderRequest, make: MakeFact, answers: int | None, *, minimal: bool) -> Response:
    """Record a report. If neither the report nor the answer has a personal field, the customer's key stays closed."""
    ports = engine()
    now = ports.clock.now()
    seals = EVENT_TYPES.by_class[type(make(0, now))].personal
    log = ports.log_without_keys if minimal and not seals else ports.log
    handled = report(log, request, make, now=now, limit=approval_limit, answers=answers)
    return written_minimally(handled) if minimal else order_written(handled, request.caller.actor)


def approval_limit(currency: str) -> Money:
    """Return the amount of this currency above which a second person is needed."""
    return limit_for(currency, settings(read_limits))


def _describe(endpoint: FunctionType, function: Callable[..., Any], body: type[BaseModel]) -> None:
    """Give ``endpoint`` the name, docstring and body type of ``function``: the API is documented from them."""
    endpoint.__name__, endpoint.__doc__ = function.__name__, function.__doc__
    endpoint.__annotations__["body"] = body
