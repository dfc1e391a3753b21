"""Mutants of ``workflows/runs/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="engine compared with a newer log",
        breaks="What the engine must know already is looked up in the log as it was before the engine was read.",
        file="workflows/runs/differences.py",
        old="    for recorded in read.before.recorded:\n",
        new="    for recorded in read.after.recorded:\n",
        caught_by=tests("runs/test_differences.py::test_an_event_recorded_after_the_engine_was_read_is_no_difference"),
    ),
    Mutant(
        name="attempts counted for another branch",
        breaks="An event of an execution belongs to the state that led to it, not to the state that was entered last.",
        file="workflows/runs/visits.py",
        old='            visit = walk.by_event.get(event["previousEventId"])\n',
        new="            visit = walk.visits[-1] if walk.visits else None\n",
        caught_by=tests("runs/test_visits.py"),
    ),
)
