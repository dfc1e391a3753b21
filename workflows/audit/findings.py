"""What an audit reports: findings, each about one place, and how much was examined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Head(NamedTuple):
    """The end of a stream at some time. Publish it where the log's writers cannot write."""

    stream: str
    version: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class PublishedHeads:
    """Heads that were published earlier, by stream; ``of`` groups them.

    ``complete_at`` is a time in the log's form: every stream with a commit recorded then or earlier is in ``heads``.
    It is empty if that is not known.
    """

    heads: Mapping[str, Sequence[Head]]
    complete_at: str = ""

    @classmethod
    def of(cls, heads: Iterable[Head], complete_at: str = "") -> PublishedHeads:
        by_stream: dict[str, list[Head]] = {}
        for head in heads:
            by_stream.setdefault(head.stream, []).append(head)
        return cls(by_stream, complete_at)

    def joined(self, other: PublishedHeads) -> PublishedHeads:
        """Return the heads of both, complete as of the older one of the two times."""
        heads = (head for published in (self, other) for of_stream in published.heads.values() for head in of_stream)
        return PublishedHeads.of(heads, min(self.complete_at, other.complete_at))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the stream, the version that it has or should have, and the problem."""

    stream: str
    version: int
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was examined, and what was found.

    ``heads`` counts the published heads that streams were compared with. ``opaque`` counts the events whose type or
    schema this version does not know: their chain is verified, their content is not.
    """

    streams: int
    commits: int
    events: int
    opaque: int
    heads: int
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings
