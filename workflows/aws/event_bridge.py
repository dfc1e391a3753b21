"""The event bus in EventBridge: CloudEvents as the detail of its entries, ten at a time.

An entry carries the whole CloudEvent, so that a subscriber reads the same whichever way it came; ``Source`` and
``DetailType`` repeat its source and type, which rules match on. EventBridge may take some entries of a request and not
others: those are sent again. An event may so go out twice; its id tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from workflows.aws.transient_errors import no_answer_as
from workflows.publishing.cloud_events import CloudEvent
from workflows.publishing.event_bus import EventBusUnavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

ENTRIES_MAX = 10
"""Entries of a request."""

BYTES_MAX = 240 * 1024
"""Of the entries of a request together. EventBridge takes 1 MB, SNS behind it 256 KB, its own envelope included."""

ATTEMPTS = 3
"""Requests for one batch, each for what the last one did not take. The stream comes again with the rest."""


Entry: TypeAlias = "PutEventsRequestEntryTypeDef"
Batch: TypeAlias = list[tuple[CloudEvent, Entry]]


class EventBridgeBus:
    """Implements ``workflows.publishing.event_bus.EventBus``. ``name`` may be an ARN."""

    def __init__(self, client: EventBridgeClient, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """What EventBridge refuses does not hold up the others. Where it is silent, nothing more is sent: each request
        would take as long to fail, and the caller comes again."""
        entries = [(event, self._entry(event)) for event in events]
        not_taken = [event for event, entry in entries if _size(entry) > BYTES_MAX]
        why = {f"larger than {BYTES_MAX} bytes"} if not_taken else set()
        batches = list(_batches([(event, entry) for event, entry in entries if _size(entry) <= BYTES_MAX]))
        for number, batch in enumerate(batches):
            try:
                left, refusals = self._put(batch)
            except _NoAnswer as error:
                not_taken += [event for unsent in batches[number:] for event, _ in unsent]
                why.add(str(error))
                break
            not_taken += [event for event, _ in left]
            why |= refusals
        if not_taken:
            raise EventBusUnavailable(f"{len(not_taken)} events were not taken: {', '.join(sorted(why))}", not_taken)

    def _put(self, batch: Batch) -> tuple[Batch, set[str]]:
        """Returns what is not taken in the end, and why. Raises _NoAnswer."""
        refusals: set[str] = set()
        for _ in range(ATTEMPTS):
            with no_answer_as(_NoAnswer):
                results = self._client.put_events(Entries=[entry for _, entry in batch])["Entries"]
            refused = [(sent, result) for sent, result in zip(batch, results, strict=True) if result.get("ErrorCode")]
            batch = [sent for sent, _ in refused]
            refusals = {f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}" for _, result in refused}
            if not batch:
                break
        return batch, refusals

    def _entry(self, event: CloudEvent) -> Entry:
        return {
            "EventBusName": self._name,
            "Source": event.source,
            "DetailType": event.type,
            "Time": datetime.fromisoformat(event.time),
            "Detail": json.dumps(event.as_json(), allow_nan=False, ensure_ascii=False, separators=(",", ":")),
        }


class _NoAnswer(Exception):
    """The whole request was not answered."""


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
    """As EventBridge counts it: 14 bytes for the time, and the texts as UTF-8."""
    return 14 + sum(len(text.encode()) for text in (entry["Source"], entry["DetailType"], entry["Detail"]))
