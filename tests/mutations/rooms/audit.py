"""Mutants of ``workflows/audit/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="nodes of the tree with their children swapped",
        breaks="The tree of heads is that of RFC 6962, which other programs compute too.",
        file="workflows/audit/merkle.py",
        old="node_hash(self._edge.pop(), stored[-1])",
        new="node_hash(stored[-1], self._edge.pop())",
        caught_by=tests("audit/test_merkle.py::test_the_heads_are_those_of_the_reference_implementation"),
    ),
    Mutant(
        name="only the newest published head compared",
        breaks="A commit contradicts every head that was ever published, also if the order was published again since.",
        file="workflows/audit/stream_walk.py",
        old="            self._unconfirmed.setdefault(head.version, set()).add(head.hash)\n",
        new="            self._unconfirmed = {head.version: {head.hash}}\n",
        caught_by=tests(
            "audit/test_tamperings.py::test_each_tampering_is_found_and_named_by_the_checks_that_claim_it"
            "[sqlite-the same, and the order went on and was published again]"
        ),
    ),
    Mutant(
        name="a checkpoint of another key continued",
        breaks="A replaced key is never taken for a rotated one.",
        file="workflows/audit/checkpoints.py",
        old="            self._signer.key.check(header.note)\n",
        new="            pass\n",
        caught_by=tests("audit/test_checkpoints.py::test_a_checkpoint_of_another_key_is_not_continued"),
    ),
    Mutant(
        name="a checkpoint forgets what the last one could not publish",
        breaks="A checkpoint begins where the last published one ended, so a failure is made up for.",
        file="workflows/audit/checkpoints.py",
        old='self._changed.since(before.mark if before else "", COMMITS_MAX)',
        new="self._changed.since(str(newest), COMMITS_MAX)",
        caught_by=tests(
            "audit/test_checkpoints.py::test_a_checkpoint_adds_the_streams_that_changed_since_the_one_before"
        ),
    ),
)
