"""The embedded engine in a process of its own, driven over a pipe: ``python -m benchmarks.engine_process FOLDER``.

So its memory and its start-up can be measured alone. fsync is on; the engine has no mode without it.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.peers.answering import answer_all

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


def main(folder: Path) -> None:
    began = time.perf_counter()
    from benchmarks.observed_engine import observed_engine
    from benchmarks.people import People, expected_ends
    from workflows.embedded.garbage import collect_rarely
    from workflows.sandbox.opening import sandbox_gateways
    from workflows.sandbox.settings import SandboxSettings

    imported = time.perf_counter()
    people, providers = People(), sandbox_gateways(SandboxSettings())
    with observed_engine(people.wrapped).open(folder, template=TEMPLATE, gateways=providers) as engine:
        opened = time.perf_counter()
        collect_rarely()
        from benchmarks.driver import CommandDriver, HttpDriver

        commands = CommandDriver(engine)
        requests: list[HttpDriver] = []
        runs = count()
        ends: dict[Any, str] = {}  # by order, of all runs

        def run(orders: int, in_flight: int, cancelled: float = 0.0, http: bool = False) -> dict[str, Any]:
            if http and not requests:
                requests.append(HttpDriver(engine, engine.serve(0)))
            driver = requests[0] if http else commands
            name = f"{os.getpid()}-{next(runs)}"
            start, cpu = time.perf_counter(), time.process_time()
            took = people.play(
                engine,
                driver,
                orders=orders,
                in_flight=in_flight,
                cancelled=cancelled,
                name=name,
            )
            measured = {
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - cpu,
                "latencies_s": took,
            }
            ends.update(expected_ends(name, orders, cancelled))
            return measured

        def check() -> dict[str, Any]:
            from benchmarks.order_ends import check_orders

            check_orders(engine, ends)
            return {"orders": len(ends)}

        def hold(orders: int) -> dict[str, Any]:
            people.hold(commands, orders=orders, name=f"hold-{os.getpid()}-{next(runs)}")
            return {"waits": _settled(engine)}

        def fill(orders: int) -> dict[str, Any]:
            from benchmarks.filled import fill_engine
            from benchmarks.histories import CUSTOMER
            from domain.identifiers import order_id_for

            run(1, 1)
            like = order_id_for(CUSTOMER, f"{os.getpid()}-0-0")
            fill_engine(engine.executions._rounds._database, engine.ports.log._codec, orders, like)  # type: ignore[attr-defined]  # filled without the engine's knowledge, see filled.py
            return {}

        def compare() -> dict[str, Any]:
            """Run the timer's daily comparison of the view with the log now, so that it disturbs no later run."""
            from workflows.event_store.documents import ANY
            from workflows.settings import read
            from workflows.upkeep.settings import read_upkeep
            from workflows.upkeep.watchdog import _CHECK, check_rows

            engine.ports.documents.delete(*_CHECK, ANY)  # the timer may have run it while the log was being filled
            upkeep = read(engine._template.functions["Timer"].environment, read_upkeep)
            start = time.perf_counter()
            while check_rows(engine.ports, upkeep) is not None:
                pass
            return {"seconds": time.perf_counter() - start}

        answer_all(
            {
                "compare": compare,
                "started": lambda: {"import_s": imported - began, "open_s": opened - imported},
                "run": run,
                "serve": lambda: {"port": engine.serve(0)},
                "check": check,
                "hold": hold,
                "fill": fill,
            }
        )
        people.close()


def _settled(engine: Any) -> int:
    """Wait until every held order waits for its restaurant in both machines."""
    from workflows.asl.signals import ExecutionStatus

    while True:
        running = engine.reports.latest(status=ExecutionStatus.RUNNING, limit=100_000)
        read = lambda c: c.execute("SELECT count(*) FROM documents WHERE pk >= 'wait#' AND pk < 'wait$'").fetchall()  # noqa: E731
        waits = int(engine.executions._rounds._database.read(read)[0][0])
        if running and waits * 3 >= len(running) * 2:  # an order has three executions and two waits
            return waits
        time.sleep(0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
