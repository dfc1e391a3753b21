"""Mutants of ``workflows/sql/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="deleted views read on",
        breaks="The engine opens the views again after the projector replaced their file.",
        file="workflows/sql/database.py",
        old="            raise DisconnectionError\n",
        new="            pass\n",
        caught_by=tests("sql/test_database.py::test_readers_read_the_new_file_after_another_process_replaced_it"),
    ),
)
