"""Replay: decode the events of commits, verify the chain and fold the orders, on one core and from memory.

Measured without personal fields (a reader without keys sees them as erased) and with them. Beside it runs the
repository of ``eventsourcing`` on its own store in memory, which neither verifies nor decrypts. Then a SQLite log is
read, decoded, verified and folded, as a rebuild of a view does: on one core, and by a process for each core. Last, a
million events are streamed from a SQLite log, to measure the memory of the process.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from pathlib import Path
from statistics import median

from benchmarks import histories
from benchmarks.filled import commits_of, fill_log, order_id_of
from benchmarks.interleaved import Block, Contender, block, interleaved
from benchmarks.memory import rss_mb
from benchmarks.options import Options, options
from benchmarks.peers.process import Peer, peer
from benchmarks.results import Beside, Row, at_least, at_most, publish
from domain.identifiers import OrderId
from workflows.clock import SystemClock
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Commit, History
from workflows.event_store.event_log import ChainedEventLog, EventLog
from workflows.event_store.keyring import KeyRing, NoKeys
from workflows.event_store.replay import Replayed, converted
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import fold
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog

ORDERS = 200  # different orders, so that no string is the same object twice
EVENTS = sum(len(commitment.events) for commitment in histories.happy(OrderId("ord_x")))


def main() -> None:
    chosen = options(__doc__)
    with peer("replay") as eventsourcing:
        rows = _rates(eventsourcing, chosen)
    rows += _whole_log(chosen)
    rows += _memory(chosen)
    publish("replay", rows, quick=chosen.quick, as_json=chosen.json)


def _rates(eventsourcing: Peer, chosen: Options) -> list[Row]:
    ring = InMemoryKeyRing()
    commits = [list(commits_of(Codec(ring, EVENT_TYPES), order_id_of(number))) for number in range(ORDERS)]
    contenders: dict[str, Contender] = {
        "without personal fields": _folding(commits, NoKeys()),
        "with personal fields": _folding(commits, ring),
        "eventsourcing": lambda count: Block(**eventsourcing.ask(do="replay", events=EVENTS, count=count)),
    }
    timings = interleaved(contenders, rounds=chosen.size(15, 3), calls=chosen.size(2000, 400))
    rates = {name: EVENTS / (timing.cpu_us / 1e6) for name, timing in timings.items()}
    theirs = timings["eventsourcing"]
    rows = []
    for name in ("without personal fields", "with personal fields"):
        measured = f"decode, verify and fold, {name}"
        beside = Beside("eventsourcing's repository", rates["eventsourcing"])
        ratio = 1 / timings[name].cpu_ratio(theirs)
        rows.append(Row(name=measured, value=rates[name], unit="events/s", peer=beside, ratio=ratio))
    plain = rows[0]
    fast = Row(name=plain.name, value=plain.value, unit=plain.unit, target=at_least(250_000, of="value"))
    faster = Row(
        name=f"{plain.name}, beside eventsourcing",
        value=plain.value,
        unit=plain.unit,
        peer=plain.peer,
        ratio=plain.ratio,
        target=at_least(10),
    )
    return [fast, faster, rows[1]]


def _folding(orders: list[list[Commit]], ring: KeyRing) -> Contender:
    log = _CommitsInMemory(Codec(ring, EVENT_TYPES), SystemClock())
    numbers = iter(range(10**9))

    def prepare() -> Callable[[], object]:
        number = next(numbers) % len(orders)
        commits, order_id = orders[number], order_id_of(number)
        return lambda: fold(order_id, log.replayed(commits).events)

    return lambda count: block(prepare, count)


class _CommitsInMemory(InMemoryEventLog):
    """An event log over commits in memory: measures the work that every adapter does after its store has answered."""

    def replayed(self, commits: list[Commit]):  # type: ignore[no-untyped-def]  # returns a History, as load does
        return self.replay(commits[0].pk, commits)


# --- a whole log on all cores ----------------------------------------------------------------------------------------


def _whole_log(chosen: Options) -> list[Row]:
    orders = chosen.size(40_000, 4_000)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        path = Path(folder) / "log.sqlite"
        with _open_to_write(path) as database:
            fill_log(database, Codec(InMemoryKeyRing(), EVENT_TYPES), orders)
        cores = len(os.sched_getaffinity(0))
        seconds: dict[int, list[float]] = {1: [], cores: []}
        for _ in range(chosen.size(3, 1)):
            for count, samples in seconds.items():
                samples.append(_replay_seconds(path, orders, count))
    rates = {count: orders * EVENTS / median(samples) for count, samples in seconds.items()}
    one = Row(name="read from SQLite, decode, verify and fold, one core", value=rates[1], unit="events/s")
    beside = Beside("one core", rates[1])
    every = Row(
        name=f"read from SQLite, decode, verify and fold, {cores} cores",
        value=rates[cores],
        unit="events/s",
        peer=beside,
        ratio=rates[cores] / rates[1],
        target=at_least(300_000, of="value"),
    )
    return [one, every]


def _replay_seconds(path: Path, orders: int, cores: int) -> float:
    start = time.perf_counter()
    versions = converted(partial(_open_to_read, path), _folded_version, cores=cores)
    assert sum(versions) == orders * EVENTS
    return time.perf_counter() - start


@contextmanager
def _open_to_write(path: Path) -> Iterator[Database]:
    with Database(path) as database:
        SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), SystemClock())
        yield database


@contextmanager
def _open_to_read(path: Path) -> Iterator[EventLog]:
    with Database(path, read_only=True) as database:
        yield SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), SystemClock())


def _folded_version(replayed: Replayed) -> int:
    assert isinstance(replayed, History)
    return fold(OrderId(replayed.stream.removeprefix("order#")), replayed.events).version


# --- a million events -------------------------------------------------------------------------------------------------


def _memory(chosen: Options) -> list[Row]:
    orders = chosen.size(1_000_000, 65_000) // EVENTS + 1
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        ring = InMemoryKeyRing()
        with Database(Path(folder) / "log.sqlite") as database:
            log = SqliteEventLog(database, Codec(ring, EVENT_TYPES), SystemClock())
            fill_log(database, Codec(ring, EVENT_TYPES), orders)
            samples = _streamed(log, orders)
    early = samples[len(samples) // 10]
    detail = {"rss_mb": [round(sample, 1) for sample in samples]}
    return [
        Row(
            name=f"memory while {orders * EVENTS:,} events stream through",
            value=max(samples),
            unit="MB",
            floor=Beside("after the first tenth", early),
            target=at_most(1.05),
            detail=detail,
        )
    ]


def _streamed(log: ChainedEventLog, orders: int) -> list[float]:
    """Scan, verify and fold the whole log as the audit does. Records memory at each hundredth of the log."""
    samples, seen = [rss_mb()], 0
    for stream, commits in groupby(log.scan(), key=lambda commit: commit.pk):
        fold(OrderId(stream.removeprefix("order#")), log.replay(stream, commits).events)
        seen += 1
        if seen % (orders // 100) == 0:
            samples.append(rss_mb())
    assert seen == orders, (seen, orders)
    return samples


if __name__ == "__main__":
    main()
