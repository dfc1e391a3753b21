"""Kept reads of documents: the file is asked once between two writes of a partition, and what is kept is exact."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workflows.event_store.documents import ANY, Document
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database
from workflows.sqlite.documents import SqliteDocuments

PARTITIONS = ("a", "b")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def hub(path: Path) -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def documents(path: Path, hub: Hub) -> Iterator[SqliteDocuments]:
    with Database(path, hub=hub) as database:
        yield SqliteDocuments(database)


@pytest.fixture
def beside(path: Path, documents: SqliteDocuments) -> Iterator[SqliteDocuments]:
    """Another reader of the file, which keeps nothing because it is not on the hub."""
    with Database(path, read_only=True) as database:
        yield SqliteDocuments(database)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    writes=st.lists(
        st.tuples(
            st.sampled_from(["put", "put from a thread", "put that expires", "delete", "read"]),
            st.sampled_from(PARTITIONS),
            st.sampled_from("xyz"),
        ),
        max_size=12,
    )
)
def test_a_kept_read_equals_the_file_after_any_writes(
    writes: list[tuple[str, str, str]], documents: SqliteDocuments, beside: SqliteDocuments, hub: Hub
) -> None:
    """An answer that was registered must be found by the next reader, whichever thread wrote it."""
    for number, (act, pk, sk) in enumerate(writes):
        document = Document(pk, sk, {"n": number}, expires_s=2**40 if act == "put that expires" else None)
        if act == "put from a thread":
            documents.put(document, ANY)
        elif act.startswith("put"):
            hub.ask(lambda document=document: documents.put(document, ANY))
        elif act == "delete":
            hub.ask(lambda pk=pk, sk=sk: documents.delete(pk, sk, ANY))
        for partition in PARTITIONS:
            assert hub.ask(lambda pk=partition: documents.list(pk)) == beside.list(partition)
            assert hub.ask(lambda pk=partition, sk=sk: documents.get(pk, sk)) == beside.get(partition, sk)


def test_what_a_reader_does_to_a_body_does_not_change_the_next_read(documents: SqliteDocuments, hub: Hub) -> None:
    """Rows are kept, and each read makes a document of its own."""
    hub.ask(lambda: documents.put(Document("a", "x", {"n": 1}), ANY))
    hub.ask(lambda: documents.list("a"))[0].body["n"] = 2
    assert hub.ask(lambda: documents.list("a"))[0].body == {"n": 1}


def test_a_write_of_another_process_empties_what_is_kept(documents: SqliteDocuments, hub: Hub, path: Path) -> None:
    """A row that is deleted with a database shell is gone for the engine too."""
    hub.ask(lambda: documents.put(Document("a", "x", {}), ANY))
    assert len(hub.ask(lambda: documents.list("a"))) == 1
    delete = "import apsw, sys; apsw.Connection(sys.argv[1]).execute('DELETE FROM documents').close()"
    subprocess.run([sys.executable, "-c", delete, str(path)], check=True)
    assert hub.ask(lambda: documents.list("a")) == []


def test_a_document_that_expired_is_not_kept(documents: SqliteDocuments, hub: Hub) -> None:
    """The write that clears expired documents away also clears the reads that show them."""
    hub.ask(lambda: documents.put(Document("a", "x", {}, expires_s=1), ANY))
    hub.ask(lambda: documents.list("a"))
    hub.ask(lambda: documents.put(Document("b", "y", {}, expires_s=2**40), ANY))
    assert hub.ask(lambda: documents.list("a")) == []
