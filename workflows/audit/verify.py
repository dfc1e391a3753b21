"""Verify that the log is what was written: walk every stream and name each row that is not.

Without published heads this finds everything that was changed without computing the chain again: a commit that was
edited, deleted, moved or inserted, and time going backwards. A program that can write to the log can also compute the
chain again from the commit it changed to the end, or remove the end, and what is left is a valid chain: only a head
that was published before, where the log's writers cannot write, reveals that. ``heads`` exports them. docs/audit.md
lists what each check finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from workflows.audit.explanations import explained
from workflows.audit.findings import Finding, Head, Report
from workflows.audit.stream_walk import StreamWalk
from workflows.event_store.commits import ChainBroken
from workflows.event_store.event_log import EventLog


def verify(
    log: EventLog,
    *,
    heads: Mapping[str, Head] | None = None,
    progress: Callable[[int], None] = lambda _streams: None,
) -> Report:
    """Walk the log once, in memory that does not grow with it (apart from ``heads`` and the findings).

    Args:
        heads: The published heads by stream.
        progress: Called with the number of streams walked so far.
    """
    published = heads or {}
    streams = commits = events = opaque = 0
    findings: dict[Finding, None] = {}  # in order, each once
    missing = set(published)
    for walk in _walks(log, published):
        findings |= dict.fromkeys(walk.findings)
        streams, commits, events = streams + 1, commits + walk.rows, events + walk.version
        opaque += walk.opaque
        missing.discard(walk.stream)
        progress(streams)
    for stream in sorted(missing):
        walk = StreamWalk(stream, published[stream], log.events).follow(log.read(stream))
        findings |= dict.fromkeys(walk.findings)
    return Report(streams, commits, events, opaque, len(published), tuple(findings))


def heads(log: EventLog) -> Iterator[Head]:
    """Yield the verified head of every stream.

    Raises:
        ChainBroken: ``verify`` has a finding in the stream. A broken chain has no head worth publishing.
    """
    for walk in _walks(log, {}):
        if walk.findings:
            first = walk.findings[0]
            raise ChainBroken(first.stream, first.version, first.what)
        yield Head(walk.stream, walk.version, walk.head)


def _walks(log: EventLog, published: Mapping[str, Head]) -> Iterator[StreamWalk]:
    """Walk each stream of the log.

    ``rows`` may lag behind a log that is being written to. So a stream with findings is read again, consistently, and
    the second walk counts; rows that are no commits stay findings, because no lag explains them.
    """
    for stream, rows in groupby(log.rows(), key=lambda row: row.pk):
        walk = StreamWalk(stream, published.get(stream), log.events).follow(rows)
        again = StreamWalk(stream, published.get(stream), log.events)
        if walk.findings and again.follow(log.read(stream)).rows:
            again.findings = explained(again.findings, log.read(stream))
            again.findings += [finding for finding in walk.unreadable if finding not in again.findings]
            walk = again
        yield walk
