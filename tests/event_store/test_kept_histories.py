"""A log in memory that keeps histories: what it loads is what a replay of all commits gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from domain.identifiers import SYSTEM
from domain.order.events import PreparationRequested, RunStarted
from tests.recorded import HandClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken, NewCommit, UnknownEvent, chain_hash
from workflows.event_store.transact import folded
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing

STREAM = "order#ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"
CODEC = Codec(InMemoryKeyRing(), EVENT_TYPES)


def appended(log: InMemoryEventLog, *keys: str) -> None:
    for key in keys:
        events = (PreparationRequested(), RunStarted(run=2, by=SYSTEM, reason=key))
        new = NewCommit(key=key, events=events, actor=SYSTEM, correlation="", causation="", body_hash="body")
        log.append(log.load(STREAM), new)


def kept() -> InMemoryEventLog:
    return InMemoryEventLog(CODEC, HandClock(), keeps_histories=True)


def names(before: tuple[str, ...], events: tuple[Any, ...]) -> tuple[str, ...]:
    return (*before, *(type(event).__name__ for event in events))


def test_a_stream_that_grew_loads_as_from_the_beginning() -> None:
    """Its events, its head and the states folded from it are those of a log that keeps nothing."""
    log = kept()
    appended(log, "k1", "k2")
    assert folded(log.load(STREAM), tuple, names) == names((), log.load(STREAM).events)
    appended(log, "k3")
    history, plain = log.load(STREAM), log.replay(STREAM, log.read(STREAM))
    assert history == plain
    assert history.folds == {names: names((), plain.events)}
    assert log.load(STREAM) is history


@pytest.mark.parametrize("version", [1, 3, 5])
def test_a_changed_commit_is_found_at_the_next_load(version: int) -> None:
    """A history is kept only while the stream holds the same commits."""
    log = kept()
    appended(log, "k1", "k2", "k3")
    log.load(STREAM)
    log._streams[STREAM][version] = msgspec.structs.replace(log._streams[STREAM][version], k="forged")
    with pytest.raises(ChainBroken):
        log.load(STREAM)


def test_a_stream_that_lost_its_newest_commit_loads_without_it() -> None:
    """Nothing of the removed commit stays in the history."""
    log = kept()
    appended(log, "k1", "k2")
    assert log.load(STREAM).version == 4
    del log._streams[STREAM][3]
    assert log.load(STREAM).version == 2


def test_a_kept_stream_with_an_event_of_a_newer_release_can_be_read() -> None:
    """Only a decision on it is refused, as without kept histories."""
    log = kept()
    appended(log, "k1")
    folded(log.load(STREAM), tuple, names)
    writer = InMemoryEventLog(CODEC, HandClock())
    writer._streams = log._streams
    appended(writer, "k2")
    row = log._streams[STREAM][3]
    unknown = msgspec.structs.replace(row, ev=row.ev.replace('"RunStarted"', '"RunRenamed"'))
    log._streams[STREAM][3] = msgspec.structs.replace(unknown, h=chain_hash(log._streams[STREAM][1].h, unknown))
    history = log.load(STREAM)
    assert history.version == 4
    with pytest.raises(UnknownEvent):
        folded(history, tuple, names)
