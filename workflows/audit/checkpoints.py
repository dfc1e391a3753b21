"""The tree of heads: make checkpoints of it, and read the ones that were made.

Each checkpoint adds the heads of the streams that changed since the one before. It is one file, written once under the
next number, so of two processes that make a checkpoint at the same time one succeeds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from workflows.audit.changed_heads import Changed, ChangedHeads
from workflows.audit.checkpoint_files import (
    HEADER_BYTES_MAX,
    LINE_BYTES,
    Checkpoint,
    FileMalformed,
    Header,
    file_content,
    leaf_of,
    read_hash,
    read_header,
    read_heads,
)
from workflows.audit.checkpoint_store import CheckpointStore, CheckpointsUnavailable, CheckpointTaken
from workflows.audit.findings import Head
from workflows.audit.merkle import MerkleTree
from workflows.audit.signed_notes import NoteRefused, Signer, signed
from workflows.clock import timestamp

EVERY = timedelta(hours=1)
"""Between two checkpoints."""

MARGIN = timedelta(minutes=10)
"""How far the record of changed streams may lag behind the log."""

COMMITS_MAX = 50_000
"""Commits behind one checkpoint: some 20 MB of memory. More are in checkpoints of their own."""

_CACHED_MAX = 20_000  # headers kept in memory, some 1 KB each: two years of hours


class CheckpointsBroken(Exception):
    """The published checkpoints contradict themselves or the log. Retryable: no; run ``audit verify``."""


class CheckpointFiles:
    """Reads the checkpoint files up to the ``newest`` one as of ``refresh``. Headers are kept: files do not change."""

    def __init__(self, store: CheckpointStore) -> None:
        self._store = store
        self._headers: dict[int, Header] = {}
        self.newest = 0

    def refresh(self) -> int:
        """Look for the newest checkpoint, and return its number. Raises CheckpointsUnavailable."""
        self.newest = self._store.newest()
        return self.newest

    def header(self, number: int) -> Header:
        """Raises CheckpointsBroken."""
        if number not in self._headers:
            if len(self._headers) >= _CACHED_MAX:
                self._headers.clear()
            try:
                self._headers[number] = read_header(self._store.read(number, 0, HEADER_BYTES_MAX))
            except FileMalformed as malformed:
                raise CheckpointsBroken(f"checkpoint {number} {malformed}") from None
        return self._headers[number]

    def heads(self, number: int) -> list[Head]:
        """Return the heads that a checkpoint added. Raises CheckpointsBroken."""
        content = self._store.read(number, self.header(number).heads_start)
        try:
            return read_heads(content)
        except FileMalformed as malformed:
            raise CheckpointsBroken(f"checkpoint {number}: {malformed}") from None

    def stored_hash(self, index: int) -> bytes:
        """Return a stored hash of the tree. Raises CheckpointsBroken."""
        number = self.first(lambda header: index in header.hashes or index < header.hashes.start)
        header = self.header(number)
        content = self._store.read(number, header.start + (index - header.hashes.start) * LINE_BYTES, LINE_BYTES)
        try:
            return read_hash(content)
        except FileMalformed as malformed:
            raise CheckpointsBroken(f"checkpoint {number}: {malformed}") from None

    def first(self, condition: Callable[[Header], bool]) -> int:
        """Return the first checkpoint of which the condition holds; it holds of all later ones. The newest if none."""
        numbers = range(1, self.newest + 1)
        return min(bisect_left(numbers, True, key=lambda number: condition(self.header(number))) + 1, self.newest)


class CheckpointMaker:
    """Makes checkpoints."""

    def __init__(self, store: CheckpointStore, changed: ChangedHeads, signer: Signer) -> None:
        self._store = store
        self._changed = changed
        self._signer = signer
        self.files = CheckpointFiles(store)

    def is_due(self, now: datetime) -> bool:
        """Whether the newest checkpoint is an hour old, or there is none. Raises CheckpointsUnavailable."""
        newest = self.files.refresh()
        return newest == 0 or self.files.header(newest).checkpoint.made_at <= timestamp(now - EVERY)

    def make(self, now: datetime) -> list[Checkpoint]:
        """Make checkpoints until every stream that changed is in one; none if no stream changed.

        Raises:
            CheckpointsUnavailable, SignerUnavailable, StreamUnavailable: Retryable: yes. Nothing is lost: the next
                checkpoint has the streams that this one was to have.
            CheckpointsBroken: The newest checkpoint cannot be continued.
        """
        return list(self._made(now))

    def _made(self, now: datetime) -> Iterator[Checkpoint]:
        while True:
            newest = self.files.refresh()
            before = self._checked(newest) if newest else None
            changed = self._changed.since(before.mark if before else "", COMMITS_MAX)
            heads = sorted(set(changed.heads) - set(self.files.heads(newest) if newest else ()))
            if heads:
                try:
                    yield self._publish(newest, before, heads, changed, now)
                except CheckpointTaken as taken:
                    if self.files.refresh() == newest:  # the store does not list what it holds
                        raise CheckpointsUnavailable(str(taken)) from taken
                    continue
            if changed.all:
                return

    def _checked(self, newest: int) -> Checkpoint:
        """Return the newest checkpoint, if the signer's key signed it."""
        header = self.files.header(newest)
        try:
            self._signer.key.check(header.note)
        except NoteRefused as refused:
            what = f"checkpoint {newest} {refused}; continue with its key, or publish to another place"
            raise CheckpointsBroken(what) from None
        return header.checkpoint

    def _publish(
        self, newest: int, before: Checkpoint | None, heads: list[Head], changed: Changed, now: datetime
    ) -> Checkpoint:
        first, made_at, complete_to = 0, timestamp(now), ""
        if before is not None:
            first, made_at, complete_to = before.size, max(made_at, before.made_at), before.complete_to
        if changed.all:
            complete_to = max(complete_to, timestamp(now - MARGIN))
        tree = MerkleTree(first, self.files.stored_hash)
        if before is not None and tree.root != before.root:
            raise CheckpointsBroken(f"checkpoint {newest} does not fit the hashes that are stored beside it")
        hashes = [each for head in heads for each in tree.add(leaf_of(head))]
        key = self._signer.key
        checkpoint = Checkpoint(key.name, tree.size, tree.root, made_at, complete_to, changed.mark)
        note = signed(checkpoint.text, self._signer)
        self._store.add(newest + 1, file_content(note, key=key, first=first, hashes=hashes, heads=heads))
        return checkpoint
