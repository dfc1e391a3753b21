"""The function that publishes what happened to orders. It follows the log's stream beside ``feed``, so that a bus in
trouble delays no order."""

from __future__ import annotations

import logging
from typing import Any

from handlers.stream_batches import StreamRecord, answer, each
from workflows.engine import Engine, engine, event_bus
from workflows.event_store.streams import order_id_in
from workflows.publishing.cloud_events import CloudEvent, published
from workflows.publishing.event_bus import EventBusUnavailable

_log = logging.getLogger(__name__)

NOT_PUBLISHED = "events of orders were not published"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """``event`` is a batch of DynamoDB Streams records. Its events go out together. The records that could not be read,
    and those whose events were not taken, come again."""
    ports = engine("EVENT_BUS")
    found: list[tuple[StreamRecord, list[CloudEvent]]] = []
    failed = each(event, lambda record: found.append((record, _events(ports, record))))
    try:
        event_bus().publish([told for _, events in found for told in events])
    except EventBusUnavailable as error:
        left = {told.id for told in error.not_taken or (told for _, events in found for told in events)}
        _log.error(NOT_PUBLISHED, extra={"events": len(left)})
        failed += [record for record, events in found if any(told.id in left for told in events)]
    return answer(failed)


def _events(ports: Engine, record: StreamRecord) -> list[CloudEvent]:
    if record.tampering is not None:  # the feed raises the alarm
        return []
    commit = record.commit()
    order_id = order_id_in(commit.pk)
    return [] if order_id is None else published(order_id, ports.log.events(commit))
