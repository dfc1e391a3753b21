"""One request of the API, and the parts that the modules ``*_calls`` share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote as quoted

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall(Generic[T]):
    """One request, and as ``T`` the shape of its answer. ``path`` is below the engine's address."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def write(
    path: str, body: Mapping[str, Any], key: str | None, headers: Mapping[str, str] | None = None
) -> ApiCall[Any]:
    return ApiCall(
        method="POST",
        path=path,
        body=body,
        headers={"Idempotency-Key": key or str(uuid.uuid4()), **(headers or {})},
    )


def listed(path: str, **query: Any) -> ApiCall[Any]:
    sent = {name: _text(value) for name, value in query.items() if value not in (None, (), [])}
    return ApiCall(method="GET", path=path, query=sent)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return rfc3339(value)
        case str() | int():
            return str(value)
        case _:
            return ",".join(value)


def order_path(order_id: str, rest: str = "") -> str:
    return f"/orders/{quoted(order_id, safe='')}" + (f"/{rest}" if rest else "")


def incident_path(order_id: str) -> str:
    return f"/incidents/{quoted(order_id, safe='')}"


def set_fields(**fields: Any) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def access_reason(reason: str | None) -> dict[str, str]:
    """The header with the reason for reading personal data."""
    return set_fields(**{"Access-Reason": reason})


def rfc3339(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
