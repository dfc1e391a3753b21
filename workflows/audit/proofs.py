"""Prove to an outside party what the log holds about one stream.

A bundle is one JSON value with the commits of the stream as they are stored, the place of its head in the tree, the
proof that the head is in a signed checkpoint, and the proof that the newest checkpoint continues that one. Personal
fields stay encrypted in it, so an erasure leaves it valid. ``packaging/verify/expediter_verify.py`` checks it without
any code of this package.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workflows.audit.checkpoint_files import leaf_of
from workflows.audit.checkpoints import CheckpointFiles, CheckpointsBroken
from workflows.audit.findings import Head
from workflows.audit.merkle import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from workflows.audit.stream_walk import StreamWalk
from workflows.clock import read_timestamp, timestamp
from workflows.event_store.commits import ChainBroken, Commit
from workflows.event_store.event_log import EventLog

FORMAT = "expediter-proof/1"

AHEAD = timedelta(minutes=10)
"""How far the clock of a process that writes may run ahead of that of one that makes checkpoints."""


class NotProvable(Exception):
    """No checkpoint has the stream yet. Retryable: after the next checkpoint. HTTP: 404."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A bundle, the version that it proves, and the version of the stream."""

    bundle: dict[str, Any]
    version: int
    newest: int


def prove(files: CheckpointFiles, log: EventLog, stream: str) -> Proof:
    """Make the bundle of a stream, up to its newest head that a checkpoint has.

    Raises:
        NotProvable: No checkpoint has the stream.
        ChainBroken: The stream is not what was written.
        CheckpointsBroken: The checkpoints contradict themselves, or the log: run ``audit verify --checkpoints``.
    """
    files.refresh()
    commits = [row for row in log.read(stream) if isinstance(row, Commit)]
    walk = StreamWalk(stream, (), log.events).follow(commits)
    if walk.findings:
        first = walk.findings[0]
        raise ChainBroken(stream, first.version, first.what)
    number, at, head = _published(files, stream, commits)
    proven = [commit for commit in commits if commit.sk <= head.version]
    if not proven or proven[-1].h != head.hash:
        raise CheckpointsBroken(f"checkpoint {number} has another head of {stream} than the log")
    return Proof(_bundle(files, number, at, head, proven), head.version, walk.version)


def _published(files: CheckpointFiles, stream: str, commits: list[Commit]) -> tuple[int, int, Head]:
    """Return the newest checkpoint with a head of the stream, the head's place in it, and the head."""
    for number in _candidates(files, commits):
        for at, head in enumerate(files.heads(number)):
            if head.stream == stream:
                return number, at, head
    raise NotProvable(f"{stream} is in no checkpoint yet")


def _candidates(files: CheckpointFiles, commits: list[Commit]) -> Iterator[int]:
    """Yield the checkpoints to search, the newest first: for each commit, from the first one that is complete up to it.

    A writer's clock may run ahead by ``AHEAD``, so one that was made so long before the commit may have it.
    """
    last = files.newest + 1
    for commit in reversed(commits) if last > 1 else ():
        earliest = timestamp(read_timestamp(commit.ts) - AHEAD)
        complete = files.first(lambda header, ts=commit.ts: header.checkpoint.complete_to >= ts)  # type: ignore[misc]
        made = files.first(lambda header, ts=earliest: header.checkpoint.made_at >= ts)  # type: ignore[misc]
        for number in range(min(complete, last - 1), made - 1, -1):
            yield number
            last = number


def _bundle(files: CheckpointFiles, number: int, at: int, head: Head, commits: list[Commit]) -> dict[str, Any]:
    header, newest = files.header(number), files.header(files.newest)
    index, size = header.first + at, header.checkpoint.size
    inclusion = inclusion_proof(index, size, files.stored_hash)
    consistency = consistency_proof(size, newest.checkpoint.size, files.stored_hash)
    included = verify_inclusion(leaf_of(head), index, size, inclusion, header.checkpoint.root)
    roots = header.checkpoint.root, newest.checkpoint.root
    if not (included and verify_consistency(size, newest.checkpoint.size, *roots, consistency)):
        raise CheckpointsBroken(f"checkpoint {number} does not fit the hashes that are stored beside it")
    return {
        "format": FORMAT,
        "key": header.key.text,
        "stream": head.stream,
        "commits": [
            {"version": each.sk, "key": each.k, "recorded_at": each.ts, "content": each.ev, "hash": each.h.hex()}
            for each in commits
        ],
        "leaf": index,
        "inclusion": [each.hex() for each in inclusion],
        "checkpoint": header.note,
        "consistency": [each.hex() for each in consistency],
        "newest": newest.note,
    }
