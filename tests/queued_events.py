"""Published events in a queue of SQS, as a backend service receives them."""

from __future__ import annotations

import json
from typing import Any


def take_events(sqs: Any, url: str, *, wait_s: int = 0) -> list[dict[str, Any]]:
    """Receive up to ten CloudEvents and delete their messages, waiting up to ``wait_s`` for the first one."""
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait_s, MaxNumberOfMessages=10)
    messages = answer.get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"])["detail"] for message in messages]
