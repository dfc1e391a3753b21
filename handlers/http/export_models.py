"""The body of a request for an export."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from domain.identifiers import NAME, Role
from handlers.http.models import example
from handlers.http.moments import TIME_SCHEMA, read_time
from handlers.http.search_parameters import OneOf
from handlers.http.values import OrderIdText, Shape, Strict
from workflows.orders.event_names import EVENT_TYPES, event_type

Name = Annotated[str, Shape(NAME, "must be 1 to 64 letters, digits, '_', '.' or '-'")]
Time = Annotated[datetime, BeforeValidator(read_time), WithJsonSchema(TIME_SCHEMA)]
EventTypeName = Annotated[
    str,
    AfterValidator(event_type),
    Field(json_schema_extra={"enum": EVENT_TYPES}),
]


class ExportFilter(Strict):
    """Which events: as the parameters of `GET /events`. Without any, all."""

    type: Annotated[list[EventTypeName], Field(max_length=50)] | None = None
    actor: Name | None = None
    actor_role: Annotated[Role, OneOf(Role)] | None = None
    order: OrderIdText | None = None
    customer: Name | None = None
    restaurant: Name | None = None
    recorded_from: Time | None = None
    recorded_to: Time | None = None
    correlation: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    people_only: bool | None = None


class ExportBody(Strict):
    """The events to export, and the format of the file."""

    model_config = example(format="csv", filter={"type": ["CreditGranted"], "people_only": True})

    format: Literal["jsonl", "csv", "parquet"] = "jsonl"
    filter: ExportFilter = Field(default_factory=ExportFilter)
    as_of: Annotated[
        Time | None, Field(description="Leave out what was recorded after this time; by default, now.")
    ] = None
