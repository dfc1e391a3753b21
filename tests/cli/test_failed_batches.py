"""Failed batches of the stream from the command line, on moto's S3 and with a stub of the Lambda function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import boto3
import pytest
from moto import mock_aws

from workflows.aws.failed_batches import FailedBatches

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:{}"
FROM = ("--bucket", "failed", "--region", "eu-west-1")


@dataclass
class Function:
    """A stub of every function: ``answers(event)`` returns the payload of the answer and whether it failed."""

    answers: Callable[[Any], tuple[Any, bool]] = lambda _event: ({"batchItemFailures": []}, False)
    invoked: list[tuple[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __call__(self, params: Any, context: Any, **_: Any) -> Any:
        event = json.loads(params["body"])
        self.invoked.append((params["url_path"], event))
        self.bodies.append(params["body"])
        answer, failed = self.answers(event)
        response = {"StatusCode": 200, "Payload": BytesIO(json.dumps(answer).encode())}
        return _Http(), response | ({"FunctionError": "Unhandled"} if failed else {})


class _Http:
    status_code = 200


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Function]:
    """Replace Lambda's Invoke by a stub."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        session = boto3.Session()
        function = Function()
        session.events.register("before-call.lambda.Invoke", function)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        yield function


@pytest.fixture
def kept(function: Function) -> Callable[[], list[str]]:
    """Fill a bucket with two batches of the feed, one of the publisher and one unreadable object.

    Returns:
        A function that lists the names of the objects in the bucket.
    """
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="failed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

    def keep(name: str, function: str, *streams: str) -> None:
        records = [{"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": stream}}}} for stream in streams]
        about = {
            "functionArn": ARN.format(function),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 6,
        }
        record = {
            "requestContext": about,
            "timestamp": "2026-05-04T12:00:00Z",
            "payload": json.dumps({"Records": records}),
        }
        s3.put_object(Bucket="failed", Key=f"aws/lambda/{name}", Body=json.dumps(record))

    keep("1", "food-Feed-X1", "order#a", "order#b", "order#a")
    keep("2", "food-Publisher-X2", "order#a")
    keep("3", "food-Feed-X1:live", "order#c")
    s3.put_object(Bucket="failed", Key="aws/lambda/4", Body=b"nonsense")

    def now() -> list[str]:
        listed = s3.list_objects_v2(Bucket="failed").get("Contents", [])
        return [each["Key"].rpartition("/")[2] for each in listed]

    return now


def test_batches_are_listed_with_function_time_cause_and_orders(expediter: Any, kept: Any) -> None:
    """An unreadable object is listed too, because a person has to look at it."""
    listed = expediter("failed-batches", "list", *FROM)
    assert (listed.code, listed.err) == (0, "4 batches\n")
    first, second, _, last = listed.out.splitlines()
    assert first == ("2026-05-04T12:00:00.000000Z  food-Feed-X1  RetryAttemptsExhausted  3 records  order#a, order#b")
    assert "food-Publisher-X2" in second
    assert "aws/lambda/4" in last
    assert "is not an invocation record" in last
    of_one = expediter("failed-batches", "list", *FROM, "--function", ARN.format("food-Feed-X1"), "--json").json
    assert [batch.get("streams") for batch in of_one["batches"]] == [["order#a", "order#b"], ["order#c"], None]
    few = expediter("failed-batches", "list", *FROM, "--limit", "1")
    assert few.err == "1 batches; 3 more were not read, see --limit\n"


def test_each_batch_is_redriven_to_its_function_and_deleted_once_no_record_failed(
    expediter: Any, kept: Any, function: Function
) -> None:
    """Batches of other functions and unreadable objects stay in the bucket."""
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1")
    assert (result.code, kept()) == (1, ["2", "4"])
    assert [path for path, _ in function.invoked] == ["/2015-03-31/functions/food-Feed-X1/invocations"] * 2
    assert [len(event["Records"]) for _, event in function.invoked] == [3, 1]
    assert "redriven: 2 batches, 1 failed, 1 of other functions left" in result.err
    assert result.err.endswith("expediter: 1 batches could not be read and were kept; look at them in the bucket\n")


def test_a_batch_that_fails_again_is_kept_and_the_others_are_redriven(
    expediter: Any, kept: Any, function: Function
) -> None:
    """After a partial failure the whole batch is kept: processing a record again has no effect."""

    def answers(event: Any) -> tuple[Any, bool]:
        if len(event["Records"]) == 3:
            return {"batchItemFailures": [{"itemIdentifier": "7"}]}, False
        return {"errorType": "StreamUnavailable"}, True

    function.answers = answers
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1", "--json")
    assert (result.code, kept()) == (1, ["1", "2", "3", "4"])
    problems = [batch["problem"] for batch in result.json["batches"]]
    assert problems[0] == "1 of 3 records failed again"
    assert problems[1] == 'the function failed: {"errorType": "StreamUnavailable"}'
    assert {name: result.json[name] for name in ("redriven", "failed", "of_others")} == {
        "redriven": 0,
        "failed": 3,
        "of_others": 1,
    }


def _put(name: str, payload: Any, **about: Any) -> None:
    context = {"functionArn": ARN.format("food-Feed-X1"), "condition": "c", "approximateInvokeCount": 1} | about
    record = {"requestContext": context, "timestamp": "2026-05-04T12:00:00Z", "payload": payload}
    boto3.client("s3", region_name="eu-west-1").put_object(
        Bucket="failed", Key=f"aws/lambda/{name}", Body=json.dumps(record).encode()
    )


