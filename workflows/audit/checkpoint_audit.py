"""Verify published checkpoints against each other: signatures, the tree, time, and copies that other readers have.

Every file is read once, and the tree is computed again from its leaves. What the files hold is then compared with the
log by ``verify``: each head that was published at any time must still be in its stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from workflows.audit.checkpoint_files import (
    HEADER_BYTES_MAX,
    LINE_BYTES,
    FileMalformed,
    Header,
    leaf_of,
    read_hash,
    read_header,
    read_heads,
)
from workflows.audit.checkpoint_store import CheckpointStore
from workflows.audit.findings import Finding, Head, PublishedHeads
from workflows.audit.merkle import MerkleTree
from workflows.audit.signed_notes import NoteRefused, VerifierKey


class CheckpointAudit:
    """The audit of one place with checkpoints: what it holds, and what is wrong with it.

    ``roots`` has the tree's head, as computed, at the sizes that other places have checkpoints of; ``signed_roots`` the
    number of the checkpoint and its root, by its size.
    """

    def __init__(self, name: str, key: VerifierKey | None, sizes: Collection[int]) -> None:
        self.name = name
        self.key = key
        self.checkpoints = 0
        self.heads: list[Head] = []
        self.complete_to = self.made_at = ""
        self.roots: dict[int, bytes] = {}
        self.signed_roots: dict[int, tuple[int, bytes]] = {}
        self.findings: list[Finding] = []
        self._sizes = sizes
        self._tree = MerkleTree()

    @property
    def published(self) -> PublishedHeads:
        return PublishedHeads.of(self.heads, self.complete_to)

    def follow(self, number: int, content: bytes) -> None:
        """Compare the next file with those before it."""
        try:
            if not content:
                raise FileMalformed("is missing")
            header = read_header(content)
            heads = read_heads(content[header.heads_start :])
            self.checkpoints += 1
            self.heads += heads
            self._check_signature(number, header)
            self._check_time(number, header)
            self._check_tree(number, header, heads, content[header.start : header.heads_start])
        except FileMalformed as malformed:
            self.find(number, str(malformed))

    def find(self, number: int, what: str) -> None:
        self.findings.append(Finding(f"{self.name} checkpoint {number}", number, what))

    def _check_signature(self, number: int, header: Header) -> None:
        self.key = self.key or header.key
        try:
            if header.checkpoint.origin != self.key.name or header.key != self.key:
                raise NoteRefused(f"is signed by {header.key.name}, not by {self.key.name}: the key was replaced")
            self.key.check(header.note)
        except NoteRefused as refused:
            self.find(number, str(refused))

    def _check_tree(self, number: int, header: Header, heads: list[Head], stored: bytes) -> None:
        """Raises FileMalformed."""
        checkpoint, before = header.checkpoint, self._tree.size
        if header.first != before or checkpoint.size != before + len(heads):
            self.find(number, f"does not continue the tree of {before} leaves: it adds {len(heads)} to {header.first}")
        expected: list[bytes] = []
        for head in heads:
            expected += self._tree.add(leaf_of(head))
            if self._tree.size in self._sizes:
                self.roots[self._tree.size] = self._tree.root
        self.signed_roots[checkpoint.size] = (number, checkpoint.root)
        if self._tree.root != checkpoint.root:
            what = "its root is not that of its heads and those before: checkpoints were changed, or history forked"
            self.find(number, what)
        elif [read_hash(stored[at : at + LINE_BYTES]) for at in range(0, len(stored), LINE_BYTES)] != expected:
            self.find(number, "the hashes that are stored beside it are not those of its heads")

    def _check_time(self, number: int, header: Header) -> None:
        checkpoint = header.checkpoint
        if checkpoint.made_at < self.made_at:
            what = f"was made at {checkpoint.made_at}, earlier than the one before it at {self.made_at}"
            self.find(number, what)
        self.made_at = max(self.made_at, checkpoint.made_at)
        self.complete_to = max(self.complete_to, checkpoint.complete_to)


def audit_checkpoints(places: Mapping[str, CheckpointStore], key: VerifierKey | None) -> CheckpointAudit:
    """Verify each place, and each against the others.

    Args:
        places: The name for findings, and the store. The first one is to be compared with the log.
        key: The key that must have signed all checkpoints; None: that of the first one.

    Returns:
        The audit of the first place, with the findings of all.
    """
    sizes = {size for store in places.values() for size in _sizes(store)}
    audits = []
    for name, store in places.items():
        audit = CheckpointAudit(name, key, sizes)
        for number in range(1, store.newest() + 1):
            audit.follow(number, store.read(number))
        key = key or audit.key
        audits.append(audit)
    first, *others = audits
    for other in others:
        if (newest := max(other.signed_roots, default=0)) > max(first.signed_roots, default=0):
            number = other.signed_roots[newest][0]
            other.find(number, f"is newer than all in {first.name}: checkpoints were removed there")
        _find_forks(first, other)
        _find_forks(other, first)
        first.findings += other.findings
    return first


def _sizes(store: CheckpointStore) -> Iterator[int]:
    """Yield the sizes of the checkpoints that can be read."""
    for number in range(1, store.newest() + 1):
        try:
            yield read_header(store.read(number, 0, HEADER_BYTES_MAX)).checkpoint.size
        except FileMalformed:
            continue


def _find_forks(one: CheckpointAudit, other: CheckpointAudit) -> None:
    """Find checkpoints of one place that are not about the other's tree as it was at that size."""
    for size, (number, root) in one.signed_roots.items():
        if other.roots.get(size, root) != root:
            one.find(number, f"a tree of {size} leaves has another root than in {other.name}: two histories were shown")
