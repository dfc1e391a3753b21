"""Kept histories: equal to the stored stream at all times, and dropped with the key that decrypted them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import SYSTEM
from domain.order.events import NoteAdded, PreparationRequested
from domain.personal import Erased
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History, NewCommit
from workflows.event_store.event_log import WrongExpectedVersion
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing
from workflows.sqlite.recent import Recent

STREAM = "order#1"


@dataclass
class Kept:
    """A log with kept histories, and another reader of the same file that keeps none."""

    hub: Hub
    path: Path
    log: SqliteEventLog
    recent: Recent
    keyring: SqliteKeyRing
    fresh: SqliteEventLog

    def load(self) -> History:
        return self.hub.ask(lambda: self.log.load(STREAM))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    hub, path, clock = Hub(), tmp_path / "state.db", SystemClock()
    with Database(path, hub=hub) as database:
        recent = Recent()
        keyring = SqliteKeyRing(database, on_destroy=lambda: hub.ask(recent.clear))
        log = SqliteEventLog(database, Codec(keyring, EVENT_TYPES), clock, recent=recent)
        with Database(path, read_only=True) as beside:
            fresh = SqliteEventLog(beside, Codec(SqliteKeyRing(beside), EVENT_TYPES), clock)
            yield Kept(hub, path, log, recent, keyring, fresh)
    hub.close()


def new(key: str, *events: Any, subject: str | None = None) -> NewCommit:
    return NewCommit(
        key=key,
        events=events or (PreparationRequested(),),
        actor=SYSTEM,
        correlation="",
        causation="",
        body_hash=key,
        subject=subject,
    )


def test_a_history_is_read_once_and_kept(kept: Kept):
    """The second load is the same object."""
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a")))
    assert kept.load() is kept.load()
    assert kept.load() == kept.fresh.load(STREAM)


def test_writers_of_one_stream_see_each_other(kept: Kept):
    """Fifty tasks append to one stream; a kept history is never older than what is durable."""
    ended = [Deferred[int]() for _ in range(50)]

    def append(number: int) -> None:
        while True:
            history = kept.log.load(STREAM)
            if history.version != kept.fresh.load(STREAM).version:
                ended[number].set_exception(AssertionError("a kept history is behind the file"))
                return
            try:
                ended[number].set_result(kept.log.append(history, new(f"k{number}")).version)
                return
            except WrongExpectedVersion:
                continue

    for number in range(50):
        kept.hub.spawn(lambda number=number: append(number))
    assert sorted(end.result(20) for end in ended) == list(range(1, 51))
    assert kept.load() == kept.fresh.load(STREAM)


def test_an_append_in_another_thread_replaces_what_is_kept(kept: Kept):
    """A function that runs on a thread writes through the same log."""
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a")))
    before = kept.load()
    kept.log.append(kept.log.load(STREAM), new("b"))
    assert (before.version, kept.load().version) == (1, 2)


def test_a_write_of_another_process_empties_what_is_kept(kept: Kept):
    """If a stream was deleted with a database shell, the engine does not use its kept history."""
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a")))
    assert kept.load().version == 1
    delete = "import apsw, sys; apsw.Connection(sys.argv[1]).execute('DELETE FROM events').close()"
    subprocess.run([sys.executable, "-c", delete, str(kept.path)], check=True)
    assert kept.load().version == 0


def test_a_destroyed_key_takes_what_was_decrypted_with_it(kept: Kept):
    """An erased text must not stay readable in memory."""
    note = NoteAdded(note_id="1", by=SYSTEM, text="Ada rings twice")
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a", note, subject="ada")))
    assert kept.load().recorded[0].event.text == "Ada rings twice"  # type: ignore[union-attr]  # it is the note
    kept.keyring.destroy("ada", kept.keyring.key_id_of("ada"))
    assert kept.load().recorded[0].event.text == Erased()  # type: ignore[union-attr]  # it is the note


@pytest.mark.parametrize("key", ["b", "a"], ids=["append", "repeated append"])
def test_an_append_after_a_key_was_destroyed_keeps_nothing_that_it_decrypted(kept: Kept, key: str):
    """The task loaded the order before the erasure, so its history still has the erased text."""
    note = NoteAdded(note_id="1", by=SYSTEM, text="Ada rings twice")
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a", note, subject="ada")))
    loaded_before = kept.load()
    kept.keyring.destroy("ada", kept.keyring.key_id_of("ada"))
    kept.hub.ask(lambda: kept.log.append(loaded_before, new(key, note if key == "a" else PreparationRequested())))
    assert kept.load().recorded[0].event.text == Erased()  # type: ignore[union-attr]  # it is the note


def test_a_key_destroyed_while_an_append_becomes_durable_takes_its_history_too(kept: Kept):
    """The append is in the transaction, and its task has not gone on yet."""
    kept.log.on_commit(lambda _: kept.recent.clear())
    kept.hub.ask(lambda: kept.log.append(kept.log.load(STREAM), new("a")))
    assert kept.recent.find(STREAM) is None


@given(st.lists(st.tuples(st.sampled_from(["append", "keep"]), st.integers(0, 8)), max_size=30))
def test_no_order_of_appends_and_late_results_keeps_an_old_history(steps: list[tuple[str, int]]):
    """A task may get its result after a later commit is durable; its history is older then and is not kept."""
    recent, newest = Recent(), 0
    for step, version in steps:
        if step == "append":
            newest += 1
            recent.appended(Commit(STREAM, newest, "k", "", b"", ""))
        elif version <= newest:
            recent.keep(History(stream=STREAM, recorded=(object(),) * version))  # type: ignore[arg-type]  # only counted
        found = recent.find(STREAM)
        assert found is None or found.version == newest


def test_only_the_streams_used_last_are_kept():
    """Memory is bounded."""
    recent = Recent(streams_max=2)
    for number in range(3):
        recent.keep(History(stream=f"order#{number}"))
    assert (recent.find("order#0"), len(recent)) == (None, 2)
