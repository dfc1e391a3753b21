"""The contract of every document store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows.aws.documents import DynamoDbDocuments
from workflows.event_store.documents import ANY, Document, DocumentChanged, Documents, all_documents
from workflows.in_memory.documents import InMemoryDocuments
from workflows.sqlite.database import Database
from workflows.sqlite.documents import SqliteDocuments


@pytest.fixture(params=["in-memory", "sqlite", "dynamodb-moto", "dynamodb-local"])
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Documents]:
    match request.param:
        case "in-memory":
            yield InMemoryDocuments()
        case "sqlite":
            with Database(tmp_path / "state.db") as database:
                yield SqliteDocuments(database)
        case _:
            client = request.getfixturevalue("dynamodb_client")(request.param.removeprefix("dynamodb-"))
            table = request.getfixturevalue("create_table")(client, "documents", pk="S", sk="S")
            yield DynamoDbDocuments(client, table)


def test_a_document_is_read_as_it_was_written(documents: Documents):
    """A document holds any JSON, and its version."""
    body = {"token": "t", "n": [1, 2.5, None, True], "deep": {"ü": "☕"}}
    stored = documents.put(Document("wait#1", "ready", body), None)
    assert stored == Document("wait#1", "ready", body, version=1)
    assert documents.get("wait#1", "ready") == stored
    assert documents.get("wait#1", "other") is None


def test_a_document_is_created_once(documents: Documents):
    """Expected ``None`` means that the document does not exist yet."""
    documents.put(Document("a", "b", {}), None)
    with pytest.raises(DocumentChanged, match="is at version 1, expected no version") as conflict:
        documents.put(Document("a", "b", {"mine": True}), None)
    assert (conflict.value.expected, conflict.value.found) == (None, 1)
    assert documents.get("a", "b").body == {}


def test_a_write_replaces_the_version_it_read(documents: Documents):
    """Each write increases the version by one; a stale write is refused with both versions."""
    documents.put(Document("a", "b", {"n": 0}), None)
    assert documents.put(Document("a", "b", {"n": 1}), 1).version == 2
    with pytest.raises(DocumentChanged, match="is at version 2, expected version 1"):
        documents.put(Document("a", "b", {"n": 9}), 1)
    with pytest.raises(DocumentChanged, match="is at no version, expected version 1"):
        documents.put(Document("a", "c", {}), 1)
    assert documents.get("a", "b").body == {"n": 1}


def test_any_replaces_or_creates(documents: Documents):
    """For documents whose last writer may win."""
    assert documents.put(Document("a", "b", {"n": 0}), ANY).version == 1
    assert documents.put(Document("a", "b", {"n": 1}), ANY).version == 2


def test_a_delete_names_the_version_it_deletes(documents: Documents):
    """A wait is deleted only if it is still the same wait."""
    documents.put(Document("a", "b", {}), None)
    with pytest.raises(DocumentChanged):
        documents.delete("a", "b", 2)
    documents.delete("a", "b", 1)
    assert documents.get("a", "b") is None
    with pytest.raises(DocumentChanged):
        documents.delete("a", "b", 1)
    documents.delete("a", "b", ANY)


def test_a_partition_is_listed_by_sort_key_in_pages(documents: Documents):
    """The read is consistent and returns no document of another partition."""
    for sk in ("b", "a", "d", "c", "é"):
        documents.put(Document("p", sk, {"sk": sk}), None)
    documents.put(Document("q", "a", {}), None)
    assert [document.sk for document in documents.list("p")] == ["a", "b", "c", "d", "é"]
    first = documents.list("p", limit=2)
    assert [document.sk for document in first] == ["a", "b"]
    assert [document.sk for document in documents.list("p", limit=2, after=first[-1].sk)] == ["c", "d"]
    assert documents.list("empty") == []


def test_a_value_that_is_not_json_is_refused(documents: Documents):
    """The store in memory refuses it too, so that a test cannot store a value that the others refuse."""
    with pytest.raises(TypeError):
        documents.put(Document("a", "b", {"at": object()}), None)


def test_changing_a_body_after_a_read_or_write_does_not_change_the_store(documents: Documents):
    """The store keeps a copy of its own."""
    body = {"list": [1]}
    documents.put(Document("a", "b", body), None)
    body["list"].append(2)
    documents.get("a", "b").body["list"].append(3)
    assert documents.get("a", "b").body == {"list": [1]}


def test_a_partition_of_many_is_listed_to_the_end(documents: Documents):
    """All documents are returned, though they are more than DynamoDB sends in one answer."""
    for number in range(14):
        documents.put(Document("p", f"{number:02}", {"text": "x" * 100_000}), None)
    assert [document.sk for document in documents.list("p")] == [f"{number:02}" for number in range(14)]
    assert [document.sk for document in documents.list("p", limit=12, after="01")][-1] == "13"


def test_all_pages_of_a_partition_are_listed_and_a_short_page_ends_the_listing(documents: Documents, monkeypatch):
    """A read after a short page would cost money and time, and return nothing."""
    reads = []
    listed = documents.list
    monkeypatch.setattr(documents, "list", lambda *pk, **page: reads.append(page) or listed(*pk, **page))
    for number in range(5):
        documents.put(Document("p", f"{number}", {}), None)
    for page, expected_reads in ((2, 3), (4, 2), (5, 2), (6, 1)):
        reads.clear()
        assert [document.sk for document in all_documents(documents, "p", page=page)] == ["0", "1", "2", "3", "4"]
        assert len(reads) == expected_reads


def test_concurrent_writes_with_any_all_succeed(documents: Documents):
    """No write is refused, and each increases the version."""
    threads = [threading.Thread(target=lambda n=n: documents.put(Document("a", "b", {"n": n}), ANY)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.get("a", "b").version == 4


def test_a_counter_of_many_threads_loses_no_increment(documents: Documents):
    """Each thread reads and writes, and tries again if another thread wrote first."""
    documents.put(Document("a", "n", {"n": 0}), None)

    def count() -> None:
        for _ in range(20):
            while True:
                stored = documents.get("a", "n")
                try:
                    documents.put(Document("a", "n", {"n": stored.body["n"] + 1}), stored.version)
                    break
                except DocumentChanged:
                    continue

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert documents.get("a", "n").body == {"n": 80}


LONG_AGO, IN_A_CENTURY = 1, 4_900_000_000
"""Unix times."""


def test_a_document_that_expires_is_read_like_any_other_until_then(documents: Documents):
    """Only the write says when; a reader that needs the moment finds it in the body."""
    documents.put(Document("a", "kept", {"n": 1}), None)
    stored = documents.put(Document("a", "short", {"n": 2}, expires_s=IN_A_CENTURY), None)
    assert stored.version == 1
    expected = [Document("a", "kept", {"n": 1}, version=1), Document("a", "short", {"n": 2}, version=1)]
    assert documents.get("a", "short") == expected[1]
    assert documents.list("a") == expected
    with pytest.raises(DocumentChanged):
        documents.put(Document("a", "short", {}, expires_s=IN_A_CENTURY), None)
    assert documents.put(Document("a", "short", {"n": 3}), 1) == Document("a", "short", {"n": 3}, version=2)
    documents.delete("a", "short", 2)


@pytest.mark.parametrize("expires_s", [None, IN_A_CENTURY])
def test_a_document_that_is_written_again_has_the_expiry_of_the_last_write(documents: Documents, expires_s: int | None):
    """A position that is sent again lives on, and a document without an expiry is never deleted by the store."""
    documents.put(Document("a", "b", {"n": 1}, expires_s=IN_A_CENTURY - 1), None)
    documents.put(Document("a", "b", {"n": 2}, expires_s=expires_s), 1)
    documents.put(Document("p", "q", {}, expires_s=IN_A_CENTURY), None)
    assert documents.get("a", "b") == Document("a", "b", {"n": 2}, version=2)


def test_the_file_loses_expired_documents_when_another_that_expires_is_written(tmp_path: Path):
    """So it stays small without a task of its own. DynamoDB deletes them itself; memory keeps them, as DynamoDB may."""
    with Database(tmp_path / "state.db") as database:
        documents = SqliteDocuments(database)
        documents.put(Document("a", "kept", {}), None)
        documents.put(Document("a", "old", {}, expires_s=LONG_AGO), None)
        documents.put(Document("p", "later", {}, expires_s=IN_A_CENTURY), None)
        assert [document.sk for pk in ("a", "p") for document in documents.list(pk)] == ["kept", "later"]
        documents.put(Document("a", "old", {}), None)
        documents.put(Document("p", "more", {}, expires_s=IN_A_CENTURY), None)
        assert documents.get("a", "old") is not None


def test_documents_of_a_folder_with_the_former_column_are_kept(tmp_path: Path):
    """Earlier versions stored a column that no reader used; opening the folder drops this column only."""
    former = "CREATE TABLE documents (pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,"
    former += " indexes TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID, STRICT"
    with Database(tmp_path / "state.db") as database:
        database.write(lambda connection: connection.execute(former).close())
        row = """INSERT INTO documents VALUES ('a', 'b', 2, '{"n": 1}', '{}')"""
        database.write(lambda connection: connection.execute(row).close())
        documents = SqliteDocuments(database)
        assert documents.get("a", "b") == Document("a", "b", {"n": 1}, version=2)
        assert documents.put(Document("a", "b", {"n": 2}), 2).version == 3


def test_documents_survive_a_restart(tmp_path: Path):
    """Breaker counters and checkpoints are kept, although the engine tolerates their loss."""
    for expected in (None, 1, 2):
        with Database(tmp_path / "state.db") as database:
            SqliteDocuments(database).put(Document("a", "b", {"n": expected}), expected)
    with Database(tmp_path / "state.db", read_only=True) as database:
        assert SqliteDocuments(database).get("a", "b").version == 3
