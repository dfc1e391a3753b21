"""The function that publishes the events of orders, which restaurants changed, and which reads were recorded.

It also notes which streams changed, for the next checkpoint.

It reads the log's stream separately from ``feed``, so that a bus that does not answer delays no order.
"""

from __future__ import annotations

import logging
from typing import Any

from handlers.stream_batches import StreamRecord, each, failures
from workflows.audit.noted_heads import note_heads
from workflows.engine import Engine, engine, event_bus
from workflows.event_store import streams
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.streams import category_of, id_in
from workflows.publishing.cloud_events import CloudEvent, cloud_events, read_recorded, restaurant_changed
from workflows.publishing.event_bus import EventBusUnavailable
from workflows.settings import read_event_bus

_log = logging.getLogger(__name__)

NOT_PUBLISHED = "events of orders were not published"
NOT_NOTED = "changed streams were not noted for the next checkpoint"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda entry point. ``event`` is a batch of DynamoDB Streams records, whose events are published together.

    Records that could not be read, and those whose events the bus did not accept, are delivered again.
    """
    ports = engine(read_event_bus)
    batch: list[tuple[StreamRecord, list[CloudEvent]]] = []
    failed = each(event, lambda record: batch.append((record, _events(ports, record))))
    try:
        note_heads(ports.documents, [r.commit() for r, _ in batch if r.tampering is None], ports.clock.now())
    except DocumentsUnavailable as error:
        _log.error(NOT_NOTED, extra={"error": type(error).__name__})
        return failures([*failed, *(record for record, _ in batch)])
    try:
        event_bus().publish([published for _, events in batch for published in events])
    except EventBusUnavailable as error:
        left = {published.id for published in error.not_accepted or (each_ for _, events in batch for each_ in events)}
        _log.error(NOT_PUBLISHED, extra={"events": len(left)})
        failed += [record for record, events in batch if any(published.id in left for published in events)]
    return failures(failed)


def _events(ports: Engine, record: StreamRecord) -> list[CloudEvent]:
    if record.tampering is not None:  # the feed raises the alarm
        return []
    commit = record.commit()
    match category_of(commit.pk):
        case streams.ORDER:
            return cloud_events(id_in(commit.pk), ports.log.events(commit))
        case streams.RESTAURANT:
            return [restaurant_changed(id_in(commit.pk), commit.sk, commit.ts)]
        case streams.ACCESS:
            return [read_recorded(id_in(commit.pk), commit.ts)]
        case _:
            return []
