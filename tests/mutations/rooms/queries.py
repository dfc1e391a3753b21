"""Mutants of ``workflows/queries/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="authorizer of queries that admits every column",
        breaks="A query reads the documented columns and no others, whatever its text is.",
        file="workflows/queries/sqlite_child.py",
        old="        return (table, column) in readable",
        new="        return table not in others",
        caught_by=tests("queries/test_hostile.py::test_sqlite_refuses_what_the_reader_would_let_through"),
    ),
    Mutant(
        name="query without a time limit",
        breaks="A query is stopped at its time limit.",
        file="workflows/queries/sqlite_child.py",
        old="lambda: time.monotonic() > deadline_s",
        new="lambda: False",
        caught_by=tests("queries/test_hostile.py::test_a_query_that_takes_too_long_is_stopped"),
    ),
)