UNREADABLE: dict[str, tuple[Any, dict[str, Any]]] = {
    "records that are not objects": ('{"Records":[1,null]}', {}),
    "deeply nested lists": ("[" * 100_000, {}),
    "a function without a name": ('{"Records":[]}', {"functionArn": 5}),
    "infinitely many attempts": ('{"Records":[]}', {"approximateInvokeCount": float("inf")}),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_batch_is_listed_with_its_problem_and_the_others_are_redriven(
    expediter: Any, kept: Any, function: Function, case: str
) -> None:
    """It is not counted as a failure of the function, which never received it."""
    payload, about = UNREADABLE[case]
    _put("0", payload, **about)
    listed = expediter("failed-batches", "list", *FROM, "--json")
    assert (listed.code, len(listed.json["batches"])) == (0, 5)
    assert "is not an invocation record" in listed.json["batches"][0]["problem"]
    function.answers = lambda event: ({"batchItemFailures": [{}] * (len(event["Records"]) == 1)}, False)
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1")
    assert (result.code, kept()) == (1, ["0", "2", "3", "4"])
    assert result.err.endswith(
        "expediter: 1 batches failed and were kept; see the function's log, "
        "and 2 batches could not be read and were kept; look at them in the bucket\n"
    )


def test_a_record_without_a_stream_name_is_listed_without_a_stream(expediter: Any, kept: Any) -> None:
    """Only the function judges records."""
    _put("0", json.dumps({"Records": [{"dynamodb": None}, {"dynamodb": {"Keys": {"pk": {"S": 7}}}}, {}]}))
    assert expediter("failed-batches", "list", *FROM, "--json").json["batches"][0]["streams"] == []


def test_a_redriven_payload_is_not_longer_than_the_original(expediter: Any, kept: Any, function: Function) -> None:
    """A batch may have had Lambda's limit of 6 MB: no spaces, and escapes only for lone surrogates."""
    records = [{"dynamodb": {"NewImage": {"ev": {"S": "\u00e9\u732b"}}}}]
    _put("0", json.dumps({"Records": records}))
    _put("1", json.dumps({"Records": [{"half": "\ud800"}]}))
    expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1")
    first, second, _ = function.bodies
    assert first == '{"Records":[{"dynamodb":{"NewImage":{"ev":{"S":"\u00e9\u732b"}}}}]}'.encode()
    assert second == b'{"Records":[{"half":"\\ud800"}]}'


def test_control_characters_in_stream_names_are_escaped(expediter: Any, kept: Any) -> None:
    """The terminal must not execute them; ``--json`` keeps the name unchanged."""
    name = "order#\x1b[2J\r\n\ud800\u00e9"
    _put("0", json.dumps({"Records": [{"dynamodb": {"Keys": {"pk": {"S": name}}}}]}))
    shown = expediter("failed-batches", "list", *FROM).out.splitlines()[0]
    assert shown.endswith("order#\\x1b[2J\\r\\n\\ud800\u00e9")
    assert expediter("failed-batches", "list", *FROM, "--json").json["batches"][0]["streams"] == [name]


def test_a_dry_run_invokes_and_deletes_nothing(expediter: Any, kept: Any, function: Function) -> None:
    """It prints what a redrive would do."""
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Publisher-X2", "--dry-run")
    assert "would redrive: 1 batches, 1 failed, 2 of other functions left" in result.err
    assert (function.invoked, kept()) == ([], ["1", "2", "3", "4"])


def test_a_batch_that_was_deleted_meanwhile_is_not_a_failure(
    expediter: Any, kept: Any, function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people may redrive at once."""
    monkeypatch.setattr(FailedBatches, "list", lambda _: iter(["aws/lambda/1", "aws/lambda/gone"]))
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1")
    assert (result.code, len(function.invoked), kept()) == (0, 1, ["2", "3", "4"]), result
    monkeypatch.setattr(FailedBatches, "list", lambda _: iter(["aws/lambda/gone"]))
    assert expediter("failed-batches", "list", *FROM).err == "0 batches\n"


def test_a_function_that_does_not_consume_the_stream_ends_the_redrive_before_a_deletion(
    expediter: Any, kept: Any, function: Function
) -> None:
    """Only a function of the stream reports which records failed."""
    function.answers = lambda _event: (None, False)
    result = expediter("failed-batches", "redrive", *FROM, "--function", "food-Feed-X1")
    assert (result.code, kept()) == (2, ["1", "2", "3", "4"])
    assert "does not answer like a function of the stream" in result.err


def test_redriving_an_empty_bucket_succeeds(expediter: Any, kept: Any) -> None:
    """The exit code is 0, with batches and without."""
    boto3.client("s3", region_name="eu-west-1").delete_object(Bucket="failed", Key="aws/lambda/4")
    for function in ("food-Feed-X1", "food-Publisher-X2", "food-Feed-X1"):
        assert expediter("failed-batches", "redrive", *FROM, "--function", function).code == 0
    assert kept() == []
    assert expediter("failed-batches", "list", *FROM, "--json").json == {"batches": [], "not_read": 0}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("list", 2, "'--bucket'"),
        ("redrive --bucket failed", 2, "'--function'"),
        ("list --bucket nothing --region eu-west-1", 2, "the bucket nothing does not exist"),
        ("list --bucket failed --limit 0", 2, "'--limit'"),
    ],
)
def test_wrong_options_are_reported_in_one_line(
    expediter: Any, kept: Any, arguments: str, code: int, words: str
) -> None:
    result = expediter("failed-batches", *arguments.split())
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
    assert words in result.err
