"""Routes with their documentation, made from the function's docstring and the shape that it answers with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

from handlers.http import problems, schemas
from handlers.http.api import Api

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
    429: "Too many requests. Send the same request again later.",
    431: "The request line and headers are too large: they may have 10,240 bytes together.",
    500: "A fault of the server; its cause is in the log. Writes may have happened: repeat them with the same key.",
    503: "The store was busy or unreachable. Send the same request again.",
}

_ETAG: OpenAPIResponseHeader = {
    "description": "The version of the order in quotes, for If-Match and If-None-Match.",
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
}
_REPLAYED: OpenAPIResponseHeader = {
    "description": "`true` if an earlier attempt under the same key did it, and this one changed nothing.",
    "schema": {"type": "string", "enum": ["true"]},
}
_HEADERS = {"GET": {"ETag": _ETAG}, "POST": {"ETag": _ETAG, "Idempotent-Replayed": _REPLAYED}}


def operation(
    api: Api,
    method: str,
    path: str,
    *,
    tag: str,
    answers: type,
    statuses: tuple[int, ...] = (200,),
    order: bool = True,
    refuses: tuple[int, ...] = (),
) -> Callable[[Function], Function]:
    """Register a function for ``method path`` that answers in a shape of ``workflows.client``, or with a problem.

    Args:
        statuses: Those of an answer in that shape, the usual one first.
        order: The response carries the ETag of one order.
        refuses: Statuses of refusals besides those that follow from the method and the path.
    """

    def register(function: Function) -> Function:
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
        headers = _HEADERS[method] if order else {}
        refused = sorted({*_refusals(method, path, order), *refuses})
        register_route = api.route(
            path,
            method,
            summary=summary.rstrip("."),
            description=description.strip() or None,
            operation_id=_camel_case(function.__name__),
            tags=[tag],
            status_code=statuses[0],
            responses={
                **{status: _success(status, answers, headers) for status in statuses},
                **{status: _refusal(status, headers) for status in refused},
            },
        )
        return register_route(function)

    return register


def _refusals(method: str, path: str, order: bool) -> set[int]:
    """The statuses of refusals that every such route can answer with."""
    statuses = {400, 401, 403, 429, 431, 500, 503}
    if "<" in path:
        statuses |= {404, 422}
    if method == "POST":
        statuses |= {413, 415, 422}
        if order:
            statuses |= {409} | ({412} if "<" in path else set())
    return statuses


def _success(status: int, shape: type, headers: dict[str, OpenAPIResponseHeader]) -> OpenAPIResponse:
    return {
        "description": HTTPStatus(status).phrase,
        **({"headers": headers} if headers else {}),
        "content": {"application/json": {"schema": schemas.ref(shape.__name__)}},
    }


def _refusal(status: int, headers: dict[str, OpenAPIResponseHeader]) -> OpenAPIResponse:
    if status == 304:
        return {"description": _MEANING[status], "headers": headers, "content": {}}
    content: dict[str, Any] = {problems.CONTENT_TYPE: {"schema": schemas.ref(schemas.problem_name(status))}}
    if status in schemas.GATEWAY_STATUSES:
        content["application/json"] = {"schema": schemas.ref("GatewayMessage")}
    return {"description": _MEANING[status], "content": content}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
