"""Verify that the log is what was written: walk every stream and name each row that is not.

Without published heads this finds everything that was changed without computing the chain again: a commit that was
edited, deleted, moved or inserted, and time going backwards. A program that can write to the log can also compute the
chain again from the commit it changed to the end, or remove the end, and what is left is a valid chain: only a head
that was published before, where the log's writers cannot write, reveals that. ``heads`` exports them. docs/audit.md
lists what each check finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from workflows.audit.explanations import explained
from workflows.audit.findings import Finding, Head, PublishedHeads, Report
from workflows.audit.key_audit import KeyAudit
from workflows.audit.stream_walk import StreamWalk
from workflows.event_store.commits import ChainBroken
from workflows.event_store.event_log import EventLog
from workflows.event_store.keyring import KeyRing


def verify(
    log: EventLog,
    *,
    published: PublishedHeads | None = None,
    keys: KeyRing | None = None,
    progress: Callable[[int], None] = lambda _streams: None,
) -> Report:
    """Walk the log once, in memory that does not grow with it (apart from the published heads and the findings).

    Args:
        published: The heads to compare the log with.
        keys: Where customers' keys are, to find those that are gone without a recorded erasure; None: do not look.
        progress: Called with the number of streams walked so far.
    """
    heads, complete_at = (published.heads, published.complete_at) if published is not None else ({}, "")
    streams = commits = events = opaque = 0
    findings: dict[Finding, None] = {}  # in order, each once
    missing = set(heads)
    key_audit = KeyAudit(keys) if keys is not None else None
    for walk in _walks(log, heads, key_audit):
        findings |= dict.fromkeys(walk.findings)
        if walk.stream not in heads and "" < walk.first_ts <= complete_at:
            findings[_inserted(walk, complete_at)] = None
        streams, commits, events = streams + 1, commits + walk.rows, events + walk.version
        opaque += walk.opaque
        missing.discard(walk.stream)
        progress(streams)
    for stream in sorted(missing):
        walk = StreamWalk(stream, heads[stream], log.events).follow(log.read(stream))
        findings |= dict.fromkeys(walk.findings)
    if key_audit is not None:
        findings |= dict.fromkeys(key_audit.findings())
    return Report(streams, commits, events, opaque, sum(map(len, heads.values())), tuple(findings))


def heads(log: EventLog) -> Iterator[Head]:
    """Yield the verified head of every stream.

    Raises:
        ChainBroken: ``verify`` has a finding in the stream. A broken chain has no head worth publishing.
    """
    for walk in _walks(log, {}, None):
        if walk.findings:
            first = walk.findings[0]
            raise ChainBroken(first.stream, first.version, first.what)
        yield Head(walk.stream, walk.version, walk.head)


def _inserted(walk: StreamWalk, complete_at: str) -> Finding:
    what = f"inserted: recorded at {walk.first_ts}, but the heads published at {complete_at} do not name this stream"
    return Finding(walk.stream, 1, what)


def _walks(log: EventLog, heads: Mapping[str, Sequence[Head]], key_audit: KeyAudit | None) -> Iterator[StreamWalk]:
    """Walk each stream of the log.

    ``rows`` may lag behind a log that is being written to. So a stream with findings is read again, consistently, and
    the second walk counts; rows that are not commits stay findings, because no lag explains them.
    """
    for stream, rows in groupby(log.rows(), key=lambda row: row.pk):
        see = () if key_audit is None else (key_audit.see,)
        walk = StreamWalk(stream, heads.get(stream, ()), log.events, *see).follow(rows)
        again = StreamWalk(stream, heads.get(stream, ()), log.events)
        if walk.findings and again.follow(log.read(stream)).rows:
            again.findings = explained(again.findings, log.read(stream))
            again.findings += [finding for finding in walk.unreadable if finding not in again.findings]
            walk = again
        yield walk
