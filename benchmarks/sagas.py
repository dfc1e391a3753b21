"""Sagas a second: whole orders on the embedded engine, and the same small saga on Expediter, DBOS and Restate.

An order takes five answers from people, two machines under a parent, an Express execution and four provider calls. The
people answer at once, in the engine's process. The small saga has eight steps that append one small record each. Every
engine gets a new process and folder for each round, with fsync on. Values are medians of the rounds.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.memory import rss_mb
from benchmarks.options import Options, options
from benchmarks.peers.process import Peer, peer, process, restate_server
from benchmarks.results import Beside, Row, at_least, at_most, publish

Open = Callable[[Path], AbstractContextManager[Peer]]

ENGINES: dict[str, Open] = {
    "Expediter": lambda folder: process(sys.executable, "benchmarks.toy_saga", folder),
    "DBOS": lambda folder: peer("dbos_saga", folder),
    "Restate": lambda folder: peer("restate_saga", folder, restate_server()),
}


@dataclass(slots=True)
class Runs:
    """The rounds of one measurement."""

    rates: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)

    def add(self, answer: dict[str, Any], memory_mb: float) -> None:
        took = sorted(answer["latencies_s"])
        self.rates.append(len(took) / answer["seconds"])
        self.p50_ms.append(_quantile(took, 0.5) * 1000)
        self.p99_ms.append(_quantile(took, 0.99) * 1000)
        self.cpu_ms.append(answer["cpu_seconds"] / len(took) * 1000)
        self.rss_mb.append(memory_mb)

    @property
    def rate(self) -> float:
        return median(self.rates)

    @property
    def detail(self) -> dict[str, Any]:
        return {
            "p50_ms": round(median(self.p50_ms), 1),
            "p99_ms": round(median(self.p99_ms), 1),
            "cpu_ms": round(median(self.cpu_ms), 2),
            "rss_mb": round(median(self.rss_mb)),
            "rounds": [round(rate, 1) for rate in self.rates],
        }


def main() -> None:
    chosen = options(__doc__)
    rows = _toys(chosen) + _orders(chosen) + _growth(chosen) + _in_flight(chosen)
    publish("sagas", rows, quick=chosen.quick, as_json=chosen.json)


# --- the small saga, beside other engines -----------------------------------------------------------------------------


def _toys(chosen: Options) -> list[Row]:
    sagas, rounds = chosen.size(320, 96), chosen.size(3, 1)
    levels = (1, 32, 256)
    runs = {(name, level): Runs() for name in ENGINES for level in levels}
    for _ in range(rounds):
        for name, opened in ENGINES.items():
            with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, opened(Path(folder)) as engine:
                engine.ask(do="run", sagas=sagas // 8, in_flight=8)  # warm up: imports, connections, first pages
                for level in levels:
                    answer = engine.ask(do="run", sagas=sagas, in_flight=level)
                    runs[name, level].add(answer, _memory_mb(name, engine))
    rows = [row for level in levels for row in _toy_rows(runs, level)]
    ours = runs["Expediter", 32]
    spread = Row(
        name="8 steps, 32 in flight: p99 over p50",
        value=median(ours.p99_ms),
        unit="ms",
        floor=Beside("p50", median(ours.p50_ms)),
        target=at_most(10),
    )
    return [*rows, spread]


_TARGETS = {1: {"Restate": at_least(3)}, 32: {"Restate": at_least(5), "DBOS": at_least(10)}}
"""By sagas in flight."""


def _toy_rows(runs: dict[tuple[str, int], Runs], level: int) -> list[Row]:
    targets = _TARGETS.get(level, {})
    ours = runs["Expediter", level]
    return [
        Row(
            name=f"8 steps, {_level_name(level)}, beside {name}",
            value=ours.rate,
            unit="sagas/s",
            peer=Beside(name, runs[name, level].rate),
            target=targets.get(name),
            detail={"ours": ours.detail, "theirs": runs[name, level].detail},
        )
        for name in ENGINES
        if name != "Expediter"
    ]


def _memory_mb(name: str, engine: Peer) -> float:
    pids = engine.ask(do="processes")["pids"] if name == "Restate" else [engine.pid]
    return sum(rss_mb(pid) for pid in pids)


# --- whole orders -----------------------------------------------------------------------------------------------------


def _orders(chosen: Options) -> list[Row]:
    questions: dict[str, dict[str, Any]] = {
        "one at a time": {"orders": chosen.size(40, 8), "in_flight": 1},
        "32 in flight": {"orders": chosen.size(320, 64), "in_flight": 32},
        "256 in flight": {"orders": chosen.size(512, 256), "in_flight": 256},
        "32 in flight, 20 % cancelled and compensated": {
            "orders": chosen.size(160, 40),
            "in_flight": 32,
            "cancelled": 0.2,
        },
        "32 in flight, over HTTP": {"orders": chosen.size(160, 40), "in_flight": 32, "http": True},
    }
    runs = {name: Runs() for name in questions}
    for _ in range(chosen.size(3, 1)):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, _engine(Path(folder)) as engine:
            engine.ask(do="run", orders=16, in_flight=8)
            for name, question in questions.items():
                runs[name].add(engine.ask(do="run", **question), rss_mb(engine.pid))
    rows = [
        Row(name=f"orders, {name}", value=run.rate, unit="orders/s", detail=run.detail) for name, run in runs.items()
    ]
    spread = Row(
        name="orders, 32 in flight: p99 over p50",
        value=median(runs["32 in flight"].p99_ms),
        unit="ms",
        floor=Beside("p50", median(runs["32 in flight"].p50_ms)),
        target=at_most(10),
    )
    return [*rows, spread]


def _engine(folder: Path) -> AbstractContextManager[Peer]:
    return process(sys.executable, "benchmarks.engine_process", folder)


# --- as the database grows --------------------------------------------------------------------------------------------


def _growth(chosen: Options) -> list[Row]:
    many, orders = chosen.size(100_000, 2_000), chosen.size(160, 48)
    runs = {100: Runs(), many: Runs()}
    starts: dict[int, list[float]] = {100: [], many: []}
    memory: dict[int, float] = {}
    compared_s: dict[int, float] = {}
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as few_in,
        tempfile.TemporaryDirectory(prefix="benchmark-") as many_in,
    ):
        folders = {100: Path(few_in), many: Path(many_in)}
        for size, folder in folders.items():
            with _engine(folder) as engine:
                engine.ask(do="fill", orders=size)
                compared_s[size] = engine.ask(do="compare")["seconds"]
        stored_mb = {size: _megabytes(folder) for size, folder in folders.items()}
        for _ in range(chosen.size(3, 1)):
            for size, folder in folders.items():
                with _engine(folder) as engine:
                    started = engine.ask(do="started")
                    starts[size].append(started["import_s"] + started["open_s"])
                    memory[size] = rss_mb(engine.pid)
                    engine.ask(do="run", orders=16, in_flight=8)
                    runs[size].add(engine.ask(do="run", orders=orders, in_flight=32), rss_mb(engine.pid))
    few, much = runs[100], runs[many]
    stored_kb = (stored_mb[many] - stored_mb[100]) * 1024 / (many - 100)
    return [
        Row(
            name=f"orders, 32 in flight, with {many:,} in the database",
            value=much.rate,
            unit="orders/s",
            floor=Beside("with 100", few.rate),
            target=at_least(0.9),
            detail={"with 100": few.detail, f"with {many}": much.detail},
        ),
        Row(
            name=f"start-up with {many:,} orders in the database",
            value=median(starts[many]),
            unit="s",
            floor=Beside("with 100", median(starts[100])),
        ),
        Row(
            name=f"memory after start with {many:,} orders in the database",
            value=memory[many],
            unit="MB",
            floor=Beside("with 100", memory[100]),
        ),
        Row(name="disk per stored order (its log, three executions, their journals)", value=stored_kb, unit="KB"),
        Row(
            name=f"the daily comparison of the view with the log, {many:,} orders in the database",
            value=compared_s[many],
            unit="s",
        ),
    ]


def _megabytes(folder: Path) -> float:
    return (folder / "expediter.sqlite").stat().st_size / 2**20


def _in_flight(chosen: Options) -> list[Row]:
    """Measure the memory of orders that wait for their restaurant, with three executions and two waits each."""
    first, more = chosen.size(200, 50), chosen.size(1000, 200)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, _engine(Path(folder)) as engine:
        engine.ask(do="run", orders=16, in_flight=8)
        engine.ask(do="hold", orders=first)
        before = rss_mb(engine.pid)
        engine.ask(do="hold", orders=more)
        after = rss_mb(engine.pid)
    return [
        Row(
            name="memory per order in flight (three executions; 1,024 are kept folded at most)",
            value=(after - before) * 1024 / more,
            unit="KB",
            detail={"orders": more, "rss_mb_before": round(before), "rss_mb_after": round(after)},
        )
    ]


def _level_name(level: int) -> str:
    return "one at a time" if level == 1 else f"{level} in flight"


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
