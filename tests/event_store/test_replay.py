"""Replaying a whole log: every stream once, verified, on one core or on several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest

from benchmarks.filled import fill_log, order_id_of
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.event_log import EventLog, Share, shares_by_name
from workflows.event_store.keyring import NoKeys
from workflows.event_store.replay import BrokenStream, Replayed, converted
from workflows.event_store.streams import order_stream
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

ORDERS = 450  # more than a process converts at once, in some of its shares


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay") / "log.sqlite"
    with Database(path) as database:
        codec = Codec(InMemoryKeyRing(), EVENT_TYPES)
        SqliteEventLog(database, codec, SystemClock())
        fill_log(database, codec, ORDERS)
    return path


@contextmanager
def open_log(path: Path) -> Iterator[EventLog]:
    with Database(path, read_only=True) as database:
        yield SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), SystemClock())


def summary(replayed: Replayed) -> tuple[str, int | str]:
    if isinstance(replayed, BrokenStream):
        return replayed.stream, type(replayed.error).__name__
    return replayed.stream, replayed.version


@pytest.mark.parametrize("cores", [1, 2])
def test_every_stream_is_replayed_once_and_a_broken_one_is_named(path: Path, cores: int) -> None:
    """A rebuild sees all orders, whatever the number of processes, and one damaged order does not stop it."""
    damaged = order_stream(order_id_of(7))
    with apsw.Connection(str(path)) as connection:
        connection.execute("UPDATE events SET k = k || 'x' WHERE pk = ? AND sk = 1", (damaged,))
    summaries = list(converted(partial(open_log, path), summary, cores=cores))
    expected = {order_stream(order_id_of(number)): 13 for number in range(ORDERS)} | {damaged: "ChainBroken"}
    assert len(summaries) == ORDERS
    assert dict(summaries) == expected


def fail(replayed: Replayed) -> None:
    raise ValueError(replayed.stream)


def test_an_error_of_a_conversion_ends_the_replay(path: Path) -> None:
    """A view is not built from a part of the log."""
    with pytest.raises(ValueError, match="order#"):
        list(converted(partial(open_log, path), fail, cores=2))


def test_ranges_of_names_hold_every_name_once() -> None:
    """Streams that begin while the log is replayed belong to a share too, also before the first and after the last."""
    shares = shares_by_name(["c", "a", "d", "b", "b"], 3)
    assert shares == [Share(0, 3, "", "b"), Share(1, 3, "b", "c"), Share(2, 3, "c", None)]
    assert shares_by_name([], 4) == [Share(0, 1, "", None)]
