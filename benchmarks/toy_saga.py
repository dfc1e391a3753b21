"""The small saga of eight steps, each of which appends one small record, on the parts of the embedded engine.

``python -m benchmarks.toy_saga FOLDER``, driven over a pipe like the peers. A step loads its stream and appends an
event to it, in the engine's own log, so that one fsync covers records and journal.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.peers.answering import answer_all
from benchmarks.peers.closed_loop import closed_loop
from domain.identifiers import SYSTEM
from domain.order.events import PreparationReady
from workflows.asl.reading import definition
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.running import Definitions
from workflows.embedded.template import Function
from workflows.engine import EVENT_TYPES, assemble, engine
from workflows.event_store.codec import Codec
from workflows.event_store.commits import NewCommit
from workflows.event_store.keyring import NoKeys
from workflows.event_store.streams import order_stream
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.recent import Recent

STEPS = 8
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

_STATE = """
  Step{number}:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: Step
      Payload: "{{% $merge([$states.context.Execution.Input, {{'step': {number}}}]) %}}"
    Retry: [{{ErrorEquals: [StreamUnavailable], IntervalSeconds: 1, MaxAttempts: 4, BackoffRate: 2}}]
    {then}
"""
SAGA = "QueryLanguage: JSONata\nStartAt: Step1\nStates:" + "".join(
    _STATE.format(number=number, then=f"Next: Step{number + 1}" if number < STEPS else "End: true")
    for number in range(1, STEPS + 1)
)
FUNCTION = Function(
    logical_id="Step", handler="benchmarks.toy_saga.step", timeout_s=30, memory_mb=128, environment={}, routes=()
)


def step(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Append one record to the saga's stream, once: the key of the commit is the number of the step."""
    log = engine().log
    log.append(
        log.load(order_stream(event["saga"])),
        NewCommit(
            key=f"step-{event['step']}",
            events=(PreparationReady(answers=event["step"], at=AT),),
            actor=SYSTEM,
            correlation=event["saga"],
            causation="benchmark",
            body_hash="0123456789abcdef0123456789abcdef",
        ),
    )
    return {}


def main(folder: Path) -> None:
    clock, nothing = SystemClock(), None
    hub = Hub()
    database, alarms = Database(folder / "expediter.sqlite", hub=hub), Alarms(clock, hub)
    journal = Journal(database)
    functions = Functions({"Step": FUNCTION}, clock=clock, hub=hub, alarms=alarms, on_hub=lambda _: True)
    machines = {"Saga": Machine("Saga", False, definition.parse(SAGA, name="Saga"))}
    driver = Driver(database, journal, Definitions(journal), machines, functions, clock=clock, hub=hub, alarms=alarms)
    ports: dict[str, Any] = dict.fromkeys(("documents", "payments", "kitchen", "couriers"), nothing)
    functions.start(
        assemble(
            log=SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), clock, recent=Recent()),
            executions=driver,
            clock=clock,
            **ports,
        )
    )
    driver.begin()
    runs, log = count(), SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), clock)

    def run(sagas: int, in_flight: int) -> dict[str, Any]:
        name = f"saga-{time.time_ns()}-{next(runs)}"
        took = closed_loop(lambda number: _saga(driver, f"{name}-{number}"), sagas, in_flight)
        unfinished = [n for n in range(sagas) if log.load(order_stream(f"{name}-{n}")).version != STEPS]
        assert not unfinished, f"sagas without all their records: {unfinished}"
        return took

    answer_all({"run": run})
    driver.close()
    functions.close(10)
    alarms.close()
    database.close()
    hub.close()


def _saga(driver: Driver, name: str) -> None:
    driver.start("Saga", name, {"saga": name})
    driver.ended(arns.execution_arn("Saga", name)).result(120)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
