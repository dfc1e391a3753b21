"""The event bus in EventBridge: CloudEvents as the detail of its entries, ten in a request.

An entry carries the whole CloudEvent, so that a subscriber reads the same text by every route; ``Source`` and
``DetailType`` repeat its source and type, for rules to match. EventBridge may accept only some entries of a request;
the others are sent again. An event may therefore be published twice, with the same id.

Each entry carries the trace of its order, which EventBridge passes on to its targets: to SQS as ``AWSTraceHeader``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from workflows.aws.transient_errors import transient_as
from workflows.clock import read_timestamp
from workflows.publishing.cloud_events import CloudEvent
from workflows.publishing.event_bus import EventBusUnavailable
from workflows.tracing import xray_header

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

ENTRIES_MAX = 10
"""EventBridge's limit for the entries of a request."""

BYTES_MAX = 240 * 1024
"""All entries of a request together. EventBridge's limit is 1 MB, that of SNS behind it 256 KB with the envelope."""

ATTEMPTS = 3
"""Requests for one batch, each with the entries that the last one did not accept."""


Entry: TypeAlias = "PutEventsRequestEntryTypeDef"
Batch: TypeAlias = list[tuple[CloudEvent, Entry]]


class EventBridgeBus:
    """Implements ``workflows.publishing.event_bus.EventBus``. ``name`` may be an ARN."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish events. A refused event does not hold up the others.

        After a request without a response nothing more is sent: each further request would take as long to fail, and
        the caller repeats the rest.

        Raises:
            EventBusUnavailable: It holds the events that were not accepted.
        """
        entries = [(event, self._entry(event)) for event in events]
        not_accepted = [event for event, entry in entries if _size(entry) > BYTES_MAX]
        why = {f"larger than {BYTES_MAX} bytes"} if not_accepted else set()
        batches = list(_batches([(event, entry) for event, entry in entries if _size(entry) <= BYTES_MAX]))
        for number, batch in enumerate(batches):
            try:
                refused, refusals = self._put(batch)
            except _RequestFailed as error:
                not_accepted += [event for unsent in batches[number:] for event, _ in unsent]
                why.add(str(error))
                break
            not_accepted += [event for event, _ in refused]
            why |= refusals
        if not_accepted:
            raise EventBusUnavailable(
                f"{len(not_accepted)} events were not accepted: {', '.join(sorted(why))}", not_accepted
            )

    def _put(self, batch: Batch) -> tuple[Batch, set[str]]:
        """Return the entries that EventBridge refused in the last attempt, and its reasons. Raises _RequestFailed."""
        refusals: set[str] = set()
        for _ in range(ATTEMPTS):
            with transient_as(_RequestFailed):
                results = self._client.put_events(Entries=[entry for _, entry in batch])["Entries"]
            refused = [(sent, result) for sent, result in zip(batch, results, strict=True) if result.get("ErrorCode")]
            batch = [sent for sent, _ in refused]
            refusals = {f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}" for _, result in refused}
            if not batch:
                break
        return batch, refusals

    def _entry(self, event: CloudEvent) -> Entry:
        trace: PutEventsRequestEntryTypeDef = {} if event.trace is None else {"TraceHeader": xray_header(event.trace)}
        return {
            **trace,
            "EventBusName": self._name,
            "Source": event.source,
            "DetailType": event.type,
            "Time": read_timestamp(event.time),
            "Detail": json.dumps(event.as_json(), allow_nan=False, ensure_ascii=False, separators=(",", ":")),
        }


class _RequestFailed(Exception):
    """A whole request failed with a transient error."""


def _batches(entries: Batch) -> Iterator[Batch]:
    batch: Batch = []
    filled = 0
    for event, entry in entries:
        size = _size(entry)
        if batch and (len(batch) == ENTRIES_MAX or filled + size > BYTES_MAX):
            yield batch
            batch, filled = [], 0
        batch.append((event, entry))
        filled += size
    if batch:
        yield batch


def _size(entry: Entry) -> int:
    """Return the size as EventBridge counts it: 14 bytes for the time, and the texts in UTF-8."""
    return 14 + sum(len(text.encode()) for text in (entry["Source"], entry["DetailType"], entry["Detail"]))
