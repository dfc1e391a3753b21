"""Batches of SQS messages: the answer that names the messages to deliver again."""

from __future__ import annotations

from typing import Any


def failures(messages: list[Any]) -> dict[str, Any]:
    """Return the answer that makes SQS deliver these messages again, and no others.

    A message without an id makes SQS deliver the whole batch again. That is safe: processing a message twice has no
    further effect.
    """
    return {"batchItemFailures": [{"itemIdentifier": message_id(message)} for message in messages]}


def message_id(message: Any) -> str:
    """Return the id of a message, or an empty text if it has none."""
    return str((message.get("messageId") if isinstance(message, dict) else None) or "")
