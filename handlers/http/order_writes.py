"""Routes that change one order. Only the body and what is done with it differ from route to route."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import FunctionType
from typing import Any, TypeAlias, TypeVar, get_type_hints

from pydantic import BaseModel

from domain.money import Money
from domain.order.events import Fact
from handlers.http.answers import order_written
from handlers.http.api import Api
from handlers.http.documented import operation
from handlers.http.models import OfferBody, TicketBody
from handlers.http.preconditions import IfMatch, OptionalKey
from handlers.http.responses import Response
from handlers.http.values import OrderIdText
from workflows.engine import engine, settings
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
        def record(request: OrderRequest, body: Report) -> Response:
            make = function(body)
            handled = report(
                engine().log, request, make, now=engine().clock.now(), limit=approval_limit, answers=body.answers
            )
            return order_written(handled, request.caller.actor)

        record.__name__, record.__doc__ = function.__name__, function.__doc__
        record.__annotations__["body"] = get_type_hints(function)["body"]
        return order_write(api, path, action, tag=tag)(record)

    return register


def approval_limit(currency: str) -> Money:
    """Return the amount of this currency above which a second person is needed."""
    return limit_for(currency, settings(read_limits))


def _describe(endpoint: FunctionType, function: Callable[..., Any], body: type[BaseModel]) -> None:
    """Give ``endpoint`` the name, docstring and body type of ``function``: the API is documented from them."""
    endpoint.__name__, endpoint.__doc__ = function.__name__, function.__doc__
    endpoint.__annotations__["body"] = body
