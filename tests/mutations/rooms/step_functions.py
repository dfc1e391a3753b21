"""Mutants of ``workflows/embedded/step_functions/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

BYTES = "embedded/test_bytes_after_fsync.py"

MUTANTS = (
    Mutant(
        name="answer before the fsync of the journal",
        breaks="The effects and answers of a round of the driver follow the fsync of its journal entries.",
        file="workflows/embedded/step_functions/rounds.py",
        old=".add_done_callback(lambda written: self._written(round_, written))\n",
        new="\n        self._perform(round_)\n",
        caught_by=tests(f"{BYTES}::test_step_functions_answers_after_the_fsync_of_what_was_asked"),
    ),
)
