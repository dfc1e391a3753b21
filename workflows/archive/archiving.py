"""Move the content of orders that ended long ago out of the table of events, into segments of the archive.

1. Orders whose last commit is old enough are loaded, which verifies their chains. One that is open or owes something
   stays.
2. A segment is stored durably and read back.
3. The contents in the table are replaced by the names of their lines.

A process that is killed before 3 leaves a segment that nothing names. One that is killed within 3, where that is not
one transaction, leaves orders of which the archive has a part: the next run archives them as a whole, into another
segment. Nothing is replaced before its copy was read back, so no order is ever lost, and the table names one line for
each commit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from domain.order.intents import owed
from domain.order.order import RunState
from workflows.audit.merkle import leaf_hash, node_hash
from workflows.clock import timestamp
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import ChainBroken, Commit, UnknownEvent
from workflows.event_store.segments import (
    ArchivableLog,
    OrderAge,
    SegmentDamaged,
    Segments,
    commit_line,
    merged,
    with_contents,
)
from workflows.orders.command_handling import folded_order

COMMITS_MAX: Final = 5_000
"""Commits in a segment, some 4 MB."""


@dataclass(slots=True, kw_only=True)
class ArchiveRun:
    """What a run moved.

    Attributes:
        kept: Orders that are old enough, but are open, owe something or cannot be read.
        reached: The stream after which a later run goes on, if this one was stopped; None at the end of the log.
    """

    orders: int = 0
    commits: int = 0
    segments: int = 0
    kept: int = 0
    reached: str | None = None


def archive_orders(
    log: ArchivableLog,
    segments: Segments,
    before: datetime,
    *,
    dry_run: bool = False,
    after: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_segment: Callable[[ArchiveRun], None] = lambda _: None,
) -> ArchiveRun:
    """Archive the orders whose last commit was recorded before a time.

    Args:
        dry_run: Only count them.
        after: The stream that an earlier run reached.
        stop: Called after each order: whether to store what was loaded, and end.
        on_segment: Called after each segment with what was moved so far.

    Raises:
        StreamUnavailable, SegmentsUnavailable, OSError: What was moved before stays moved. Retryable: yes.
        SegmentDamaged: A segment was read back otherwise than it was written. Nothing names it.
        SegmentTaken: Another process archives too.
    """
    run = _Archiving(log, segments, dry_run=dry_run, on_segment=on_segment)
    oldest = timestamp(before)
    for order in log.ages(after):
        run.consider(order, oldest)
        if stop():
            run.flush()
            run.done.reached = order.stream
            return run.done
    run.flush()
    return run.done


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of RFC 6962 over at least one leaf."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


class _Archiving:
    """Collects the commits of the next segment."""

    def __init__(
        self, log: ArchivableLog, segments: Segments, *, dry_run: bool, on_segment: Callable[[ArchiveRun], None]
    ) -> None:
        self.done = ArchiveRun()
        self._log = log
        self._segments = segments
        self._dry_run = dry_run
        self._on_segment = on_segment
        self._waiting: list[Commit] = []
        self._orders = 0

    def consider(self, order: OrderAge, before: str) -> None:
        """Take the order into the next segment if it may be archived, and store that once it is full."""
        if order.archived or order.recorded_at >= before:
            return
        commits = _archivable(self._log, order.stream)
        if commits is None:
            self.done.kept += 1
            return
        self._waiting += commits
        self._orders += 1
        if len(self._waiting) >= COMMITS_MAX:
            self.flush()

    def flush(self) -> None:
        """Store the segment, if it has any commit, and name its lines in the table."""
        if not self._waiting:
            return
        if not self._dry_run:
            _move(self._log, self._segments, self._waiting)
        self.done.orders += self._orders
        self.done.commits += len(self._waiting)
        self.done.segments += 1
        self._waiting, self._orders = [], 0
        self._on_segment(self.done)


def _archivable(log: ArchivableLog, stream: str) -> list[Commit] | None:
    """Return the commits of an order that has ended and owes nothing; None if it must stay where it is."""
    rows = list(log.read(stream))
    try:
        order = folded_order(log.replay(stream, rows))
    except (ChainBroken, Undecodable, UnknownEvent):  # for the audit, which names what is wrong
        return None
    if order.run_state is not RunState.ENDED or owed(order):
        return None
    return [row for row in rows if isinstance(row, Commit)]


def _move(log: ArchivableLog, segments: Segments, commits: Sequence[Commit]) -> None:
    number = segments.newest() + 1
    root = merkle_root([commit_line(commit) for commit in commits]).hex()
    content, archived = merged(number, commits, root)
    segments.write(number, content)
    stored = with_contents([replace(commit, ev=pointer) for commit, pointer in archived], segments)
    if list(stored) != list(commits):
        raise SegmentDamaged(f"segment {number} of the archive differs from what was written")
    log.point(archived)
