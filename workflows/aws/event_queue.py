"""The queue that a backend service receives published events from: EventBridge -> SNS -> SQS, raw delivery on.

A message is EventBridge's envelope, whose ``detail`` is the CloudEvent. Messages come at least once and in no order:
``source`` and ``id`` tell a repetition, ``sequence`` the order within one order. What is not acknowledged within the
queue's visibility timeout comes again, and after the queue's number of attempts goes to its dead letters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workflows.aws.clients import LONG_POLL_S
from workflows.aws.transient_errors import no_answer_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_sqs import SQSClient

MESSAGES_MAX = 10
"""SQS gives and takes that many at once."""


class EventQueueUnavailable(Exception):
    """No answer from the queue. Retryable: yes; what was received comes again."""


@dataclass(frozen=True, slots=True)
class Received:
    """A published event, or, when the message is none, ``event`` is empty and ``body`` says what came instead."""

    event: Mapping[str, Any]
    attempts: int
    body: str = field(repr=False)
    receipt: str = field(repr=False)


class EventQueue:
    """Threads may share it."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def receive(self, wait_s: int = LONG_POLL_S, max: int = MESSAGES_MAX) -> list[Received]:  # noqa: A002 - SQS's word
        """Up to ``max`` events, waiting for the first as long as ``wait_s``. Raises EventQueueUnavailable."""
        with no_answer_as(EventQueueUnavailable):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                WaitTimeSeconds=min(wait_s, LONG_POLL_S),
                MaxNumberOfMessages=min(max, MESSAGES_MAX),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        return [_received(message) for message in answer.get("Messages", [])]

    def acknowledge(self, received: Sequence[Received]) -> None:
        """These are dealt with for good. Raises EventQueueUnavailable when some may come again."""
        failed: list[str] = []
        for start in range(0, len(received), MESSAGES_MAX):
            part = received[start : start + MESSAGES_MAX]
            with no_answer_as(EventQueueUnavailable):
                answer = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[{"Id": str(n), "ReceiptHandle": found.receipt} for n, found in enumerate(part)],
                )
            failed += [f"{entry['Code']}: {entry.get('Message', '')}" for entry in answer.get("Failed", [])]
        if failed:
            raise EventQueueUnavailable(f"{len(failed)} were not acknowledged: {', '.join(sorted(set(failed)))}")


def _received(message: Any) -> Received:
    attempts = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
    return Received(_event(message["Body"]), attempts, message["Body"], message["ReceiptHandle"])


def _event(body: str) -> Mapping[str, Any]:
    """The CloudEvent of a message; empty for one that holds none, which its receiver leaves to the dead letters."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, TypeError, KeyError):
        return {}
    return detail if isinstance(detail, dict) and detail.get("specversion") == "1.0" else {}
