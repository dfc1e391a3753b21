"""Mutants of ``workflows/event_store/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="command not decided again after a conflict",
        breaks="After a conflict the command is decided again on the current stream.",
        file="workflows/event_store/transact.py",
        old="        commit = proposal.decide()\n",
        new='        commit = locals().get("commit") or proposal.decide()\n',
        caught_by=tests(
            "orders/test_command_handling.py::test_a_command_that_lost_a_conflict_is_decided_again_on_the_newer_state"
        ),
    ),
    Mutant(
        name="key of a command not looked up",
        breaks="A repeated command is replayed, wherever in the stream its key was used.",
        file="workflows/event_store/transact.py",
        old="        if history.find(proposal.key, proposal.body_hash):\n",
        new="        if False:\n",
        caught_by=tests(
            "orders/test_command_handling.py::test_a_repeated_command_is_replayed_however_the_order_went_on"
        ),
    ),
    Mutant(
        name="hash without the time",
        breaks="The hash chain covers the time of a commit.",
        file="workflows/event_store/commits.py",
        old='sha256(b"".join((lengths, previous, pk, sk, k, ts, ev)))',
        new='sha256(b"".join((lengths, previous, pk, sk, k, ev)))',
        caught_by=tests("event_store/test_event_log_contract.py::test_a_stream_that_was_tampered_with_is_not_loaded"),
    ),
    Mutant(
        name="sealed field that can be moved",
        breaks="A sealed field is bound to its stream, event and field, so that it cannot be read in another place.",
        file="workflows/event_store/personal_fields.py",
        old="for part in (*self._place, field)).encode()\n",
        new="for part in (field,)).encode()\n",
        caught_by=tests("event_store/test_codec.py::test_a_sealed_field_cannot_be_moved_elsewhere"),
    ),
    Mutant(
        name="line of another commit",
        breaks="A line of the archive is taken only for the commit that it holds.",
        file="workflows/event_store/segments.py",
        old="    if differing:\n",
        new="    if differing and not content:\n",
        caught_by=tests("archive/test_segments_contract.py::test_a_line_is_taken_only_for_the_commit_that_it_holds"),
    ),
    Mutant(
        name="key and time of an archived line not compared",
        breaks="An archived line has the key, the time and the hash of its row.",
        file="workflows/event_store/segments.py",
        old='"sk": row.sk, "k": row.k, "ts": row.ts, "h": row.h.hex()}',
        new='"sk": row.sk, "h": row.h.hex()}',
        caught_by=tests("archive/test_archive_audit.py::test_each_check_finds_what_the_page_says"),
    ),
)
