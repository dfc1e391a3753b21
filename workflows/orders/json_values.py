"""Values of the domain as plain JSON.

Money is ``{"amount": "12.50", "currency": "EUR"}``, a time RFC 3339 in UTC, and an erased field ``(erased)``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
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


def plain(value: Any) -> JSON:
    """Return a value of the domain as JSON."""
    kind = type(value)
    return value if kind in _JSON_ALREADY else _converter(kind)(value)  # type: ignore[arg-type]  # a class is hashable


@cache  # there are some hundred types
def _converter(kind: type[Any]) -> Callable[[Any], JSON]:
    """Return the function that converts values of a type."""
    if issubclass(kind, Money):
        return money_json
    if issubclass(kind, datetime):
        return timestamp
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, Erased):
        return str
    if issubclass(kind, Actor):
        return lambda actor: {"role": actor.role.value, "id": actor.id}
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        return lambda value: {name: plain(getattr(value, name)) for name in names}
    if issubclass(kind, Mapping):
        return lambda mapping: {str(key): plain(item) for key, item in mapping.items()}
    if issubclass(kind, list | tuple):
        return lambda items: [plain(item) for item in items]
    return lambda value: value
