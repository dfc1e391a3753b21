"""The small saga of eight steps on DBOS over SQLite: ``python -m benchmarks.peers.dbos_saga FOLDER``.

A workflow of eight steps, started and awaited in its own process: the shortest program in DBOS's documentation. Its
system database is set to WAL mode first, which is faster than SQLite's default and which DBOS does not change.
``synchronous`` stays FULL, SQLite's default, so that each commit is on disk.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import sqlite3
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from benchmarks.peers.answering import answer_all
from benchmarks.peers.closed_loop import closed_loop
from benchmarks.peers.records import Records

STEPS = 8


def main(folder: Path) -> None:
    records = Records(folder / "records.sqlite")
    system = folder / "dbos.sqlite"
    with sqlite3.connect(system) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    config: DBOSConfig = {
        "name": "benchmark",
        "system_database_url": f"sqlite:///{system}",
        "log_level": "ERROR",
        "run_admin_server": False,
    }
    DBOS(config=config)

    @DBOS.step()
    def step(saga: str, number: int) -> str:
        return records.append(saga, number)

    @DBOS.workflow()
    def saga_of_steps(saga: str) -> int:
        for number in range(STEPS):
            step(saga, number)
        return STEPS

    DBOS.launch()
    runs = count()

    def run(sagas: int, in_flight: int) -> dict[str, Any]:
        name = f"saga-{time.time_ns()}-{next(runs)}"

        def saga(number: int) -> None:
            with SetWorkflowID(f"{name}-{number}"):
                saga_of_steps(f"{name}-{number}")

        return closed_loop(saga, sagas, in_flight)

    answer_all({"run": run})
    DBOS.destroy()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
