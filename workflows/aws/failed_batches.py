"""Batches of the log's stream that a function could not process, kept in S3 by its mapping (the OnFailure destination).

S3 is the one destination that keeps the payload. An object is the invocation record: why it was given up, which
records of which shard, and in ``payload`` the whole event that the function was called with. Its key begins with
``aws/lambda/``, the id of the mapping, the shard and the day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workflows.aws.transient_errors import no_answer_as

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PREFIX = "aws/lambda/"


class FailedBatchesUnavailable(Exception):
    """No answer from S3. Retryable: yes."""


class NoSuchBatch(LookupError):
    """Somebody deleted it. Retryable: no."""


class BatchUnreadable(ValueError):
    """The object is no invocation record with a payload. Retryable: no; look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBatch:
    """``function`` is an ARN, ``condition`` e.g. ``RetryAttemptsExhausted``, ``records`` the stream's, oldest first."""

    key: str
    function: str
    condition: str
    attempts: int
    failed_at: datetime
    records: tuple[Mapping[str, Any], ...]

    @property
    def event(self) -> dict[str, Any]:
        """What to invoke the function with again."""
        return {"Records": [dict(record) for record in self.records]}


class FailedBatches:
    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def list(self) -> Iterator[str]:
        """The keys of all that failed, page by page. Raises FailedBatchesUnavailable."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": PREFIX}
        while True:
            with no_answer_as(FailedBatchesUnavailable):
                page = self._client.list_objects_v2(**request)
            yield from (found["Key"] for found in page.get("Contents", []))
            if not page["IsTruncated"]:
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def read(self, key: str) -> FailedBatch:
        """Raises NoSuchBatch, BatchUnreadable, FailedBatchesUnavailable."""
        try:
            with no_answer_as(FailedBatchesUnavailable):
                text = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            raise NoSuchBatch(key) from None
        try:
            return _batch(key, json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            raise BatchUnreadable(f"{key} is no invocation record: {type(error).__name__} {error}") from error

    def delete(self, key: str) -> None:
        """It was dealt with. What is not there is no error. Raises FailedBatchesUnavailable."""
        with no_answer_as(FailedBatchesUnavailable):
            self._client.delete_object(Bucket=self._bucket, Key=key)


def _batch(key: str, record: Mapping[str, Any]) -> FailedBatch:
    request, payload = record["requestContext"], record["payload"]
    event = json.loads(payload) if isinstance(payload, str) else payload  # documented as JSON in a text
    return FailedBatch(
        key=key,
        function=request["functionArn"],
        condition=request["condition"],
        attempts=int(request["approximateInvokeCount"]),
        failed_at=datetime.fromisoformat(record["timestamp"]),
        records=tuple(event["Records"]),
    )
