"""The manifest of an export: what is in the file, and a hash of each block, so that a change is found with its place.

It is text, a fact a line, and is signed as a note (``workflows.audit.signed_notes``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from workflows.audit.exports import BLOCK, Export, ExportFormat

_TITLE = "expediter export 1"


class ManifestRefused(ValueError):
    """The text is no manifest of an export."""


class FileAltered(ValueError):
    """A file is not the one of its manifest. The message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is in an export. ``blocks``: the SHA-256 of each block of the file."""

    id: str
    format: ExportFormat
    filter: dict[str, object]
    as_of: str
    rows: int
    bytes: int
    sha256: str
    blocks: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text that is signed."""
        facts = {
            "id": self.id,
            "format": self.format.value,
            "filter": json.dumps(self.filter, sort_keys=True, separators=(",", ":")),
            "as_of": self.as_of,
            "rows": str(self.rows),
            "bytes": str(self.bytes),
            "sha256": self.sha256,
            "block_bytes": str(BLOCK),
        }
        lines = [
            _TITLE,
            *(f"{name} {value}" for name, value in facts.items()),
            *(f"block {each}" for each in self.blocks),
        ]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def read(cls, text: str) -> Manifest:
        """Read the text of a manifest. Raises ManifestRefused."""
        title, *lines = text.splitlines()[:1] + text.splitlines()[1:] or [""]
        facts = dict(line.partition(" ")[::2] for line in lines if not line.startswith("block "))
        try:
            manifest = cls(
                id=facts["id"],
                format=ExportFormat(facts["format"]),
                filter=json.loads(facts["filter"]),
                as_of=facts["as_of"],
                rows=int(facts["rows"]),
                bytes=int(facts["bytes"]),
                sha256=facts["sha256"],
                blocks=tuple(line.removeprefix("block ") for line in lines if line.startswith("block ")),
            )
        except (KeyError, ValueError):
            raise ManifestRefused("is not the manifest of an export") from None
        if title != _TITLE or manifest.text != text:
            raise ManifestRefused("is not the manifest of an export")
        return manifest


def manifest_of(export: Export, file: Path, rows: int) -> Manifest:
    """Return the manifest of a file that is complete. It is read once, a block at a time."""
    whole, blocks, size = sha256(), [], 0
    for block in blocks_of(file):
        whole.update(block)
        blocks.append(sha256(block).hexdigest())
        size += len(block)
    return Manifest(
        id=export.id,
        format=export.format,
        filter=dict(export.filter),
        as_of=export.as_of,
        rows=rows,
        bytes=size,
        sha256=whole.hexdigest(),
        blocks=tuple(blocks),
    )


def check_file(manifest: Manifest, file: Path) -> None:
    """Check that a file is the one of its manifest. Raises FileAltered."""
    line, size = 1, 0
    for number, block in enumerate(blocks_of(file)):
        if number >= len(manifest.blocks) or sha256(block).hexdigest() != manifest.blocks[number]:
            first, last = number * BLOCK, number * BLOCK + len(block) - 1
            lines = (
                "" if manifest.format is ExportFormat.PARQUET else f" (from line {line} to {line + block.count(10)})"
            )
            raise FileAltered(f"bytes {first} to {last}{lines} are not those of the manifest")
        line += block.count(10)
        size += len(block)
    if size != manifest.bytes:
        raise FileAltered(f"it ends at byte {size} of {manifest.bytes}: the end is missing")


def blocks_of(file: Path) -> Iterator[bytes]:
    """Yield a file in blocks."""
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block
