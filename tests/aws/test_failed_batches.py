"""Batches of the stream that a function could not process: listed, read with their payload, deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from workflows.aws import clients
from workflows.aws.failed_batches import BatchUnreadable, FailedBatches, FailedBatchesUnavailable, NoSuchBatch

KEY = "aws/lambda/11111111-2222-3333-4444-555555555555/shardId-00000001573689847184-864758bb/2026/05/04/{}"
RECORD = {"eventID": "1", "eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "a"}}}}


def invocation(payload: Any) -> dict[str, Any]:
    """As AWS documents the object of a DynamoDB stream's mapping."""
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
def test_a_batch_says_why_it_was_given_up_and_what_it_was(batches, escaped: bool):
    """The payload is documented as JSON within a text; an object is understood too."""
    payload = {"Records": [RECORD]}
    keep(batches, KEY.format("a"), json.dumps(invocation(json.dumps(payload) if escaped else payload)))
    (key,) = batches.list()
    batch = batches.read(key)
    assert batch.event == payload
    assert (batch.condition, batch.attempts) == ("RetryAttemptsExhausted", 4)
    assert batch.function.endswith(":function:Feed")
    assert batch.failed_at == datetime(2026, 5, 4, 12, 0, 0, 123000, tzinfo=UTC)


def test_all_are_listed_however_many_there_are(batches, monkeypatch: pytest.MonkeyPatch):
    """S3 answers with a page; what a mapping did not put there is not ours."""
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


def test_a_batch_is_deleted_once_it_was_dealt_with(batches):
    """Deleting twice does no harm; reading a deleted record names it."""
    keep(batches, KEY.format("a"), json.dumps(invocation("{}")))
    batches.delete(KEY.format("a"))
    batches.delete(KEY.format("a"))
    assert list(batches.list()) == []
    with pytest.raises(NoSuchBatch):
        batches.read(KEY.format("a"))


@pytest.mark.parametrize("text", ["not json", "[]", "{}", json.dumps(invocation("{}")), json.dumps(invocation(None))])
def test_an_object_that_is_no_batch_says_so(batches, text: str):
    """A person must inspect it."""
    keep(batches, KEY.format("a"), text)
    with pytest.raises(BatchUnreadable, match="is not an invocation record"):
        batches.read(KEY.format("a"))


@pytest.mark.parametrize("operation", ["ListObjectsV2", "GetObject", "DeleteObject"])
def test_no_answer_is_unavailable(batches, next_time, operation: str):
    """Then ask again."""

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
