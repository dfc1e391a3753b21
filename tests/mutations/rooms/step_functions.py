"""Mutants of ``workflows/embedded/step_functions/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

BYTES = "embedded/test_bytes_after_fsync.py"
LOCAL = "embedded/test_local_step_functions.py"

MUTANTS = (
    Mutant(
        name="answer before the fsync of the journal",
        breaks="The effects and answers of a round of the driver follow the fsync of its journal entries.",
        file="workflows/embedded/step_functions/rounds.py",
        old=".add_done_callback(lambda written: self._written(round_, written))\n",
        new="\n        self._perform(round_)\n",
        caught_by=tests(f"{BYTES}::test_step_functions_answers_after_the_fsync_of_what_was_asked"),
    ),
    Mutant(
        name="created machines are in memory only",
        breaks="A machine that a client created outlives the process.",
        file="workflows/embedded/step_functions/machine_store.py",
        old="        self._database.write(lambda connection: connection.execute(sql, values).close())\n",
        new="",
        caught_by=tests(f"{LOCAL}::test_machines_and_executions_outlive_the_service"),
    ),
    Mutant(
        name="the end of a child overtakes its start",
        breaks="The history of a parent shows that a child started before it shows how the child ended.",
        file="workflows/embedded/step_functions/stepping.py",
        old="            round_.follow.appendleft(work)",
        new="            round_.follow.append(work)",
        caught_by=tests(f"{LOCAL}::test_a_child_that_fails_at_once_is_shown_as_started"),
    ),
    Mutant(
        name="a redriven execution is forgotten",
        breaks="A redriven execution runs again under its ARN, durably.",
        file="workflows/embedded/step_functions/driver.py",
        old="            round_.writes.redriven(running.row)\n",
        new="",
        caught_by=tests(f"{LOCAL}::test_a_failed_execution_is_redriven_after_a_restart"),
    ),
)
