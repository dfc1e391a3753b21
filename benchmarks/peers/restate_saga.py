"""The small saga of eight steps on Restate: ``python -m benchmarks.peers.restate_saga FOLDER SERVER``.

The service is invoked over the server's HTTP ingress. Each step is a ``ctx.run_typed``.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import restate

from benchmarks.peers.answering import answer_all
from benchmarks.peers.closed_loop import closed_loop
from benchmarks.peers.records import Records
from benchmarks.peers.restate_server import Requests, restate_services

STEPS = 8


def main(folder: Path, server: str) -> None:
    records = Records(folder / "records.sqlite")
    service = restate.Service("Saga")

    @service.handler()
    async def run_saga(ctx: restate.Context, saga: str) -> int:
        for number in range(STEPS):
            await ctx.run_typed(f"step {number}", records.append, saga=saga, step=number)
        return STEPS

    with restate_services(folder, server, [service]) as running:
        runs, ingress = count(), Requests(running.ingress)

        def invoke(name: str) -> None:
            done = ingress.send("POST", "/Saga/run_saga", name)
            if done != STEPS:
                raise RuntimeError(f"{name} ended after {done} steps")

        def run(sagas: int, in_flight: int) -> dict[str, Any]:
            name = f"saga-{time.time_ns()}-{next(runs)}"
            return closed_loop(lambda number: invoke(f"{name}-{number}"), sagas, in_flight)

        answer_all({"run": run, "processes": lambda: {"pids": [os.getpid(), running.pid]}})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
