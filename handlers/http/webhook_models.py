"""The bodies of requests about webhooks, one model each."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from handlers.http.models import example
from handlers.http.values import PlainText, Strict
from workflows.publishing.cloud_events import TYPES
from workflows.publishing.webhooks.targets import URL_MAX


def _published(event_type: str) -> str:
    if event_type not in TYPES:
        raise ValueError("is not the type of a published event; /asyncapi.json lists them")
    return event_type


EventType = Annotated[str, AfterValidator(_published), Field(json_schema_extra={"enum": sorted(TYPES)})]
Url = Annotated[str, StringConstraints(min_length=1, max_length=URL_MAX), Field(json_schema_extra={"format": "uri"})]
Description = Annotated[str, StringConstraints(max_length=200), PlainText(blank=True)]
EventTypes = Annotated[list[EventType], Field(max_length=len(TYPES))]


class WebhookBody(Strict):
    """An endpoint to register. Without ``types``, or with none, it gets events of all types."""

    model_config = example(
        url="https://shop.example.com/webhooks", types=["expediter.order.completed.v1"], description="loyalty points"
    )

    url: Url
    types: EventTypes = Field(default_factory=list)
    description: Description = ""
    enabled: bool = True


class WebhookChangeBody(Strict):
    """What to change; a field that is left out stays as it is. Enabling an endpoint also ends a pause."""

    model_config = example(enabled=True)

    url: Url | None = None
    types: EventTypes | None = None
    description: Description | None = None
    enabled: bool | None = None
