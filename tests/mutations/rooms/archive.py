"""Mutants of ``workflows/archive/`` and of the feed of archived rows."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="open order archived",
        breaks="Only orders that have ended and owe nothing are archived.",
        file="workflows/archive/archiving.py",
        old="    if order.run_state is not RunState.ENDED or owed(order):\n",
        new="    if order.run_state is not RunState.ENDED and owed(order) is None:\n",
        caught_by=tests("archive/test_archiving.py::test_orders_that_ended_long_ago_are_archived_and_the_others_stay"),
    ),
    Mutant(
        name="table names a segment that is not stored",
        breaks="A segment is stored and read back before the table names it.",
        file="workflows/archive/archiving.py",
        old="    segments.write(number, content)\n",
        new="    log.point(archived)\n    segments.write(number, content)\n",
        caught_by=tests(
            "archive/test_archiving_contract.py::test_no_commit_is_lost_or_doubled_when_a_run_is_killed_at_any_call"
        ),
    ),
    Mutant(
        name="replaced content trusted",
        breaks="A content that was replaced by the name of a line raises the tamper alarm unless the line verifies.",
        file="handlers/feed.py",
        old="    if record.names_line and _is_whole(ports, record.stream, archived):\n",
        new="    if record.names_line:\n",
        caught_by=tests(
            "archive/test_archiver.py::test_what_the_archiver_changes_is_no_tampering_and_any_other_change_is"
        ),
    ),
)
