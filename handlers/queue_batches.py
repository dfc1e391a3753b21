"""Batches of SQS messages: read and process them, and name those to deliver again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def process_together(
    messages: list[Any],
    read: Callable[[Any], T],
    process: Callable[[list[T]], object],
    log_failure: Callable[[Exception], None],
) -> dict[str, Any]:
    """Process the contents of a batch in one call, and return the answer to SQS.

    Args:
        read: Return the content of a message. If it raises, only that message is delivered again.
        process: If it raises, every message that could be read is delivered again.
    """
    contents, failed, readable = [], [], []
    for message in messages:
        try:
            contents.append(read(message))
            readable.append(message)
        except Exception as error:  # the other messages must not wait for it
            log_failure(error)
            failed.append(message)
    try:
        process(contents)
    except Exception as error:  # a store did not answer: SQS delivers the messages again
        log_failure(error)
        failed += readable
    return failures(failed)


def failures(messages: list[Any]) -> dict[str, Any]:
    """Return the answer that makes SQS deliver these messages again, and no others.

    A message without an id makes SQS deliver the whole batch again. That is safe: processing a message twice has no
    further effect.
    """
    return {"batchItemFailures": [{"itemIdentifier": message_id(message)} for message in messages]}


def message_id(message: Any) -> str:
    """Return the id of a message, or an empty text if it has none."""
    return str((message.get("messageId") if isinstance(message, dict) else None) or "")
