"""Mutants of ``workflows/upkeep/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="watchdog starts a new run before it notifies",
        breaks="The watchdog notifies the waiting run before it starts a new one.",
        file="workflows/upkeep/watchdog.py",
        old="    if answered or engine.clock.now() <= _notified_until(late):\n",
        new="    if False:\n",
        caught_by=tests("upkeep/test_watchdog.py::test_an_overdue_order_first_has_its_run_started_by_name"),
    ),
    Mutant(
        name="a long outage of a provider is not logged",
        breaks="A circuit open for more than ten minutes is logged in every round, and an alarm counts the lines.",
        file="workflows/upkeep/on_tick.py",
        old="            _log_long_open(circuits, engine.clock.now())\n",
        new="            pass\n",
        caught_by=tests("upkeep/test_watchdog.py::test_a_long_open_circuit_is_logged_in_every_round_until_it_closes"),
    ),
    Mutant(
        name="a failed batch of the stream is left to a person",
        breaks="The timer has failed batches processed again, so that no order waits for the daily comparison.",
        file="workflows/upkeep/on_tick.py",
        old="    if engine.failed_batches is None:\n",
        new="    if True:\n",
        caught_by=tests("handlers/test_redriving.py"),
    ),
    Mutant(
        name="slow failed batches keep the last ones waiting for ever",
        breaks="Each round begins with another batch.",
        file="workflows/upkeep/redriving.py",
        old="    first = round_ * len(keys) // 60\n",
        new="    first = 0\n",
        caught_by=tests("handlers/test_redriving.py"),
    ),
)
