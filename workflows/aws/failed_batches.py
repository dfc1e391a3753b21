"""Batches of the log's stream that a function could not process, stored in S3 as the mapping's OnFailure destination.

S3 is the only destination that keeps the payload. An object is the invocation record: why Lambda gave up, which records
of which shard, and in ``payload`` the whole event that the function was called with. Its key begins with
``aws/lambda/``, the id of the mapping, the shard and the day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflows.aws.transient_errors import transient_as
from workflows.clock import read_timestamp
from workflows.event_store.failed_batches import FailedBatchesUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "aws/lambda/"


class NoSuchBatch(LookupError):
    """The object was deleted. Retryable: no."""


class BatchUnreadable(ValueError):
    """The object is not an invocation record with a payload. Retryable: no; inspect it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBatch:
    """``function`` is an ARN, ``condition`` e.g. ``RetryAttemptsExhausted``; ``records`` are oldest first."""

    key: str
    function: str
    condition: str
    attempts: int
    failed_at: datetime
    records: tuple[Mapping[str, Any], ...]

    @property
    def event(self) -> dict[str, Any]:
        """The event to invoke the function with again."""
        return {"Records": [dict(record) for record in self.records]}


class FailedBatches:
    """The failed batches in one bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def list(self) -> Iterator[str]:
        """Yield the keys of all failed batches, page by page. Raises FailedBatchesUnavailable."""
        with transient_as(FailedBatchesUnavailable):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PREFIX):
                yield from (listed["Key"] for listed in page.get("Contents", []))

    def read(self, key: str) -> FailedBatch:
        """Read a failed batch. Raises NoSuchBatch, BatchUnreadable, FailedBatchesUnavailable."""
        try:
            with transient_as(FailedBatchesUnavailable):
                text = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise NoSuchBatch(key) from None
        try:
            return _batch(key, json.loads(text))
        except (RecursionError, OverflowError):
            problem = "it is nested too deeply or has a number out of range"
            raise BatchUnreadable(f"{key} is not an invocation record: {problem}") from None
        except (ValueError, KeyError, TypeError) as error:
            raise BatchUnreadable(f"{key} is not an invocation record: {type(error).__name__} {error}") from error

    def delete(self, key: str) -> None:
        """Delete a processed batch; a missing one is not an error. Raises FailedBatchesUnavailable."""
        with transient_as(FailedBatchesUnavailable):
            self._client.delete_object(Bucket=self._bucket, Key=key)


def _batch(key: str, record: Mapping[str, Any]) -> FailedBatch:
    request, payload = record["requestContext"], record["payload"]
    event = json.loads(payload) if isinstance(payload, str) else payload  # documented as a string that contains JSON
    function, condition, records = request["functionArn"], request["condition"], tuple(event["Records"])
    named = isinstance(function, str) and isinstance(condition, str)
    if not (named and all(isinstance(each, dict) for each in records)):
        raise ValueError("it names no function or has no records")
    return FailedBatch(
        key=key,
        function=function,
        condition=condition,
        attempts=int(request["approximateInvokeCount"]),
        failed_at=read_timestamp(record["timestamp"]),
        records=records,
    )
