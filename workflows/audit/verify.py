"""Audit: is the log what was written? Walks every stream and names each commit that is not.

Without published heads it finds what was changed without computing the chain again: a commit that was edited, deleted,
moved or inserted, and time going backwards. Whoever can write can also compute a chain again from the commit they
changed to its end, or cut the end off, and what is left is a valid chain: **only a head published before, kept where
they cannot write, finds that.** ``heads`` exports them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from workflows.event_store.commits import CHANGED, GENESIS, ChainBroken, Commit, chain_hash, check_link
from workflows.event_store.event_log import EventLog

_MOVES_MAX = 64  # bad commits of one stream among which a moved one is looked for; the search is cubic


class Head(NamedTuple):
    """The end of a stream at some time: publish it where the log's writers cannot write."""

    stream: str
    version: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One bad commit: the version it has, or should have, and what is wrong with it."""

    stream: str
    version: int
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was walked, and what was found. ``heads`` says against how many published heads streams were held."""

    streams: int
    commits: int
    events: int
    heads: int
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings


def verify(
    log: EventLog,
    *,
    heads: Mapping[str, Head] | None = None,
    progress: Callable[[int], None] = lambda _streams: None,
) -> Report:
    """Walk the log once, in memory that does not grow with it (beside ``heads``, and the findings).

    A stream in which something is wrong is read again, consistently, and judged by that alone: a scan may lag behind
    a log that is being written to. ``progress`` is called with the streams walked so far.
    """
    heads = heads or {}
    streams = commits = events = 0
    findings: dict[Finding, None] = {}  # in order, each once
    unseen = set(heads)
    for stream, run in groupby(log.scan(), key=lambda commit: commit.pk):
        walk = _Walk(stream, heads.get(stream))
        walk.follow(run)
        if walk.findings:
            walk = _Walk(stream, heads.get(stream))
            walk.follow(log.read(stream))
            findings |= dict.fromkeys(_explanations(walk.findings, log.read(stream)))
        streams, commits, events = streams + 1, commits + walk.commits, events + walk.version
        unseen.discard(stream)
        progress(streams)
    for stream in sorted(unseen):
        walk = _Walk(stream, heads[stream])
        walk.follow(log.read(stream))
        findings |= dict.fromkeys(walk.findings)
    return Report(streams, commits, events, len(heads), tuple(findings))


def heads(log: EventLog) -> Iterator[Head]:
    """The head of every stream, verified. Raises ChainBroken: a broken chain has no head worth publishing."""
    for stream, run in groupby(log.scan(), key=lambda commit: commit.pk):
        version, head, last_ts = 0, GENESIS, ""
        for commit in run:
            check_link(commit, stream, version, head, last_ts)
            version, head, last_ts = version + commit.size, commit.h, commit.ts
        yield Head(stream, version, head)


class _Walk:
    """Follows one stream, commit by commit, and goes on after each thing that is wrong."""

    def __init__(self, stream: str, published: Head | None) -> None:
        self.stream = stream
        self.findings: list[Finding] = []
        self.commits = self.version = 0
        self._published = published
        self._confirmed = published is None or published.version == 0
        self._head, self._last_ts = GENESIS, ""
        self._began, self._doubtful = 0, False  # the commit before: where it began, and whether its size can be trusted

    def follow(self, commits: Iterable[Commit]) -> None:
        for commit in commits:
            self._step(commit)
        if self._published is not None and not self._confirmed:
            self._missed(self._published)

    def _step(self, commit: Commit) -> None:
        if self._doubtful and commit.sk > self._began:
            self.version = commit.sk - 1  # not two findings for one commit with more or fewer events than written
        self._doubtful = False
        try:
            check_link(commit, self.stream, self.version, self._head, self._last_ts)
        except ChainBroken as broken:
            self._doubtful = True
            self._found(broken.version, broken.what)
        self.commits += 1
        self.version = commit.sk + self._size(commit) - 1
        self._began, self._head, self._last_ts = commit.sk, commit.h, max(commit.ts, self._last_ts)
        self._compare(commit)

    def _size(self, commit: Commit) -> int:
        try:
            return commit.size
        except msgspec.DecodeError as error:
            self._found(commit.sk, f"is not a commit: {error}")
            return 1

    def _compare(self, commit: Commit) -> None:
        if self._published is not None and self.version == self._published.version:
            self._confirmed = True
            if commit.h != self._published.hash:
                self._found(commit.sk, "differs from the published head: the chain was computed again up to here")

    def _missed(self, published: Head) -> None:
        if self.version < published.version:
            self._found(
                self.version + 1, f"missing: a head was published at version {published.version}, the tail is cut"
            )
        else:
            self._found(
                published.version, "no commit ends here, but a head was published: the chain was computed again"
            )

    def _found(self, version: int, what: str) -> None:
        self.findings.append(Finding(self.stream, version, what))


def _explanations(findings: list[Finding], commits: Iterable[Commit]) -> list[Finding]:
    """Say of a commit that fits another place of its stream where it belongs, and leave out who only follows one.

    The hash of a commit covers the hash before it. Where that one was moved away, the commit after it does not match
    although nobody touched it: with the hash in its old place it does.
    """
    stored = list(commits)
    suspects = {finding.version for finding in findings if finding.what == CHANGED}
    bad = [commit for commit in stored if commit.sk in suspects]
    if not 0 < len(bad) <= _MOVES_MAX:
        return findings
    hashes = [GENESIS, *(commit.h for commit in stored)]
    places = {commit.sk: _place(commit, bad, set(hashes), _previous(stored, hashes)) for commit in bad}
    return [
        explained for finding in findings if (explained := _explained(finding, places.get(finding.version))) is not None
    ]


def _explained(finding: Finding, place: int | None) -> Finding | None:
    if place is None or finding.what != CHANGED:
        return finding
    if place == finding.version:
        return None
    return Finding(finding.stream, finding.version, f"swapped or reordered: holds what was written as version {place}")


def _previous(stored: list[Commit], hashes: list[bytes]) -> set[bytes]:
    """What may have been the hash before a commit: each that is stored, and each that should be."""
    return set(hashes) | {chain_hash(previous, commit) for previous, commit in zip(hashes, stored, strict=False)}


def _place(commit: Commit, bad: list[Commit], known: set[bytes], previous: set[bytes]) -> int | None:
    """The version under which the content of ``commit`` gives a hash that the stream knows."""
    if any(chain_hash(before, commit) == commit.h for before in previous):
        return commit.sk
    for place in sorted({other.sk for other in bad} - {commit.sk}):
        as_written = replace(commit, sk=place)
        if any(chain_hash(before, as_written) in known for before in previous):
            return place
    return None
