"""The DynamoDB log when an answer is lost, late or a refusal: a read finds out whether the commit was written."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from domain.identifiers import SYSTEM
from domain.order.events import PreparationRequested
from workflows.aws.clients import ATTEMPTS, CONFIGS
from workflows.aws.event_log import DynamoDbEventLog
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import NewCommit
from workflows.event_store.event_log import StreamUnavailable, WrongExpectedVersion

STREAM = "order#1"


@pytest.fixture(params=["dynamodb-moto", "dynamodb-local"])
def log(request, open_store):
    with open_store(request.param) as store:
        yield store.open()


def commit(key: str) -> NewCommit:
    return NewCommit(
        key=key, events=(PreparationRequested(),), actor=SYSTEM, correlation="", causation="", body_hash="b"
    )


@pytest.fixture
def once(next_time):
    """As ``next_time``, for the client of a log."""
    return lambda log, event, happens: next_time(log._client, event, happens)


def refused(code: str, status: int) -> tuple[SimpleNamespace, dict]:
    error = {"Code": code, "Message": "injected"}
    return SimpleNamespace(status_code=status), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}


def timed_out(**_):
    raise ReadTimeoutError(endpoint_url="injected")


def unreachable(**_):
    raise EndpointConnectionError(endpoint_url="injected")


def test_a_put_that_botocore_repeats_recognises_its_own_item(log, once):
    """The second attempt fails its condition, but the stored item has the commit's key, so it is a success."""
    happened = once(log, "needs-retry.dynamodb.PutItem", lambda **_: 0)
    history = log.append(log.load(STREAM), commit("k"))
    assert happened
    assert history == log.load(STREAM)
    assert history.version == 1


def test_an_answer_that_is_lost_for_good_is_settled_by_reading(log, once):
    """The write took effect although no attempt got a response: the item is this commit."""
    happened = once(log, "after-call.dynamodb.PutItem", timed_out)
    history = log.append(log.load(STREAM), commit("k"))
    assert happened
    assert history == log.load(STREAM)


def test_an_internal_error_after_the_write_is_settled_by_reading(log, once):
    """After a 500 the write may have taken effect."""

    def internal_error(http_response, parsed, **_):
        http_response.status_code = 500
        parsed.update(refused("InternalServerError", 500)[1])

    happened = once(log, "after-call.dynamodb.PutItem", internal_error)
    assert log.append(log.load(STREAM), commit("k")) == log.load(STREAM)
    assert happened


def test_an_unanswered_write_that_lost_to_another_is_a_conflict(log, once):
    """The read finds another commit at its version."""
    before = log.load(STREAM)
    log.append(before, commit("theirs"))
    once(log, "before-call.dynamodb.PutItem", unreachable)
    with pytest.raises(WrongExpectedVersion) as conflict:
        log.append(before, commit("mine"))
    assert conflict.value.winner.k == "theirs"


def test_a_write_that_did_not_arrive_is_unavailable_and_can_be_repeated(log, once):
    """It may still arrive, so it is not reported as failed; the same key makes the retry safe."""
    before = log.load(STREAM)
    once(log, "before-call.dynamodb.PutItem", unreachable)
    with pytest.raises(StreamUnavailable, match=STREAM):
        log.append(before, commit("k"))
    assert log.append(before, commit("k")).version == 1


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_throttled_write_or_read_is_unavailable(log, once, code: str):
    """Throttling is temporary, so it is retryable."""
    once(log, "before-call.dynamodb.PutItem", lambda **_: refused(code, 400))
    with pytest.raises(StreamUnavailable):
        log.append(log.load(STREAM), commit("k"))
    for operation, read in (("Query", lambda: log.load(STREAM)), ("Scan", lambda: list(log.scan()))):
        once(log, f"before-call.dynamodb.{operation}", lambda **_: refused(code, 400))
        with pytest.raises(StreamUnavailable):
            read()


def test_a_read_without_an_answer_is_unavailable(log, once):
    """No decision is made on a history that was not read completely."""
    once(log, "after-call.dynamodb.Query", timed_out)
    with pytest.raises(StreamUnavailable):
        log.load(STREAM)


def test_an_unknown_outcome_that_cannot_be_read_is_unavailable(log, once):
    """Neither the write nor the read after it was answered."""
    once(log, "after-call.dynamodb.PutItem", timed_out)
    once(log, "after-call.dynamodb.GetItem", timed_out)
    before = log.load(STREAM)
    with pytest.raises(StreamUnavailable):
        log.append(before, commit("k"))
    assert log.append(before, commit("k")) == log.load(STREAM)


def test_a_permanent_error_is_not_reported_as_unavailable(log, once, clock, keyring):
    """A retry does not help against a missing table or permission."""
    elsewhere = DynamoDbEventLog(log._client, "no-such-table", Codec(keyring, EVENT_TYPES), clock)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.load(STREAM)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.append(log.load(STREAM), commit("k"))


def test_a_commit_is_one_item_with_the_documented_attributes(log, once):
    """Other programs and the tamper alarm read the table."""
    history = log.append(log.load(STREAM), commit("k"))
    (item,) = log._client.scan(TableName=log._table)["Items"]
    assert {name: next(iter(value)) for name, value in item.items()} == {
        "pk": "S", "sk": "N", "k": "S", "ts": "S", "h": "B", "ev": "S",
    }  # fmt: skip
    assert bytes(item["h"]["B"]) == history.head


@pytest.mark.parametrize("service", ["dynamodb", "kms", "stepfunctions", "events", "secretsmanager"])
def test_no_call_outlives_a_function_of_thirty_seconds(service: str):
    """The timeouts of three attempts and the pauses of at most 1 s and 2 s between them fit into its time."""
    config = CONFIGS[service]
    assert ATTEMPTS * (config.connect_timeout + config.read_timeout) + 1 + 2 < 30
