"""Values of the domain as plain JSON.

Money is ``{"amount": "12.50", "currency": "EUR"}``, a time RFC 3339 in UTC, and an erased field ``(erased)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from domain.identifiers import Actor
from domain.money import Money
from domain.personal import Erased
from workflows.clock import timestamp

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.order_json import MoneyJson

JSON: TypeAlias = Any


def money_json(money: Money) -> MoneyJson:
    """Return ``{"amount": "12.50", "currency": "EUR"}``."""
    return {"amount": _amount(money.minor, money.currency), "currency": money.currency}


@lru_cache(maxsize=4096)
def _amount(minor: int, currency: str) -> str:
    return str(Money(minor, currency)).partition(" ")[0]


_JSON_ALREADY = frozenset({str, int, float, bool, type(None)})
"""Types of most values; a subclass may be an enumeration."""


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def plain(value: Any) -> JSON:
    """Return a value of the domain as JSON."""
    if type(value) in _JSON_ALREADY:
        return value
    if isinstance(value, Money):
        return money_json(value)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Erased):
        return str(value)
    if isinstance(value, Actor):
        return {"role": value.role.value, "id": value.id}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _field_names(type(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
