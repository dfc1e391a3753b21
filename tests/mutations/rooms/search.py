"""Mutants of ``workflows/search/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="totals of what is owed by page",
        breaks="Totals are of all that the filter admits.",
        file="workflows/search/owed_list.py",
        old="_totals(connection, conditions, now)",
        new="_totals(connection, [*conditions, *rest], now)",
        caught_by=tests("search/test_owed.py"),
    ),
)
