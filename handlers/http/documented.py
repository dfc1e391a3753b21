"""Routes with their documentation, made from the function's docstring and the shape that it answers with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias, TypeVar

from handlers.http import problems
from handlers.http.api import Api
from handlers.http.responses import Response
from workflows.catalogue.picture_formats import TYPES

Json: TypeAlias = dict[str, Any]
Function = TypeVar("Function", bound=Callable[..., Response])

REF = "#/components/schemas/{name}"
GATEWAY_STATUSES = [401, 403, 404, 405, 408, 413, 429, 431, 500, 503]
"""Statuses that API Gateway, or the embedded engine's HTTP server, answers with by itself."""


def ref(name: str) -> Json:
    """A reference to a schema of the document."""
    return {"$ref": REF.format(name=name)}


_MEANING: Mapping[int, str] = {
    304: "The caller has this version already.",
    400: "Headers, query or body cannot be read; `errors` names each fault.",
    401: "The request has no valid access token.",
    403: "The caller sees the order but may not do this, or the token does not carry exactly one role.",
    404: "It does not exist for this caller, or the order has not reached that version or time.",
    409: "A rule forbids it; `type` names the rule. Nothing was recorded.",
    412: "The order is at another version than those in If-Match.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not `application/json` in UTF-8.",
    422: "A value is not acceptable; `errors` names each field and what to do about it.",
    429: "Too many requests. Send the same request again later.",
    431: "The request line and headers are too large: they may have 10,240 bytes together.",
    500: "A fault of the server; its cause is in the log. Writes may have happened: repeat them with the same key.",
    503: "The store was busy or unreachable. Send the same request again.",
}

_ETAG = {
    "description": "The version of the order in quotes, for If-Match and If-None-Match.",
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
}
_REPLAYED = {
    "description": "`true` if an earlier attempt under the same key did it, and this one changed nothing.",
    "schema": {"type": "string", "enum": ["true"]},
}
_APPLIED = {
    "description": "The preference that was followed.",
    "schema": {"type": "string", "enum": ["return=minimal"]},
}
_CONTENT_TAG = {
    "description": "A weak ETag of the content, for If-None-Match.",
    "schema": {"type": "string", "pattern": '^W/"[0-9a-f]{32}"$'},
}
_HEADERS: Mapping[str, Json] = {"GET": {"ETag": _ETAG}, "POST": {"ETag": _ETAG, "Idempotent-Replayed": _REPLAYED}}


def operation(
    api: Api,
    method: str,
    path: str,
    *,
    tag: str,
    answers: str,
    statuses: tuple[int, ...] = (200,),
    order: bool = True,
    refuses: tuple[int, ...] = (),
    public: bool = False,
    forms: tuple[str, ...] = (),
    minimal: bool = False,
) -> Callable[[Function], Function]:
    """Register a function for ``method path``. Its docstring is the summary and, after the first line, the description.

    Args:
        answers: The name of a shape of ``workflows.client``; empty for a picture.
        statuses: Those of an answer in that shape, the usual one first.
        order: The response carries the ETag of one order.
        refuses: Statuses of refusals besides those that follow from the method and the path.
        public: The route needs no token.
        forms: Media types that it answers with besides JSON.
        minimal: It takes ``Prefer: return=minimal``.
    """

    def register(function: Function) -> Function:
        summary, _, description = inspect.cleandoc(function.__doc__ or "").partition("\n")
        headers = _HEADERS[method] if order else {"ETag": _CONTENT_TAG} if 304 in refuses else {}
        refused = {*_refusals(method, path, order), *refuses} - ({401, 403} if public else set())
        documentation = {
            "summary": summary.rstrip("."),
            **({"description": description.strip()} if description else {}),
            "operationId": _camel_case(function.__name__),
            "tags": [tag],
            "responses": {
                **{str(status): _success(status, answers, headers, forms) for status in statuses},
                **({"204": _minimal(headers)} if minimal else {}),
                **{str(status): _refusal(status, headers) for status in sorted(refused)},
            },
            **({"security": []} if public else {}),
        }
        api.add(method, path, function, documentation, public=public)
        return function

    return register


def _refusals(method: str, path: str, order: bool) -> set[int]:
    """The statuses of refusals that every such route can answer with."""
    statuses = {400, 401, 403, 429, 431, 500, 503}
    if "{" in path:
        statuses |= {404, 422}
    if method in {"POST", "PATCH"}:
        statuses |= {408, 413, 415, 422}
        if order:
            statuses |= {409} | ({412} if "{" in path else set())
    return statuses


def _success(status: int, shape: str, headers: Json, forms: tuple[str, ...] = ()) -> Json:
    binary: Json = {"schema": {"type": "string", "format": "binary"}}
    kinds = forms if shape else tuple(TYPES.values())
    content: Json = {"application/json": {"schema": ref(shape)}} if shape else {}
    content |= dict.fromkeys(kinds, binary)
    return {"description": HTTPStatus(status).phrase, **({"headers": headers} if headers else {}), "content": content}


def _minimal(headers: Json) -> Json:
    return {
        "description": "Recorded, and answered without the order, as `Prefer: return=minimal` asks for.",
        "headers": {**headers, "Preference-Applied": _APPLIED},
    }


def _refusal(status: int, headers: Json) -> Json:
    if status == 304:
        return {"description": _MEANING[status], "headers": headers}
    content: Json = {problems.CONTENT_TYPE: {"schema": ref(f"Problem{status}")}}
    if status in GATEWAY_STATUSES:
        content["application/json"] = {"schema": ref("GatewayMessage")}
    return {"description": _MEANING[status], "content": content}


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
