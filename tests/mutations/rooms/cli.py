"""Mutants of ``workflows/cli/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="drill that broke nothing",
        breaks="A drill played by itself is broken before its solution.",
        file="workflows/cli/drills/playing.py",
        old="    return bool(before) and _checked(drill, stage)",
        new="    return _checked(drill, stage)",
        caught_by=tests("cli/test_drill.py::test_a_drill_that_broke_nothing_fails"),
    ),
)
