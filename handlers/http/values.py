"""The values in requests: texts, times, money and identifiers, each refused with what to write instead."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core.core_schema import CoreSchema, no_info_after_validator_function

from domain.identifiers import NAME, ORDER_ID, OrderId, parse_name, parse_order_id
from domain.money import Money
from handlers.http.currencies import CURRENCIES
from workflows.clock import read_timestamp

_AMOUNT = re.compile(r"\d{1,9}(\.\d{1,3})?", re.ASCII)
_LINE_BREAKS = "\n\r\t"


class Strict(BaseModel):
    """What came from outside: no field is converted, none is ignored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


@dataclass(frozen=True, slots=True)
class Shape:
    """A text of this pattern, and what to say of one that is not. Put it into ``Annotated[str, ...]``."""

    pattern: str
    advice: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(core) | {"pattern": f"^{self.pattern}$"}

    def _check(self, text: str) -> str:
        if not re.fullmatch(self.pattern, text, re.ASCII):
            raise ValueError(self.advice)
        return text


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("send the time as text, in RFC 3339 with an offset, e.g. 2026-03-01T18:30:00Z")
    return read_timestamp(value)


def _printable(text: str) -> str:
    if not text.strip():
        raise ValueError("write something, not only spaces")
    if any(unicodedata.category(char) == "Cc" and char not in _LINE_BREAKS for char in text):
        raise ValueError("has control characters; leave them out")
    return text


def _name(kind: str) -> AfterValidator:
    return AfterValidator(lambda text: parse_name(text, kind))


_NAME = Field(max_length=64, json_schema_extra={"pattern": f"^{NAME}$"})


def _order_id(text: str) -> str:
    return parse_order_id(text)


Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Short = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_printable)]
Long = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_printable)]
Phone = Annotated[
    str, Shape(r"\+?[0-9 ()./-]{3,40}", "is no phone number; use 3 to 40 digits, spaces and ()./-, with or without a +")
]
PaymentMethod = Annotated[
    str, Shape(r"[A-Za-z0-9_.:-]{1,100}", "is no payment method; use 1 to 100 letters, digits, '_', '.', ':' or '-'")
]
CustomerName = Annotated[str, _NAME, _name("customer")]
RestaurantName = Annotated[str, _NAME, _name("restaurant")]
CourierName = Annotated[str, _NAME, _name("courier")]
SkuName = Annotated[str, _NAME, _name("sku")]
Question = Annotated[int, Field(ge=1, le=1_000_000)]
"""The version of an intent; no order comes near a million events."""

OrderIdText = Annotated[
    OrderId, AfterValidator(_order_id), WithJsonSchema({"type": "string", "pattern": f"^{ORDER_ID}$"})
]


class Amount(Strict):
    """Money: a decimal text, never a JSON number, and an ISO 4217 currency."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "12.50", "currency": "EUR"}]})

    amount: Annotated[str, Field(json_schema_extra={"pattern": f"^{_AMOUNT.pattern}$"})]
    currency: Annotated[str, Field(json_schema_extra={"pattern": "^[A-Z]{3}$"})]

    def model_post_init(self, _: Any) -> None:
        """Refuse what is no amount in that currency, while it is known which field it is."""
        if self.currency not in CURRENCIES:
            raise ValueError("currency: is not an ISO 4217 currency; use three capital letters, e.g. EUR")
        if not _AMOUNT.fullmatch(self.amount):
            raise ValueError('amount: use up to nine digits and a point, zero or more, e.g. "12.50"')
        _ = self.money

    @property
    def money(self) -> Money:
        return Money.parse(self.amount, self.currency)
