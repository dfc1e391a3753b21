"""Failed batches of the stream: the timer has them processed again, so that no order waits for a person or a day."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers import feed, timer
from tests.domain.order import stories as s
from tests.recorded import Shop
from workflows.aws import clients
from workflows.aws.failed_batches import FailedBatches
from workflows.aws.redriving import InvokedBatches
from workflows.embedded.lambda_.feed import stream_record
from workflows.engine import serving
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.failed_batches import FailedBatchesUnavailable
from workflows.projections.open_orders import open_order
from workflows.upkeep.redriving import BEGIN_WITHIN, KEPT, redrive

ENVIRONMENT = {"ORDER_MACHINE": "OrderMachine", "FAILED_BATCHES_BUCKET": "failed"}
FEED = "arn:aws:lambda:eu-central-1:123456789012:function:Feed"


class Functions:
    """Lambda, which has the function of the feed alone; ``fails`` is whether its records fail again."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.fails = False

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == FEED
        event = json.loads(Payload)
        failed = {"batchItemFailures": [{"itemIdentifier": "1"}]}
        with serving(self._shop.engine, ENVIRONMENT):
            answer = failed if self.fails else feed.handler(event, None)
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode())}


@pytest.fixture
def bucket(moto: None) -> FailedBatches:
    clients.s3().create_bucket(Bucket="failed", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return FailedBatches(clients.s3(), "failed")


def put_aside(key: str, records: list[dict[str, Any]]) -> None:
    """Store a batch as Lambda does, or an unreadable one if there are no records."""
    about = {"functionArn": FEED, "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 10}
    payload = json.dumps({"Records": records}) if records else "nonsense"
    body = {"requestContext": about, "timestamp": "2026-05-04T12:00:00Z", "payload": payload}
    clients.s3().put_object(Bucket="failed", Key=f"aws/lambda/{key}", Body=json.dumps(body).encode())


def test_an_order_that_the_feed_gave_up_on_is_started_by_the_next_round_of_the_timer(
    bucket: FailedBatches, caplog: pytest.LogCaptureFixture
) -> None:
    """Its first commit was lost, so it has no row that the watchdog could find overdue. A batch that fails stays."""
    shop = Shop()
    with serving(shop.engine, ENVIRONMENT):
        timer.handler({}, None)  # compares the rows with the log, which it does once a day
    shop.play(*s.PLACED)
    [commit] = shop.log.read(f"order#{s.ORDER_ID}")
    functions = Functions(shop)
    record: Any = stream_record(FeedEntry(1, commit))
    put_aside("a", [json.loads(json.dumps(record))])
    put_aside("b", [])
    engine = replace(shop.engine, failed_batches=InvokedBatches(bucket, functions))
    functions.fails = True
    with serving(engine, ENVIRONMENT):
        first = timer.handler({}, None)
        assert not shop.executions.started
        functions.fails = False
        second = timer.handler({}, None)
    assert (first["redriven"], sorted(first["not_redriven"])) == (0, ["aws/lambda/a", "aws/lambda/b"])
    assert (second["redriven"], second["not_redriven"]) == (1, ["aws/lambda/b"])
    assert list(bucket.list()) == ["aws/lambda/b"]
    assert shop.executions.started
    assert open_order(shop.documents, s.ORDER_ID) is not None
    problems = [vars(line)["problem"] for line in caplog.records if line.getMessage() == KEPT]
    assert problems[0] == "1 of 1 records failed again"
    assert all("is not an invocation record" in problem for problem in problems[1:])


class Batches:
    """Batches by name. ``redrives`` answers for each, and may raise."""

    def __init__(self, names: str, redrives: Callable[[str], str]) -> None:
        self._names = names
        self._redrives = redrives
        self.tried: list[str] = []

    def keys(self) -> list[str]:
        return list(self._names)

    def redrive(self, key: str) -> str:
        self.tried.append(key)
        return self._redrives(key)


def test_a_batch_whose_function_does_not_answer_does_not_stop_the_others() -> None:
    """It is tried again in the next round."""

    def redrives(key: str) -> str:
        if key == "a":
            raise FailedBatchesUnavailable
        return ""

    done = redrive(Batches("abc", redrives), Shop().clock)
    assert (done.done, done.kept) == (2, ["a"])


def test_slow_batches_leave_the_rest_to_the_next_rounds_each_of_which_begins_with_another() -> None:
    """A round of the timer has five minutes, and the last batches must not wait for ever."""
    clock = Shop().clock

    def redrives(key: str) -> str:
        clock.at += BEGIN_WITHIN + timedelta(seconds=1)
        return "again"

    batches = Batches("abcdef", redrives)
    for minute in range(60):
        clock.at = clock.at.replace(minute=minute, second=0)
        redrive(batches, clock)
    assert set(batches.tried) == set("abcdef")
    assert len(batches.tried) == 60


def test_a_bucket_that_does_not_answer_does_not_fail_the_round(caplog: pytest.LogCaptureFixture) -> None:
    """The watchdog's alarm would follow, although it has done its work."""

    class Silent(Batches):
        def keys(self) -> list[str]:
            raise FailedBatchesUnavailable

    shop = Shop()
    with serving(replace(shop.engine, failed_batches=Silent("", lambda _: "")), ENVIRONMENT):
        assert timer.handler({}, None)["redriven"] == 0
    assert "could not be listed" in caplog.text
