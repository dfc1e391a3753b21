"""What happens every minute: the watchdog makes its round, bulk jobs continue, circuits are probed and released, and
batches of the log's stream that failed are tried again.

The circuits come after the watchdog, because a circuit whose stream cannot be read ends the round with its error, and
must not keep the watchdog from the orders.

A minute is the shortest schedule of EventBridge. Circuits and bulk jobs with waiting orders need a tick every few
seconds, so while there are any, one call continues for as long as its caller allows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from workflows.breakers.circuit import Circuit, CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.engine import Engine
from workflows.incidents import bulk_jobs
from workflows.sagas import circuit_waits
from workflows.upkeep.redriving import RedriveRound, redrive
from workflows.upkeep.settings import UpkeepSettings
from workflows.upkeep.watchdog import check_rows, watch

_log = logging.getLogger(__name__)

TICK_EVERY_S = 5.0
"""Between two ticks of the circuits: a third of the shortest interval between probes, and the burst of a release."""

OPEN_LONG_AFTER = timedelta(minutes=10)
"""Above the outages that pass by themselves; orders may wait at a circuit for six hours before they are parked."""

OPEN_LONG = "a circuit has been open for more than ten minutes"
"""The message of a log line of every round, with ``dependency``, ``state`` and ``since``. An alarm counts it."""


def keep_time(
    engine: Engine, settings: UpkeepSettings, *, for_s: float, pause: Callable[[float], None]
) -> dict[str, Any]:
    """Make one round of the watchdog, and tick circuits and bulk jobs for ``for_s`` seconds, at least once.

    Args:
        pause: Waits for that many seconds.

    Returns:
        What was done: the number of ``ticks`` and of ``overdue`` orders, whether work is left (``busy``), and the
        orders that were notified, restarted, parked, not readable (``failed``), or without a row (``missing``; None if
        the rows were not compared with the log this time); and how many failed batches of the stream were processed
        (``redriven``), and which failed again (``not_redriven``).
    """
    until = engine.clock.now() + timedelta(seconds=for_s)
    ticks = 0
    while True:
        ticks += 1
        if ticks == 1:
            done = watch(engine, settings)
            missing = check_rows(engine, settings)
        _advance_bulk_jobs(engine)
        circuit_waits.tick(engine.documents, engine.executions, engine.breakers.values(), engine.clock.now())
        circuits = {dependency: breaker.read() for dependency, breaker in engine.breakers.items()}
        if ticks == 1:
            _log_long_open(circuits, engine.clock.now())
        if not (busy := _is_busy(engine, circuits)) or engine.clock.now() + timedelta(seconds=TICK_EVERY_S) > until:
            break
        pause(TICK_EVERY_S)
    batches = _redrive(engine)  # last, because circuits do not wait for it
    return {
        "ticks": ticks,
        "busy": busy,
        "overdue": done.overdue,
        "notified": done.notified,
        "restarted": done.restarted,
        "parked": done.parked,
        "failed": done.failed,
        "missing": missing,
        "redriven": batches.done,
        "not_redriven": batches.kept,
    }


def _redrive(engine: Engine) -> RedriveRound:
    if engine.failed_batches is None:
        return RedriveRound(done=0, kept=[])
    try:
        return redrive(engine.failed_batches, engine.clock)
    except Exception:  # the next round tries again
        _log.exception("failed batches of the log's stream could not be listed")
        return RedriveRound(done=0, kept=[])


def _log_long_open(circuits: Mapping[Dependency, Circuit], now: datetime) -> None:
    for dependency, circuit in circuits.items():
        if circuit.state is not CircuitState.CLOSED and now > circuit.since + OPEN_LONG_AFTER:
            extra = {"dependency": dependency.value, "state": circuit.state.value, "since": timestamp(circuit.since)}
            _log.warning(OPEN_LONG, extra=extra)


def _advance_bulk_jobs(engine: Engine) -> None:
    for job_id in bulk_jobs.running(engine):
        try:
            bulk_jobs.advance(engine, job_id)
        except Exception:  # the next tick tries again; the other jobs go on
            _log.exception("bulk job %s could not be advanced", job_id)


def _is_busy(engine: Engine, circuits: Mapping[Dependency, Circuit]) -> bool:
    """Whether a bulk job is running, a circuit is open, or orders still wait to be released by a closed one."""
    return bool(bulk_jobs.running(engine)) or any(
        circuit.state is not CircuitState.CLOSED or circuit_waits.has_waits(engine.documents, dependency)
        for dependency, circuit in circuits.items()
    )
