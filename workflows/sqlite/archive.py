"""Segments of an archive: files that hold the content of commits of orders that ended long ago.

A segment is JSON Lines: one commit a line, as it was stored, and last a line with their number and their Merkle root.
It is written once and never changed. In the table of events the row of an archived commit stays, with its place, key,
time and hash; in place of its content it names the line: ``@<segment>:<offset>:<length>``. So every stream, scan and
position is as it was, and each read of an archived commit is checked against the hash that stayed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from workflows.boundary.private_files import write_private_content
from workflows.event_store.commits import Commit
from workflows.sqlite.database import sync_folder

ARCHIVE: Final = "archive"
"""The folder of the segments, beside the database."""

_POINTER = re.compile(r"@([0-9]{6}):([0-9]+):([0-9]+)")


class SegmentDamaged(Exception):
    """A segment is missing, or holds another commit than the one that is read. Retryable: after it was restored."""


class Archived(NamedTuple):
    """A commit in a segment, and what replaces its content in the table."""

    commit: Commit
    pointer: str


class ArchiveFolder:
    """Reads segments, and writes new ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def content(self, pk: str, sk: int, pointer: str) -> str:
        """Return the content of the commit that a pointer names. Raises SegmentDamaged."""
        match = _POINTER.fullmatch(pointer)
        if match is None:
            raise SegmentDamaged(f"its content is neither JSON nor the name of a line in the archive: {pointer[:40]}")
        segment, offset, length = match[1], int(match[2]), int(match[3])
        try:
            with open(self._folder / f"{segment}.jsonl", "rb") as file:
                commit = _read(os.pread(file.fileno(), length, offset))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SegmentDamaged(f"segment {segment} of the archive cannot be read: {type(error).__name__}") from error
        if (commit.pk, commit.sk) != (pk, sk):
            raise SegmentDamaged(f"segment {segment} of the archive holds another commit in its place")
        return commit.ev

    def write(self, number: int, commits: Sequence[Commit], root: str) -> list[Archived]:
        """Write a segment to the disk, read it back, and return where each commit is.

        Raises:
            SegmentDamaged: It was read back otherwise than it was written.
            OSError: The disk is full, or cannot be written.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        name = f"{number:06}"
        archived, lines, offset = list[Archived](), list[bytes](), 0
        for commit in commits:
            line = commit_line(commit)
            archived.append(Archived(commit, f"@{name}:{offset}:{len(line)}"))
            lines.append(line)
            offset += len(line) + 1
        lines.append(json.dumps({"segment": number, "commits": len(commits), "root": root}).encode())
        # A file of this number from a run that was killed was never named in the table, and is replaced.
        write_private_content(self._folder / f"{name}.jsonl", b"\n".join((*lines, b"")))
        for folder in (self._folder, self._folder.parent):
            sync_folder(folder)  # the table must not name a file whose name a power cut removes
        for each in archived:
            if self.content(each.commit.pk, each.commit.sk, each.pointer) != each.commit.ev:
                raise SegmentDamaged(f"segment {name} of the archive differs from what was written")
        return archived


def is_pointer(content: str) -> bool:
    """Whether the content of a row names a line of the archive. JSON does not begin so."""
    return content.startswith("@")


def commit_line(commit: Commit) -> bytes:
    """Return the line of a commit, without the line break. It is the leaf of the Merkle tree."""
    fields = {"pk": commit.pk, "sk": commit.sk, "k": commit.k, "ts": commit.ts, "h": commit.h.hex(), "ev": commit.ev}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _read(line: bytes) -> Commit:
    fields = json.loads(line)
    return Commit(fields["pk"], fields["sk"], fields["k"], fields["ts"], bytes.fromhex(fields["h"]), fields["ev"])
