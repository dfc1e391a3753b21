"""Failed batches of the log's stream, processed again by the function that gave up on them."""

from __future__ import annotations

import json
from typing import Any

from workflows.aws.failed_batches import BatchUnreadable, FailedBatch, FailedBatches, NoSuchBatch
from workflows.aws.transient_errors import transient_as
from workflows.event_store.failed_batches import FailedBatchesUnavailable


class NotOfTheStream(Exception):
    """The function's answer does not name failed records. Retryable: no."""


def invoke_again(client: Any, function: str, batch: FailedBatch) -> str:
    """Invoke a function with a batch, as the stream did.

    Returns:
        The problem, empty if no record failed.

    Raises:
        NotOfTheStream: It is another kind of function.
    """
    answer = client.invoke(FunctionName=function, Payload=_payload(batch))
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        return f"the function failed: {payload[:200].decode(errors='replace')}"
    try:
        failures = json.loads(payload)["batchItemFailures"]
    except (ValueError, TypeError, KeyError):
        raise NotOfTheStream(function) from None
    return f"{len(failures)} of {len(batch.records)} records failed again" if failures else ""


class InvokedBatches:
    """The failed batches in a bucket. Each names its function, which the caller's role must be allowed to invoke."""

    def __init__(self, batches: FailedBatches, functions: Any) -> None:
        self._batches = batches
        self._functions = functions

    def keys(self) -> list[str]:
        """Raises FailedBatchesUnavailable."""
        return list(self._batches.list())

    def redrive(self, key: str) -> str:
        """Raises FailedBatchesUnavailable."""
        try:
            batch = self._batches.read(key)
        except NoSuchBatch:
            return ""
        except BatchUnreadable as unreadable:
            return str(unreadable)
        with transient_as(FailedBatchesUnavailable):
            problem = invoke_again(self._functions, batch.function, batch)
        if not problem:
            self._batches.delete(key)
        return problem


def _payload(batch: FailedBatch) -> bytes:
    """Return the batch as compact JSON: Lambda accepts 6 MB, and the batch may have been that large."""
    try:
        return json.dumps(batch.event, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair can only be escaped
        return json.dumps(batch.event, separators=(",", ":")).encode()
