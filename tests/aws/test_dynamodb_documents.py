"""Documents in DynamoDB when calls fail: the writer recognises its own write, and an unknown outcome is unavailable."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from workflows.aws.documents import DynamoDbDocuments
from workflows.event_store.documents import ANY, Document, DocumentChanged, DocumentsUnavailable

PUT, DELETE, GET = "PutItem", "DeleteItem", "GetItem"
LOST = "the answer of the first attempt is lost, and botocore repeats it"


@pytest.fixture(params=["moto", "local"])
def documents(request, dynamodb_client, create_table) -> DynamoDbDocuments:
    client = dynamodb_client(request.param)
    return DynamoDbDocuments(client, create_table(client, "documents", pk="S", sk="S"))


@pytest.fixture
def once(next_time, documents):
    """``once("before-call", PUT, happens)``"""
    return lambda when, operation, happens: next_time(documents._client, f"{when}.dynamodb.{operation}", happens)


def timed_out(**_):
    raise ReadTimeoutError(endpoint_url="injected")


def unreachable(**_):
    raise EndpointConnectionError(endpoint_url="injected")


def refused(code: str, status: int):
    error = {"Code": code, "Message": "injected"}
    return lambda **_: (
        SimpleNamespace(status_code=status),
        {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}},
    )


def document(n: int) -> Document:
    return Document("a", "b", {"n": n})


@pytest.mark.parametrize("expected", [None, 1, ANY])
def test_a_put_that_botocore_repeats_recognises_its_own_write(documents, once, expected):
    """The second attempt fails its condition because the first one wrote; that is a success with one new version."""
    if expected == 1:
        documents.put(document(0), None)
    happened = once("needs-retry", PUT, lambda **_: 0)
    stored = documents.put(document(1), expected)
    assert happened
    assert stored == documents.get("a", "b")
    assert stored.version == (2 if expected == 1 else 1)


@pytest.mark.parametrize("expected", [None, 1, ANY])
def test_a_put_without_any_answer_is_settled_by_reading(documents, once, expected):
    """It took effect if the stored document has the id of this write."""
    if expected == 1:
        documents.put(document(0), None)
    happened = once("after-call", PUT, timed_out)
    assert documents.put(document(1), expected) == documents.get("a", "b")
    assert happened


@pytest.mark.parametrize("expected", [None, 1, ANY])
def test_a_put_that_did_not_arrive_is_unavailable(documents, once, expected):
    """The write may still arrive, so it is not reported as failed."""
    if expected == 1:
        documents.put(document(0), None)
    once("before-call", PUT, unreachable)
    with pytest.raises(DocumentsUnavailable):
        documents.put(document(1), expected)
    assert documents.put(document(1), expected).body == {"n": 1}


def test_an_unanswered_put_that_lost_to_another_is_refused(documents, once):
    """Another write has its version, so this one cannot take effect any more."""
    documents.put(document(0), None)

    def overtaken(**_):
        documents.put(document(7), 1)
        unreachable()

    once("before-call", PUT, overtaken)
    with pytest.raises(DocumentChanged, match="is at version 2, expected version 1"):
        documents.put(document(1), 1)


@pytest.mark.parametrize("answered", [LOST, "no attempt is answered"])
def test_a_put_that_may_have_been_replaced_is_unavailable_and_not_refused(documents, once, answered):
    """Two versions later the writer of the first one is unknown, so a refusal could be wrong."""
    documents.put(document(0), None)

    def replaced(**_):
        documents.put(document(7), 2)
        return 0 if answered == LOST else timed_out()

    once("needs-retry" if answered == LOST else "after-call", PUT, replaced)
    with pytest.raises(DocumentsUnavailable):
        documents.put(document(1), 1)
    assert documents.get("a", "b").version == 3


def test_a_conflict_without_a_lost_answer_is_refused(documents):
    """One attempt with one answer: the stored version is another one."""
    documents.put(document(0), None)
    documents.put(document(1), 1)
    documents.put(document(2), 2)
    with pytest.raises(DocumentChanged, match="is at version 3, expected version 1"):
        documents.put(document(9), 1)


def test_a_delete_that_botocore_repeats_is_a_success(documents, once):
    """The second attempt finds no document, which is the wanted result."""
    documents.put(document(0), None)
    happened = once("needs-retry", DELETE, lambda **_: 0)
    documents.delete("a", "b", 1)
    assert happened
    assert documents.get("a", "b") is None


def test_a_delete_without_an_answer_can_be_repeated(documents, once):
    """With ``ANY``, deleting a missing document is not an error."""
    documents.put(document(0), None)
    once("after-call", DELETE, timed_out)
    with pytest.raises(DocumentsUnavailable):
        documents.delete("a", "b", ANY)
    documents.delete("a", "b", ANY)
    assert documents.get("a", "b") is None


@pytest.mark.parametrize(
    "happens", [unreachable, refused("ThrottlingException", 400), refused("InternalServerError", 500)]
)
def test_timeouts_and_throttling_are_unavailable(documents, once, happens):
    """For reading, listing and deleting as for writing."""
    for operation, call in (
        (GET, lambda: documents.get("a", "b")),
        ("Query", lambda: documents.list("a")),
        (DELETE, lambda: documents.delete("a", "b", ANY)),
    ):
        assert not once("before-call", operation, happens)
        with pytest.raises(DocumentsUnavailable):
            call()


def test_an_unknown_outcome_that_cannot_be_read_is_unavailable(documents, once):
    """Neither the write nor the read after it was answered."""
    once("after-call", PUT, timed_out)
    once("after-call", GET, timed_out)
    with pytest.raises(DocumentsUnavailable):
        documents.put(document(1), None)
    assert documents.get("a", "b").body == {"n": 1}


def test_a_permanent_error_is_not_reported_as_unavailable(documents):
    """A retry does not help against a missing table."""
    elsewhere = DynamoDbDocuments(documents._client, "no-such-table")
    for call in (
        lambda: elsewhere.get("a", "b"),
        lambda: elsewhere.list("a"),
        lambda: elsewhere.put(document(1), None),
        lambda: elsewhere.delete("a", "b", ANY),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            call()
