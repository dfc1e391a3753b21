"""The function that delivers published events to webhook endpoints.

The queue of published events invokes it with messages of SQS: each holds EventBridge's event about one published event,
whose ``detail`` is the CloudEvent. Messages that failed are delivered again, until SQS moves them to the dead-letter
queue. A schedule invokes it every minute for the attempts that are due: ``{"for_s": 50}``.
"""

from __future__ import annotations

import logging
import traceback
from typing import Any

from handlers.published_messages import cloud_event
from handlers.queue_batches import process_together
from workflows.engine import engine, settings
from workflows.publishing.webhooks.delivering import deliver, keep_delivering
from workflows.publishing.webhooks.targets import read_targets

_log = logging.getLogger(__name__)

FAILED = "published events could not be delivered to webhooks"
DONE = "webhooks were attempted again"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of SQS messages, or ``{"for_s": seconds}`` from the schedule."""
    ports = engine(read_targets)
    targets = settings(read_targets)
    if "Records" in event:
        return process_together(
            event["Records"], cloud_event, lambda events: deliver(ports, events, targets), _log_failure
        )
    done = keep_delivering(ports, targets, for_s=float(event.get("for_s", 0)))
    if any(done.values()):
        _log.info(DONE, extra=done)
    return dict(done)


def _log_failure(error: Exception) -> None:
    """Log the class and the place of an error, but not its message, which might quote what it could not read."""
    trace = traceback.format_tb(error.__traceback__)
    _log.error(FAILED, extra={"error": type(error).__name__, "trace": trace})
