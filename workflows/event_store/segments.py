"""Segments of an archive: files that hold the content of commits of orders that ended long ago.

A segment is JSON Lines: one commit a line, as it was stored, and last a line with their number and their Merkle root.
It is written once and never changed. In the table of events the row of an archived commit stays, with its place, key,
time and hash; in place of its content it names the line: ``@<segment>:<offset>:<length>``. So every stream, scan and
position is as it was, and each read of an archived commit is checked against the hash that stayed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from msgspec.structs import replace

from workflows.event_store.commits import ChainBroken, Commit, StoredRow, UnreadableRow
from workflows.event_store.event_log import EventLog

_POINTER = re.compile(r"@([0-9]{6,12}):([0-9]+):([0-9]+)")

POINTER_START: Final = "@"
"""Of the name of a line. JSON does not begin so."""

READ_MAX: Final = 1024 * 1024
"""Bytes of neighbouring lines that are read at once."""


class SegmentDamaged(Exception):
    """A segment is missing, or holds another commit than the one that is read. Retryable: after it was restored."""


class SegmentTaken(Exception):
    """A segment of this name exists: another process archives too. Retryable: yes, in the next run."""


class SegmentsUnavailable(Exception):
    """The store of the segments did not answer. Retryable: yes."""


class Segments(Protocol):
    """The files of an archive, by number from 1. Every method raises SegmentsUnavailable."""

    def newest(self) -> int:
        """Return the highest number of a segment, whether the table names it or not; 0 if there is none."""
        ...

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return a part of a segment; less if it ends before. Raises SegmentDamaged if there is no such segment."""
        ...

    def write(self, number: int, content: bytes) -> None:
        """Store a segment durably, as a whole or not at all. Raises SegmentTaken if there is one of this number."""
        ...


class NoSegments:
    """The archive of a process that has none."""

    def newest(self) -> int:
        return 0

    def read(self, number: int, offset: int, length: int) -> bytes:
        raise SegmentsUnavailable("this process has no access to the archive: set its bucket")

    def write(self, number: int, content: bytes) -> None:
        raise SegmentsUnavailable("this process has no archive to write to")


class Archived(NamedTuple):
    """A commit in a segment, and what replaces its content in the table."""

    commit: Commit
    pointer: str


class OrderAge(NamedTuple):
    """The stream of an order, when its last commit was recorded, and whether the archive has all of its content."""

    stream: str
    recorded_at: str
    archived: bool


class ArchivableLog(EventLog, Protocol):
    """A log that can name lines of an archive in place of contents. Both methods raise StreamUnavailable."""

    @property
    def segments(self) -> Segments:
        """The archive that it reads from."""
        ...

    def ages(self, after: str | None = None) -> Iterator[OrderAge]:
        """Yield every order of the log, in an order that stays, and from the one behind the stream ``after`` on."""
        ...

    def point(self, archived: Sequence[Archived]) -> None:
        """Replace contents by the names of their lines. Killed within, it has replaced some of them.

        A row that holds another commit stays as it is.
        """
        ...


def merged(number: int, commits: Sequence[Commit], root: str) -> tuple[bytes, list[Archived]]:
    """Return the content of a segment, and where each commit is in it."""
    archived, lines, offset = list[Archived](), list[bytes](), 0
    for commit in commits:
        line = commit_line(commit)
        archived.append(Archived(commit, f"@{number:06}:{offset}:{len(line)}"))
        lines.append(line)
        offset += len(line) + 1
    lines.append(json.dumps({"segment": number, "commits": len(commits), "root": root}).encode())
    return b"\n".join((*lines, b"")), archived


def is_pointer(content: str) -> bool:
    """Whether the content of a row names a line of the archive."""
    return content.startswith(POINTER_START)


def commit_line(commit: Commit) -> bytes:
    """Return the line of a commit, without the line break. It is the leaf of the Merkle tree."""
    fields = {"pk": commit.pk, "sk": commit.sk, "k": commit.k, "ts": commit.ts, "h": commit.h.hex(), "ev": commit.ev}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def with_contents(rows: Iterable[StoredRow], segments: Segments) -> Iterator[StoredRow]:
    """Yield rows with their contents, which may be in the archive. Neighbouring lines are read at once.

    A row whose line is missing or holds another commit becomes an UnreadableRow. Raises SegmentsUnavailable.
    """
    waiting: list[_Pointed] = []
    for row in rows:
        pointed = None if isinstance(row, UnreadableRow) or not is_pointer(row.ev) else _pointed(row)
        if waiting and not (isinstance(pointed, _Pointed) and pointed.follows(waiting)):
            yield from _read(waiting, segments)
            waiting = []
        if isinstance(pointed, _Pointed):
            waiting.append(pointed)
        else:
            yield row if pointed is None else pointed
    yield from _read(waiting, segments)


def whole_commit(row: StoredRow, segments: Segments) -> Commit:
    """Return a commit with its content. Raises ChainBroken, SegmentsUnavailable."""
    [whole] = with_contents([row], segments)
    if isinstance(whole, UnreadableRow):
        raise ChainBroken(whole.pk, whole.sk, whole.problem)
    return whole


class _Pointed(NamedTuple):
    """A row whose content is in the archive, and its line."""

    row: Commit
    number: int
    offset: int
    length: int

    def follows(self, before: Sequence[_Pointed]) -> bool:
        """Whether its line is the one behind these, near enough to read it with them."""
        first, last = before[0], before[-1]
        is_next = self.number == last.number and self.offset == last.offset + last.length + 1
        return is_next and self.offset + self.length - first.offset <= READ_MAX


def _pointed(row: Commit) -> _Pointed | UnreadableRow:
    match = _POINTER.fullmatch(row.ev)
    if match is None:
        problem = f"its content is neither JSON nor the name of a line in the archive: {row.ev[:40]}"
        return UnreadableRow(row.pk, row.sk, problem)
    return _Pointed(row, int(match[1]), int(match[2]), int(match[3]))


def _read(pointed: Sequence[_Pointed], segments: Segments) -> Iterator[StoredRow]:
    """Yield these rows, whose lines follow one another, with their contents."""
    if not pointed:
        return
    first, last = pointed[0], pointed[-1]
    try:
        content = segments.read(first.number, first.offset, last.offset + last.length - first.offset)
    except SegmentDamaged as damage:
        yield from (UnreadableRow(each.row.pk, each.row.sk, str(damage)) for each in pointed)
        return
    for each in pointed:
        start = each.offset - first.offset
        yield _with_content(each, content[start : start + each.length])


def _with_content(pointed: _Pointed, line: bytes) -> StoredRow:
    row = pointed.row
    stored = {"pk": row.pk, "sk": row.sk, "k": row.k, "ts": row.ts, "h": row.h.hex()}
    try:
        fields = json.loads(line)
        differing = [name for name, value in stored.items() if fields[name] != value]
        content = fields["ev"]
        problem = "" if isinstance(content, str) else "cannot be read: its content is no text"
    except (ValueError, KeyError, TypeError) as error:
        differing, content, problem = [], "", f"cannot be read: {type(error).__name__}"
    if differing:
        is_other = not {"pk", "sk"}.isdisjoint(differing)
        problem = "holds another commit in its place" if is_other else f"has another {differing[0]} than its row"
    if problem:
        return UnreadableRow(row.pk, row.sk, f"segment {pointed.number} of the archive {problem}")
    return replace(row, ev=content)
