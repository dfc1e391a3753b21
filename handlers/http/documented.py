"""Routes with their documentation: the docstring is the summary and description, the answers are listed beside it."""

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

READS = (400, 401, 404, 422, 503)
"""How a read can be refused."""

WRITES = (400, 401, 403, 404, 409, 412, 413, 415, 422, 503)
"""How a write to an order can be refused."""

PLAIN_READS = (400, 401, 422, 503)
"""How a read that is about no one order can be refused."""

PLAIN_WRITES = (400, 401, 403, 413, 415, 422, 503)
"""How a write that is about no one order can be refused."""

_MEANING: Mapping[int, str] = {
    304: "The caller has this version already.",
    400: "Headers, query or body cannot be read; `errors` names what.",
    401: "There is no valid access token.",
    403: "The caller sees the order and may not do this, or the token names no one role.",
    404: "There is no such thing for this caller, or the order has not reached that version or time.",
    409: "A rule says no; `type` says which. Nothing was recorded.",
    412: "The order has another version than If-Match says.",
    413: "The body is too large.",
    415: "The body is not `application/json` in UTF-8.",
    422: "A value cannot be accepted; `errors` names each field and what to do about it.",
    503: "The store was busy or away. Send the same request again.",
}

_ETAG: OpenAPIResponseHeader = {
    "description": "The version of the order, for If-Match and If-None-Match.",
    "schema": {"type": "string"},
}
_REPLAYED: OpenAPIResponseHeader = {
    "description": "`true` when an earlier attempt under the same key did it, and this one added nothing.",
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
    refuses: tuple[int, ...],
    order: bool = True,
) -> Callable[[Function], Function]:
    """Register a function for ``method path``. It answers with the status and model, or a problem document.

    ``order``: the answer has the ETag of one order.
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
                **{code: _refusal(code) for code in refuses},
            },
        )
        return register_route(function)

    return register


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
