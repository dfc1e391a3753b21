"""Verify the log page by page, for a caller that shows progress: first every stream, then every published head.

The chain of a stream without a published head can have been computed anew, and a stream can be missing altogether, so
the second part reads each stream of the checkpoints again and compares it with the head that was published. A page
takes some milliseconds a stream, and other requests are served between two pages. ``verify`` finds more: rows that
belong to no stream, keys that are gone, and streams that were inserted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from workflows.audit.explanations import explained
from workflows.audit.findings import Finding, Head, PublishedHeads, Report
from workflows.audit.head_tree import HeadTree
from workflows.audit.stream_walk import StreamWalk
from workflows.event_store.event_log import STREAM_MAX_BYTES, EventLog, place_after


@dataclass(frozen=True, slots=True)
class VerifiedPage:
    """What one page examined. ``published`` counts all heads in checkpoints; ``next`` is None on the last page."""

    report: Report
    published: int
    next: str | None


def verify_page(log: EventLog, tree: HeadTree | None, *, cursor: str | None, limit: int) -> VerifiedPage:
    """Verify the next streams, or the streams of the next published heads.

    Args:
        tree: The published heads; None: there are none.
        cursor: ``next`` of the page before; None: from the beginning.
        limit: The most streams, or heads, of the page.

    Raises:
        ValueError: The cursor is not one of these pages.
        StreamUnavailable, CheckpointsUnavailable, CheckpointsBroken.
    """
    part, place = _place(cursor) if cursor is not None else (_STREAMS, "")
    first, count = (int(place), limit) if part == _HEADS else (0, 0)
    heads, published = tree.published(first=first, limit=count) if tree is not None else ((), 0)
    if part == _HEADS:
        last = first + len(heads)
        return VerifiedPage(_against(log, heads), published, _cursor(_HEADS, str(last)) if last < published else None)
    streams = _streams(log, place, limit + 1)
    report = _report([_walked(log, stream, ()) for stream in streams[:limit]], heads=0)
    if len(streams) > limit:
        return VerifiedPage(report, published, _cursor(_STREAMS, streams[limit - 1]))
    return VerifiedPage(report, published, _cursor(_HEADS, "0") if published else None)


_STREAMS, _HEADS = "s", "h"  # the parts of a verification


def _cursor(part: str, place: str) -> str:
    """Make the cursor of a page that begins behind a stream, or with a leaf of the tree of heads."""
    return base64.urlsafe_b64encode(f"{part}{place}".encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str]:
    """Return the part of a cursor and its stream or leaf. Raises ValueError."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    part, place = text[:1], text[1:]
    is_stream = part == _STREAMS and 1 <= len(place.encode()) <= STREAM_MAX_BYTES
    if not is_stream and not (part == _HEADS and place.isascii() and place.isdigit()):
        raise ValueError(f"{cursor} is not a cursor of a verification")
    return part, place


def _streams(log: EventLog, behind: str, count: int) -> list[str]:
    """Return the names of the next streams in the order of the log's scan."""
    commits = log.scan(place_after(behind) if behind else None)
    return [stream for stream, _ in islice(groupby(commits, key=lambda commit: commit.pk), count)]


def _against(log: EventLog, heads: Sequence[Head]) -> Report:
    of_streams = PublishedHeads.of(heads).heads
    return _report([_walked(log, stream, published) for stream, published in of_streams.items()], heads=len(heads))


def _walked(log: EventLog, stream: str, published: Sequence[Head]) -> StreamWalk:
    walk = StreamWalk(stream, published, log.events).follow(log.read(stream))
    if walk.findings and walk.rows:
        walk.findings = explained(walk.findings, log.read(stream))
    return walk


def _report(walks: Sequence[StreamWalk], *, heads: int) -> Report:
    findings: dict[Finding, None] = {}  # in order, each once
    for walk in walks:
        findings |= dict.fromkeys(walk.findings)
    return Report(
        streams=len(walks),
        commits=sum(walk.rows for walk in walks),
        events=sum(walk.version for walk in walks),
        opaque=sum(walk.opaque for walk in walks),
        heads=heads,
        findings=tuple(findings),
    )
