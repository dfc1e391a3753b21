"""The AsyncAPI 3 document of the published events, made from their classes and the table of their audiences.

A webhook and a message of the bus carry the same CloudEvent, so both channels have the same messages.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any, get_type_hints

from handlers.http import schemas
from handlers.http.documented import Json, ref
from workflows.orders.visibility import VISIBILITY, Audience
from workflows.publishing.cloud_events import SEQUENCE_DIGITS, SOURCE, TYPES
from workflows.publishing.webhooks.delivering import CONTENT_TYPE, TEST_TYPE

DESCRIPTION = """\
What happened to orders: one CloudEvent 1.0 for each fact and decision, without personal data.

Events arrive at least once, late at times, and in no promised order. Two with the same `source` and `id` are the same
event. `sequence` is the version of the order, with gaps, and sorts the events of one order.
"""

_SIGNED = "Verify it with a library of Standard Webhooks (https://www.standardwebhooks.com) before you use the body."


@cache
def asyncapi_text() -> str:
    """The document as JSON text. Made once in a process."""
    return json.dumps(asyncapi_document(), ensure_ascii=False)


def asyncapi_document() -> Json:
    """Make the document."""
    messages = {kind.__name__: _message(event_type, kind) for event_type, kind in TYPES.items()}
    known = schemas.components()
    published = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Expediter: published events",
            "version": version("expediter"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "webhooks": {
                "address": None,
                "description": f"A POST request to each URL that a service registered. {_SIGNED}",
                "messages": {**published, "WebhookTest": {"$ref": "#/components/messages/WebhookTest"}},
            },
            "bus": {
                "address": None,
                "description": "The event bus on AWS, and the topic behind it: the CloudEvent is the entry's `detail`.",
                "messages": published,
            },
        },
        "operations": {
            "sendWebhook": {"action": "send", "channel": {"$ref": "#/channels/webhooks"}},
            "publishEvent": {"action": "send", "channel": {"$ref": "#/channels/bus"}},
        },
        "components": {
            "messages": {**messages, "WebhookTest": _test_message()},
            "schemas": {name: known[name] for name in sorted(_used(messages, known))},
            "messageTraits": {"signed": {"headers": _HEADERS}},
        },
    }


_HEADERS: Json = {
    "type": "object",
    "description": "Of webhooks alone.",
    "properties": {
        "webhook-id": {"type": "string", "description": "The event's `id`: the same in every attempt."},
        "webhook-timestamp": {"type": "string", "description": "Of the attempt, in seconds since 1970."},
        "webhook-signature": {"type": "string", "description": f"`v1,` and base64, one by each secret. {_SIGNED}"},
    },
}


def _message(event_type: str, kind: type[Any]) -> Json:
    hints = get_type_hints(kind)
    shown = [name for name, seen_by in VISIBILITY[kind].fields.items() if Audience.SUBSCRIBER in seen_by]
    data = {
        "type": "object",
        "properties": {name: schemas.field_schema(name, hints[name]) for name in shown},
        "required": shown,
    }
    description = inspect.getdoc(kind) or ""
    return {
        "name": event_type,
        "title": kind.__name__,
        "summary": description.partition("\n")[0],
        "description": description,
        "contentType": CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/signed"}],
        "payload": _cloud_event(event_type, SOURCE, {"type": "string", "description": "The order's id."}, data),
    }


def _test_message() -> Json:
    data = {"type": "object", "maxProperties": 0}
    subject = {"type": "string", "description": "The endpoint's id."}
    return {
        "name": TEST_TYPE,
        "title": "WebhookTest",
        "summary": "Sent when a test of the endpoint is requested. It is about no order.",
        "contentType": CONTENT_TYPE,
        "traits": [{"$ref": "#/components/messageTraits/signed"}],
        "payload": _cloud_event(TEST_TYPE, "/expediter/webhooks", subject, data),
    }


def _cloud_event(event_type: str, source: str, subject: Json, data: Json) -> Json:
    """A CloudEvent in structured mode. Fields may be added, so readers ignore what they do not know."""
    properties = {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"const": source},
        "type": {"const": event_type},
        "subject": subject,
        "time": {"type": "string", "format": "date-time", "description": "When it was recorded."},
        "datacontenttype": {"const": "application/json"},
        "sequence": {"type": "string", "pattern": f"^[0-9]{{{SEQUENCE_DIGITS}}}$"},
        "data": data,
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _used(part: Any, known: Json) -> set[str]:
    """The names of all schemas that a part of the document refers to, directly or through others."""
    names: set[str] = set()
    pending = list(_references(part))
    while pending:
        name = pending.pop()
        if name not in names:
            names.add(name)
            pending += _references(known[name])
    return names


def _references(part: Any) -> Iterator[str]:
    prefix = ref("")["$ref"]
    if isinstance(part, dict):
        target = part.get("$ref")
        if isinstance(target, str) and target.startswith(prefix):
            yield target.removeprefix(prefix)
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
