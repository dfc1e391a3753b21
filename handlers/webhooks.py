"""The function that delivers published events to webhook endpoints.

The queue of published events invokes it with messages of SQS: each holds EventBridge's event about one published event,
whose ``detail`` is the CloudEvent. Messages that failed are delivered again, until SQS moves them to the dead-letter
queue. A schedule invokes it every minute for the attempts that are due: ``{"for_s": 50}``.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

from workflows.clock import read_timestamp
from workflows.engine import Engine, engine, settings
from workflows.publishing.webhooks.delivering import deliver, keep_delivering
from workflows.publishing.webhooks.targets import Targets, read_targets

_log = logging.getLogger(__name__)

FAILED = "published events could not be delivered to webhooks"
DONE = "webhooks were attempted again"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of SQS messages, or ``{"for_s": seconds}`` from the schedule."""
    ports = engine(read_targets)
    targets = settings(read_targets)
    if "Records" in event:
        return _messages(ports, event["Records"], targets)
    done = keep_delivering(ports, targets, for_s=float(event.get("for_s", 0)))
    if any(done.values()):
        _log.info(DONE, extra=done)
    return dict(done)


def _messages(ports: Engine, messages: list[Any], targets: Targets) -> dict[str, Any]:
    """Deliver the events of a batch together. A message that is no event fails alone."""
    events, failed, taken = [], [], []
    for message in messages:
        try:
            events.append(_cloud_event(message))
            taken.append(message)
        except NotAnEvent as error:
            _log_failure(error)
            failed.append(message)
    try:
        deliver(ports, events, targets)
    except Exception as error:  # the store did not answer: SQS delivers them again
        _log_failure(error)
        failed += taken
    return {"batchItemFailures": [{"itemIdentifier": _message_id(message)} for message in failed]}


class NotAnEvent(Exception):
    """The message does not hold a CloudEvent as it is published."""


def _cloud_event(message: Any) -> Mapping[str, Any]:
    """Return the event of a message. Raises NotAnEvent, also for an event that could be stored and never sent."""
    try:
        event: Mapping[str, Any] = json.loads(message["body"])["detail"]
        if not all(isinstance(event[name], str) for name in ("id", "type", "time")):
            raise NotAnEvent("the event lacks an id, a type or a time")
        read_timestamp(event["time"])
        json.dumps(event, ensure_ascii=False, allow_nan=False).encode()  # NaN and lone surrogates are not JSON in UTF-8
    except (KeyError, TypeError, ValueError) as error:
        raise NotAnEvent("not EventBridge's event about a published event") from error
    return event


def _message_id(message: Any) -> str:
    """Return the message's id. For an empty one SQS delivers the whole batch again; no delivery is made twice."""
    return str((message.get("messageId") if isinstance(message, dict) else None) or "")


def _log_failure(error: Exception) -> None:
    """Log the class and the place of an error, but not its message, which might quote what it could not read."""
    trace = traceback.format_tb(error.__traceback__)
    _log.error(FAILED, extra={"error": type(error).__name__, "trace": trace})
