"""Routes with their documentation, made from the function's docstring and the shape that it answers with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader
from pydantic import BaseModel

from handlers.http import problems
from handlers.http.api import Api
from handlers.http.order_models import ProblemModel

Function = TypeVar("Function", bound=Callable[..., Any])

_MEANING: Mapping[int, str] = {
    304: "The caller has this version already.",
    400: "Headers, query or body cannot be read; `errors` names each fault.",
    401: "The request has no valid access token.",
    403: "The caller sees the order but may not do this, or the token does not carry exactly one role.",
    404: "It does not exist for this caller, or the order has not reached that version or time.",
    409: "A rule forbids it; `type` names the rule. Nothing was recorded.",
    412: "The order is at another version than those in If-Match.",
    413: "The body is too large.",
    415: "The body is not `application/json` in UTF-8.",
    422: "A value is not acceptable; `errors` names each field and what to do about it.",
    503: "The store was busy or unreachable. Send the same request again.",
}

_ETAG: OpenAPIResponseHeader = {
    "description": "The version of the order, for If-Match and If-None-Match.",
    "schema": {"type": "string"},
}
_REPLAYED: OpenAPIResponseHeader = {
    "description": "`true` if an earlier attempt under the same key did it, and this one changed nothing.",
    "schema": {"type": "string"},
}
_HEADERS = {"GET": {"ETag": _ETAG}, "POST": {"ETag": _ETAG, "Idempotent-Replayed": _REPLAYED}}


def operation(
    api: Api,
    method: str,
    path: str,
    *,
    tag: str,
    answers: tuple[int, type[BaseModel]],
    order: bool = True,
    refuses: tuple[int, ...] = (),
) -> Callable[[Function], Function]:
    """Register a function for ``method path``. It answers with the status and shape, or with a problem document.

    Args:
        order: The response carries the ETag of one order.
        refuses: Statuses of refusals besides those that follow from the method and the path.
    """

    def register(function: Function) -> Function:
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
        status, model = answers
        register_route = api.route(
            path,
            method,
            summary=summary.rstrip("."),
            description=description.strip() or None,
            operation_id=_camel_case(function.__name__),
            tags=[tag],
            status_code=status,
            responses={
                status: _success(status, model, _HEADERS[method] if order else {}),
                **{code: _refusal(code) for code in sorted({*_refusals(method, path, order), *refuses})},
            },
        )
        return register_route(function)

    return register


def _refusals(method: str, path: str, order: bool) -> set[int]:
    """The statuses of refusals that every such route can answer with."""
    statuses = {400, 401, 403, 503}
    if "<" in path:
        statuses |= {404, 422}
    if method == "POST":
        statuses |= {413, 415, 422}
        if order:
            statuses |= {409} | ({412} if "<" in path else set())
    return statuses


def _success(status: int, model: type[BaseModel], headers: dict[str, OpenAPIResponseHeader]) -> OpenAPIResponse:
    return {
        "description": HTTPStatus(status).phrase,
        **({"headers": headers} if headers else {}),
        "content": {"application/json": {"model": model}},
    }


def _refusal(status: int) -> OpenAPIResponse:
    if status == 304:
        return {"description": _MEANING[status]}
    return {"description": _MEANING[status], "content": {problems.CONTENT_TYPE: {"model": ProblemModel}}}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
