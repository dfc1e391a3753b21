"""Checkpoint files: a signed tree head, and the heads of streams that it added to the tree.

The tree head is a checkpoint as of C2SP (https://c2sp.org/tlog-checkpoint) with three lines of its own: the time at
which it was made, the time up to which the tree is complete, and where in the log the next checkpoint begins. The rest
of the file is what readers need to check it, and to make proofs without reading all files before it. A file is written
once and never changed.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.audit.findings import Head
from workflows.audit.merkle import HASH_BYTES, leaf_hash, stored_count
from workflows.audit.signed_notes import NoteRefused, VerifierKey
from workflows.clock import is_timestamp

HEADER_BYTES_MAX = 4096
"""All that stands before the hashes fits into it: some 600 bytes."""

SIZE_MAX = 10**12
"""The most leaves that a checkpoint can name."""

LINE_BYTES = 45
"""A hash in base64 and its line end, so that a reader finds a hash by its number."""


class FileMalformed(ValueError):
    """A checkpoint file is not in the form that this program writes."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: ``size`` leaves with this ``root``.

    ``made_at`` and ``complete_to`` are times in the log's form: the head of each stream with a commit recorded by
    ``complete_to`` is in the tree. ``complete_to`` is empty if no such time is known. The next checkpoint
    continues at the ``mark`` in the log.
    """

    origin: str
    size: int
    root: bytes
    made_at: str
    complete_to: str
    mark: str

    @property
    def text(self) -> str:
        """The text that is signed."""
        head = f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"
        return f"{head}made_at {self.made_at}\ncomplete_to {self.complete_to or 'unknown'}\nmark {self.mark}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint. Raises FileMalformed."""
        lines = text.split("\n")
        try:
            origin, size, root, made_at, complete_to, mark, _ = lines
            complete = complete_to.removeprefix("complete_to ")
            read = cls(
                origin,
                int(size),
                b64decode(root),
                made_at.removeprefix("made_at "),
                "" if complete == "unknown" else complete,
                mark.removeprefix("mark "),
            )
        except ValueError:
            raise FileMalformed("is not a checkpoint") from None
        times = [read.made_at, *([read.complete_to] if read.complete_to else [])]
        if (
            read.text != text
            or len(read.root) != HASH_BYTES
            or not 1 <= read.size <= SIZE_MAX
            or not all(map(is_timestamp, times))
        ):
            raise FileMalformed("is not a checkpoint")
        return read


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in a file before its hashes. The note is not checked; ``key`` is the one that the file names.

    ``first`` is the index of its first leaf, and ``start`` the number of bytes before the hashes.
    """

    note: str
    checkpoint: Checkpoint
    key: VerifierKey
    first: int
    start: int

    @property
    def hashes(self) -> range:
        """The stored hashes that are in the file."""
        return range(stored_count(self.first), stored_count(self.checkpoint.size))

    @property
    def heads_start(self) -> int:
        """The number of bytes before the heads."""
        return self.start + len(self.hashes) * LINE_BYTES


def leaf_data(head: Head) -> bytes:
    """Return the leaf of a head: also its line in a file."""
    return json.dumps([head.stream, head.version, head.hash.hex()], separators=(",", ":")).encode()


def leaf_of(head: Head) -> bytes:
    """Return the hash of a head's leaf."""
    return leaf_hash(leaf_data(head))


def file_content(note: str, *, key: VerifierKey, first: int, hashes: Sequence[bytes], heads: Sequence[Head]) -> bytes:
    """Return the content of a checkpoint file."""
    start = f"{note}\nkey {key.text}\nfirst {first}\nhashes\n".encode()
    lines = [*map(b64encode, hashes), b"heads", *map(leaf_data, heads)]
    return start + b"\n".join(lines) + b"\n"


def read_header(content: bytes) -> Header:
    """Read the beginning of a file. Raises FileMalformed."""
    try:
        body, signature, rest = content.split(b"\n\n", 2)
        key, first, hashes, _ = rest.split(b"\n", 3)
        start = len(body) + len(signature) + len(key) + len(first) + len(hashes) + 7
        note = (body + b"\n\n" + signature + b"\n").decode()
        read = Header(
            note=note,
            checkpoint=Checkpoint.parse(body.decode() + "\n"),
            key=VerifierKey.parse(_value(key, "key")),
            first=int(_value(first, "first")),
            start=start,
        )
    except (ValueError, NoteRefused):
        raise FileMalformed("does not begin as a checkpoint file") from None
    if hashes != b"hashes" or not 0 <= read.first < read.checkpoint.size:
        raise FileMalformed("does not begin as a checkpoint file")
    return read


def read_heads(content: bytes) -> list[Head]:
    """Read the heads of a file, from the line ``heads`` on. Raises FileMalformed."""
    title, *lines = content.split(b"\n")
    try:
        heads = [Head(stream, version, bytes.fromhex(h)) for stream, version, h in map(json.loads, lines[:-1])]
        if title != b"heads" or lines[-1:] != [b""] or list(map(leaf_data, heads)) != lines[:-1]:
            raise ValueError
        if any(type(head.stream) is not str or type(head.version) is not int for head in heads):
            raise ValueError
    except (ValueError, TypeError, RecursionError, AttributeError):
        raise FileMalformed("its heads are not in the form of a checkpoint file") from None
    return heads


def read_hash(line: bytes) -> bytes:
    """Read the line of a hash. Raises FileMalformed."""
    try:
        read = b64decode(line[:-1], validate=True)
    except ValueError:
        read = b""
    if len(read) != HASH_BYTES or line[-1:] != b"\n":
        raise FileMalformed("a hash is not in the form of a checkpoint file")
    return read


def _value(line: bytes, name: str) -> str:
    """Return what follows a name and a space. Raises ValueError."""
    found, _, value = line.decode().partition(" ")
    if found != name:
        raise ValueError(name)
    return value
