"""Messages of a queue of published events: each holds EventBridge's event, whose ``detail`` is the CloudEvent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workflows.clock import read_timestamp


class NotAnEvent(Exception):
    """The message does not hold a CloudEvent as it is published."""


def cloud_event(message: Any) -> Mapping[str, Any]:
    """Return the event in a message of SQS. Raises NotAnEvent, also for one that could be stored and never sent."""
    try:
        event: Mapping[str, Any] = json.loads(message["body"])["detail"]
        if not all(isinstance(event[name], str) for name in ("id", "type", "time")):
            raise NotAnEvent("the event lacks an id, a type or a time")
        read_timestamp(event["time"])
        json.dumps(event, ensure_ascii=False, allow_nan=False).encode()  # NaN and lone surrogates are not JSON in UTF-8
    except (KeyError, TypeError, ValueError) as error:
        raise NotAnEvent("not EventBridge's event about a published event") from error
    return event
