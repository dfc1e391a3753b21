"""The values in requests: texts, times, money and identifiers. An error says what to send instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar

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
from domain.picklable import Picklable
from handlers.http.currencies import CURRENCIES
from handlers.http.json_bodies import BODY_BYTES_MAX
from workflows.boundary.plain_text import UNWANTED, problem_of
from workflows.clock import read_timestamp

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")


class Strict(BaseModel):
    """A part of a request's body. No value is converted to another type, and unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)  # built by the first request

    body_bytes_max: ClassVar[int] = BODY_BYTES_MAX
    """The most bytes of a request with this body."""


class OfField(Picklable, ValueError):
    """A check of a whole body found this field wrong."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


@dataclass(frozen=True, slots=True)
class Shape:
    """Goes into ``Annotated[str, ...]``: the text must match.

    Attributes:
        pattern: A regular expression for the whole text. It stands in the OpenAPI document.
        advice: The error for a text that does not match.
    """

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


@dataclass(frozen=True, slots=True)
class PlainText:
    """Goes into ``Annotated[str, ...]``: a text that a person writes. ``blank``: it may be empty or only spaces."""

    blank: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        visible = "" if self.blank else f"[^\\s{UNWANTED}][^{UNWANTED}]*"
        return handler(core) | {"pattern": f"^[^{UNWANTED}]*{visible}$"}

    def _check(self, text: str) -> str:
        if not self.blank and not text.strip():
            raise ValueError("must not be only spaces")
        if (problem := problem_of(text)) is not None:
            raise ValueError(problem)
        return text


def _instant(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("must be a string: RFC 3339 with an offset, e.g. 2026-03-01T18:30:00Z")
    return read_timestamp(value)


def _name(kind: str) -> AfterValidator:
    return AfterValidator(lambda text: parse_name(text, kind))


_NAME = Field(max_length=64, json_schema_extra={"pattern": f"^{NAME}$"})


def _order_id(text: str) -> str:
    return parse_order_id(text)


Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Short = Annotated[str, StringConstraints(min_length=1, max_length=100), PlainText()]
Long = Annotated[str, StringConstraints(min_length=1, max_length=500), PlainText()]
Phone = Annotated[str, Shape(r"\+?[0-9 ()./-]{3,40}", "must be 3 to 40 digits, spaces and ()./-, optionally after a +")]
Email = Annotated[str, Shape(r"[!-?A-~]{1,64}@[!-?A-~]{1,189}", "must be an e-mail address of at most 254 characters")]
PaymentMethod = Annotated[
    str, Shape(r"[A-Za-z0-9_.:-]{1,100}", "must be 1 to 100 letters, digits, '_', '.', ':' or '-'")
]
ProviderReference = Annotated[
    str, Shape(r"[!-~]{1,255}", "must be the provider's id: 1 to 255 characters of ASCII, without spaces")
]
CustomerName = Annotated[str, _NAME, _name("customer")]
RestaurantName = Annotated[str, _NAME, _name("restaurant")]
CourierName = Annotated[str, _NAME, _name("courier")]
UserName = Annotated[str, _NAME, _name("user")]
SkuName = Annotated[str, _NAME, _name("sku")]
IntentVersion = Annotated[int, Field(ge=1, le=1_000_000)]
"""The version of the event that requested a call. No order comes near a million events."""

OrderIdText = Annotated[
    OrderId, AfterValidator(_order_id), WithJsonSchema({"type": "string", "pattern": f"^{ORDER_ID}$"})
]


class MoneyBody(Strict):
    """An amount of money in units of the currency, as a decimal string: 12.50 EUR, 1250 JPY."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "12.50", "currency": "EUR"}]})

    amount: Annotated[str, Field(json_schema_extra={"pattern": f"^{_AMOUNT.pattern}$"})]
    currency: Annotated[str, Field(json_schema_extra={"enum": sorted(CURRENCIES)})]

    def model_post_init(self, _: Any) -> None:
        """Check the amount against its currency here, where pydantic knows which field it is."""
        if self.currency not in CURRENCIES:
            raise OfField("currency", "must be an ISO 4217 currency, e.g. EUR")
        if not _AMOUNT.fullmatch(self.amount):
            raise OfField("amount", 'must be one to nine digits, and at most three after a point, e.g. "12.50"')
        try:
            _ = self.money
        except ValueError as error:
            raise OfField("amount", str(error)) from None

    @property
    def money(self) -> Money:
        return Money.parse(self.amount, self.currency)
