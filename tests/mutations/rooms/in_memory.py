"""Mutants of ``workflows/in_memory/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="row that changed meanwhile is archived",
        breaks="Only the row whose hash was verified gets the name of a line in place of its content.",
        file="workflows/in_memory/event_log.py",
        old="                if stored is not None and stored.h == commit.h:\n",
        new="                if stored is not None:\n",
        caught_by=tests("archive/test_archiving_contract.py::test_a_row_that_was_changed_meanwhile_is_not_replaced"),
    ),
)
