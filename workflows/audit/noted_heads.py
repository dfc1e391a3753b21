"""Which streams changed, where the log has no feed with positions: the follower of the log's stream notes the heads.

One document holds the heads of one batch of commits, in a partition for each hour. The first checkpoint reads the whole
log instead, because it may be older than the notes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from workflows.audit.changed_heads import Changed, head_of
from workflows.audit.findings import Head
from workflows.clock import Clock, read_timestamp, timestamp
from workflows.event_store.commits import Commit
from workflows.event_store.documents import ANY, Document, Documents, all_documents
from workflows.event_store.event_log import EventLog

KEPT = timedelta(days=30)
"""How long notes are kept: checkpoints may fail for as long without a whole reading of the log."""

OVERLAP = timedelta(minutes=10)
"""How far back a checkpoint reads again: by how much the clocks of two processes may differ, and a write may take."""


def note_heads(documents: Documents, commits: Iterable[Commit], now: datetime) -> None:
    """Note the heads of the streams that these commits changed. Raises DocumentsUnavailable."""
    heads = _newest(head for head in map(head_of, commits) if head is not None)
    if heads:
        body = {"heads": [[head.stream, head.version, head.hash.hex()] for head in heads]}
        sk = f"{timestamp(now)}#{secrets.token_hex(8)}"
        expires_s = int((now + KEPT).timestamp())
        documents.put(Document(_partition(now), sk, body, expires_s=expires_s), ANY)


class NotedHeads:
    """Reads the notes since the last checkpoint; its ``mark`` is a time."""

    def __init__(self, documents: Documents, log: EventLog, clock: Clock) -> None:
        self._documents = documents
        self._log = log
        self._clock = clock

    def since(self, mark: str, limit: int) -> Changed:
        now = self._clock.now()
        since = read_timestamp(mark) - OVERLAP if mark else None
        if since is None or since < now - KEPT:
            heads = _newest(head for head in map(head_of, self._log.scan()) if head is not None)
        else:
            heads = _newest(self._noted(since, now))
        return Changed(heads, timestamp(now), all=True)

    def _noted(self, since: datetime, now: datetime) -> Iterator[Head]:
        hour = since
        while _partition(hour) <= _partition(now + OVERLAP):
            for document in all_documents(self._documents, _partition(hour)):
                if document.sk >= timestamp(since):
                    for stream, version, hash_ in document.body["heads"]:
                        yield Head(stream, int(version), bytes.fromhex(hash_))
            hour += timedelta(hours=1)


def _newest(heads: Iterable[Head]) -> list[Head]:
    """Return the head with the highest version of each stream."""
    newest: dict[str, Head] = {}
    for head in heads:
        if head.stream not in newest or newest[head.stream].version < head.version:
            newest[head.stream] = head
    return list(newest.values())


def _partition(at: datetime) -> str:
    return f"changed-heads#{timestamp(at)[:13]}"
