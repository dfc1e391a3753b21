"""The rounds of a schedule: each goes on where the last one ended, until the whole log was looked at."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from workflows.archive.archiving import ArchiveRun, archive_orders
from workflows.clock import Clock, read_timestamp, timestamp
from workflows.event_store.documents import ANY, Document, Documents
from workflows.event_store.segments import ArchivableLog, Segments

_log = logging.getLogger(__name__)

MOVED = "old orders were archived"

PASS_EVERY: Final = timedelta(days=7)
"""From the end of a pass over the log to the beginning of the next one. A pass reads the whole table, which costs as
much as the daily comparison, and an order that is a week late stays where it was."""

_PLACE: Final = ("archive", "progress")


def archive_round(
    log: ArchivableLog, segments: Segments, documents: Documents, clock: Clock, *, keep: timedelta, for_s: float
) -> ArchiveRun:
    """Archive the orders that did not change for ``keep``, for some seconds at most.

    How far a pass came is kept in a document. A round that is killed is made again from where it began, which finds its
    orders archived.

    Raises:
        StreamUnavailable, SegmentsUnavailable, DocumentsUnavailable: Retryable: yes, by the next round.
        SegmentTaken: Another round is running.
    """
    stored = documents.get(*_PLACE)
    progress = {} if stored is None else stored.body
    now = clock.now()
    ended_at = progress.get("ended_at")
    if ended_at is not None and read_timestamp(str(ended_at)) + PASS_EVERY > now:
        return ArchiveRun()
    until = now + timedelta(seconds=for_s)
    after = progress.get("after")
    done = archive_orders(
        log, segments, now - keep, after=None if after is None else str(after), stop=lambda: clock.now() >= until
    )
    ended = timestamp(clock.now()) if done.reached is None else None
    documents.put(Document(*_PLACE, {"after": done.reached, "ended_at": ended}), ANY)
    _log.info(MOVED, extra={"orders": done.orders, "commits": done.commits, "kept": done.kept})
    return done
