"""The queue from which a backend service receives published events: EventBridge -> SNS -> SQS, with raw delivery.

A message is EventBridge's envelope, whose ``detail`` is the CloudEvent. Messages arrive at least once and in any order:
a repetition has the same ``source`` and ``id``; ``sequence`` gives the order of events within one order. A message that
is not acknowledged within the queue's visibility timeout is delivered again, and after the queue's number of attempts
moves to its dead letters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.aws.clients import LONG_POLL_S
from workflows.aws.transient_errors import transient_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_sqs import SQSClient

MESSAGES_MAX = 10
"""SQS's limit for one request."""


class EventQueueUnavailable(Exception):
    """The queue did not answer. Retryable: yes; unacknowledged messages are delivered again."""


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A message of the queue. ``event`` is its CloudEvent, or empty if ``body`` holds none."""

    event: Mapping[str, Any]
    attempts: int
    body: str = field(repr=False)
    receipt: str = field(repr=False)


class EventQueue:
    """Receive and acknowledge events. Threads may share it."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def receive(self, wait_s: int = LONG_POLL_S, max: int = MESSAGES_MAX) -> list[QueuedEvent]:  # noqa: A002 - SQS's word
        """Wait up to ``wait_s`` seconds for a message and return up to ``max`` (10). Raises EventQueueUnavailable."""
        with transient_as(EventQueueUnavailable):
            response = self._client.receive_message(
                QueueUrl=self._url,
                WaitTimeSeconds=min(wait_s, LONG_POLL_S),
                MaxNumberOfMessages=min(max, MESSAGES_MAX),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        return [_received(message) for message in response.get("Messages", [])]

    def acknowledge(self, received: Sequence[QueuedEvent]) -> None:
        """Delete processed messages from the queue. Raises EventQueueUnavailable if some may be delivered again."""
        failed: list[str] = []
        for start in range(0, len(received), MESSAGES_MAX):
            part = received[start : start + MESSAGES_MAX]
            with transient_as(EventQueueUnavailable):
                response = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": str(n), "ReceiptHandle": event.receipt} for n, event in enumerate(part)],
                )
            failed += [f"{entry['Code']}: {entry.get('Message', '')}" for entry in response.get("Failed", [])]
        if failed:
            raise EventQueueUnavailable(f"{len(failed)} were not acknowledged: {', '.join(sorted(set(failed)))}")


def _received(message: Any) -> QueuedEvent:
    attempts = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return QueuedEvent(_event(message["Body"]), attempts, message["Body"], message["ReceiptHandle"])


def _event(body: str) -> Mapping[str, Any]:
    """Return the CloudEvent in a message body; empty if it holds none, so that it ends in the dead letters."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, TypeError, KeyError):
        return {}
    return detail if isinstance(detail, dict) and detail.get("specversion") == "1.0" else {}
