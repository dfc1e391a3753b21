"""What happens by the clock: circuits are probed and released, the watchdog makes its round, bulk retries go on.

The schedule comes once a minute, which is as often as EventBridge can. Circuits and retries need to be looked at every
few seconds while orders wait for one, so the call goes on for as long as it is told, and only then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from workflows.breakers.circuit import State
from workflows.engine import Engine
from workflows.incidents import bulk_retry
from workflows.sagas import circuit_waits
from workflows.time_budgets import budgets
from workflows.upkeep.watchdog import check_view, watch

_log = logging.getLogger(__name__)

TICK_EVERY_S = 5.0
"""Between two looks at the circuits: a third of the shortest interval between probes, and the burst of a release."""


def keep_time(
    engine: Engine, environment: Mapping[str, str], *, for_s: float, pause: Callable[[float], None]
) -> dict[str, Any]:
    """Make the watchdog's round, and look after the circuits for ``for_s`` seconds, at least once. Says what it did."""
    machine, allowed = environment["ORDER_MACHINE"], budgets(environment)
    until = engine.clock.now() + timedelta(seconds=for_s)
    ticks = 0
    while True:
        circuit_waits.tick(engine.documents, engine.executions, engine.breakers.values(), engine.clock.now())
        ticks += 1
        if ticks == 1:
            done = watch(engine, machine, allowed)
            found = check_view(engine, machine, allowed)
        _go_on_retrying(engine)
        if not (busy := _busy(engine)) or engine.clock.now() + timedelta(seconds=TICK_EVERY_S) > until:
            break
        pause(TICK_EVERY_S)
    return {
        "ticks": ticks,
        "busy": busy,
        "overdue": done.overdue,
        "rung": done.rung,
        "restarted": done.restarted,
        "parked": done.parked,
        "failed": done.failed,
        "missing": found,
    }


def _go_on_retrying(engine: Engine) -> None:
    for job_id in bulk_retry.running(engine):
        try:
            bulk_retry.advance(engine, job_id)
        except Exception:  # the next look tries again; the others go on
            _log.exception("bulk retry %s could not be advanced", job_id)


def _busy(engine: Engine) -> bool:
    """Whether a retry is under way, or a circuit is open, or has closed and orders are still to be let go."""
    return bool(bulk_retry.running(engine)) or any(
        breaker.read().state is not State.CLOSED or circuit_waits.anybody_waits(engine.documents, breaker.dependency)
        for breaker in engine.breakers.values()
    )
