"""Batches of the stream that a function could not process: list them, read their payload, delete them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from workflows.aws import clients
from workflows.aws.failed_batches import BatchUnreadable, FailedBatches, NoSuchBatch
from workflows.event_store.failed_batches import FailedBatchesUnavailable

KEY = "aws/lambda/11111111-2222-3333-4444-555555555555/shardId-00000001573689847184-864758bb/2026/05/04/{}"
RECORD = {"eventID": "1", "eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "a"}}}}


def invocation(payload: Any) -> dict[str, Any]:
    """Make the object that a DynamoDB stream's mapping writes, as AWS documents it."""
    return {
        "requestContext": {
            "requestId": "316aa6d0-8154-xmpl-9af7-85d5f4a6bc81",
            "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:Feed",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 4,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-05-04T12:00:00.123Z",
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "startSequenceNumber": "1", "endSequenceNumber": "1"},
        "payload": payload,
    }


@pytest.fixture
def batches(moto) -> FailedBatches:
    clients.s3().create_bucket(Bucket="failed", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return FailedBatches(clients.s3(), "failed")


def keep(batches: FailedBatches, key: str, text: str) -> None:
    batches._client.put_object(Bucket="failed", Key=key, Body=text.encode())


@pytest.mark.parametrize("escaped", [True, False])
def test_a_batch_is_read_with_its_error_and_its_payload(batches, escaped: bool):
    """AWS documents the payload as JSON within a string; a JSON object is accepted too."""
    payload = {"Records": [RECORD]}
    keep(batches, KEY.format("a"), json.dumps(invocation(json.dumps(payload) if escaped else payload)))
    (key,) = batches.list()
    batch = batches.read(key)
    assert batch.event == payload
    assert (batch.condition, batch.attempts) == ("RetryAttemptsExhausted", 4)
    assert batch.function.endswith(":function:Feed")
    assert batch.failed_at == datetime(2026, 5, 4, 12, 0, 0, 123000, tzinfo=UTC)


def test_all_pages_of_batches_are_listed(batches, monkeypatch: pytest.MonkeyPatch):
    """S3 answers in pages; objects that no mapping wrote are left out."""
    for n in range(5):
        keep(batches, KEY.format(n), "{}")
    keep(batches, "elsewhere", "{}")
    pages: list[str] = []

    def small(params: dict[str, Any], **_: Any) -> None:
        pages.append(params.get("ContinuationToken", ""))
        params["MaxKeys"] = 2

    batches._client.meta.events.register("provide-client-params.s3.ListObjectsV2", small)
    assert list(batches.list()) == [KEY.format(n) for n in range(5)]
    assert len(pages) == 3


def test_a_processed_batch_is_deleted(batches):
    """Deleting twice is allowed; reading a deleted batch is refused with its name."""
    keep(batches, KEY.format("a"), json.dumps(invocation("{}")))
    batches.delete(KEY.format("a"))
    batches.delete(KEY.format("a"))
    assert list(batches.list()) == []
    with pytest.raises(NoSuchBatch):
        batches.read(KEY.format("a"))


@pytest.mark.parametrize("text", ["not json", "[]", "{}", json.dumps(invocation("{}")), json.dumps(invocation(None))])
def test_an_object_that_is_no_batch_is_unreadable(batches, text: str):
    """The error names it, because a person must inspect it."""
    keep(batches, KEY.format("a"), text)
    with pytest.raises(BatchUnreadable, match="is not an invocation record"):
        batches.read(KEY.format("a"))


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", "DeleteObject"])
def test_no_answer_is_unavailable(batches, next_time, operation: str):
    """A missing answer is retryable."""

    def silent(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="injected")

    next_time(batches._client, f"before-call.s3.{operation}", silent)
    call = {
        "ListObjectsV2": lambda: list(batches.list()),
        "GetObject": lambda: batches.read("a"),
        "DeleteObject": lambda: batches.delete("a"),
    }
    with pytest.raises(FailedBatchesUnavailable):
        call[operation]()
