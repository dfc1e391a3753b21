"""What happens by the clock: circuits are probed and released, and the watchdog makes its round.

The schedule comes once a minute, which is as often as EventBridge can. Circuits need to be looked at every few seconds
while orders wait at one, so the call goes on for as long as it is told, and only then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from workflows import circuit_waits
from workflows.bootstrap import Engine
from workflows.breakers.circuit import State
from workflows.time_budgets import budgets
from workflows.watchdog import check_view, watch

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
        if not _busy(engine) or engine.clock.now() + timedelta(seconds=TICK_EVERY_S) > until:
            break
        pause(TICK_EVERY_S)
    return {
        "ticks": ticks,
        "overdue": done.overdue,
        "rung": done.rung,
        "restarted": done.restarted,
        "parked": done.parked,
        "failed": done.failed,
        "missing": found,
    }


def _busy(engine: Engine) -> bool:
    """Whether a circuit is open, or has closed and orders are still to be let go."""
    return any(
        breaker.read().state is not State.CLOSED or circuit_waits.anybody_waits(engine.documents, breaker.dependency)
        for breaker in engine.breakers.values()
    )
