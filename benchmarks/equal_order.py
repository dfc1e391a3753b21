"""One order workflow on Expediter, Restate, DBOS and Temporal, with the same people, the same providers and fsync on.

The order: its payment is authorised; a kitchen and a courier work beside each other and give five answers from outside,
each of which the workflow awaits; the payment is captured. Each step appends an event record. A cancelled order gives
back its payment, its ticket and its offer. Every engine gets a new process and folder for each round, the rounds
alternate, and values are medians of the rounds. At the end of a round every order must have its end, all its records
and all its calls of providers; otherwise the benchmark fails.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import Options, options
from benchmarks.peers.process import Peer, peer, process, restate_server
from benchmarks.process_tree import tree_cpu_s, tree_rss_mb
from benchmarks.results import Beside, Row, at_least, publish
from benchmarks.sagas import Runs


@dataclass(frozen=True, slots=True)
class MeasuredEngine:
    """How an engine is started, and how many orders it can play in about the time of the others."""

    open: Callable[[Path], AbstractContextManager[Peer]]
    orders: int


@dataclass(frozen=True, slots=True)
class Load:
    """How orders arrive: how many at the same time, and the share that is cancelled."""

    name: str
    in_flight: int
    cancelled: float = 0.0


OURS = "Expediter"
ENGINES = {
    OURS: MeasuredEngine(lambda folder: process(sys.executable, "benchmarks.engine_process", folder), 192),
    "Restate": MeasuredEngine(lambda folder: peer("restate_order", folder, restate_server()), 128),
    "DBOS": MeasuredEngine(lambda folder: peer("dbos_order", folder), 48),
    "Temporal": MeasuredEngine(lambda folder: peer("temporal_order", folder), 32),
}
ONE, MANY, CANCELLED = LOADS = (
    Load("one at a time", 1),
    Load("32 in flight", 32),
    Load("32 in flight, 20 % cancelled", 32, cancelled=0.2),
)

Measured = dict[tuple[str, Load], Runs]


def main() -> None:
    chosen = options(__doc__)
    measured = _measure(chosen)
    rows = [row for load in LOADS for row in _rows(measured, load)]
    publish("equal_order", rows, quick=chosen.quick, as_json=chosen.json)


def _measure(chosen: Options) -> Measured:
    measured: Measured = {(name, load): Runs() for name in ENGINES for load in LOADS}
    for number in range(chosen.size(3, 1)):
        names = list(ENGINES) if number % 2 == 0 else list(reversed(ENGINES))
        for name in names:
            with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, ENGINES[name].open(Path(folder)) as engine:
                engine.ask(do="run", orders=16, in_flight=8, cancelled=0.2)  # imports, connections, first pages
                for load in LOADS:
                    orders = chosen.size(ENGINES[name].orders, 32)
                    _add(measured[name, load], engine, load, orders // 8 if load is ONE else orders)
                engine.ask(do="check")
    return measured


def _add(runs: Runs, engine: Peer, load: Load, orders: int) -> None:
    before = tree_cpu_s(engine.pid)
    answer = engine.ask(do="run", orders=orders, in_flight=load.in_flight, cancelled=load.cancelled)
    answer["cpu_seconds"] = tree_cpu_s(engine.pid) - before  # with the server
    runs.add(answer, tree_rss_mb(engine.pid))


def _rows(measured: Measured, load: Load) -> list[Row]:
    ours = measured[OURS, load]
    theirs = {name: measured[name, load] for name in ENGINES if name != OURS}
    best = max(theirs, key=lambda name: theirs[name].rate)
    rates = [
        Row(
            name=f"orders, {load.name}, beside {name}",
            value=ours.rate,
            unit="orders/s",
            peer=Beside(name, runs.rate),
            target=at_least(5) if (name, load) == (best, MANY) else None,
            detail={"ours": ours.detail, "theirs": runs.detail},
        )
        for name, runs in theirs.items()
    ]
    cpu = [
        Row(
            name=f"CPU time of an order, {load.name}, beside {name}",
            value=ours.detail["cpu_ms"],
            unit="ms",
            peer=Beside(name, runs.detail["cpu_ms"]),
        )
        for name, runs in theirs.items()
    ]
    return rates + cpu


if __name__ == "__main__":
    main()
