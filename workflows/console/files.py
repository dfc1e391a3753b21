"""Reads the console's files: bytes, content type, ETag, and how long a browser may keep them."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

FOLDER = Path(__file__).parents[2] / "console"
"""Beside the packages, as ``template.yaml`` is."""

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",  # modules are UTF-8 whatever is said: a charset would cost 1 KB in 60 headers
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
}
"""The kinds of files that are served. Others in the folder are not."""

FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose path names their version."""

REVALIDATE = "no-cache"
"""A browser keeps the file, and asks with its ETag whether it is still the same."""

_COMPRESSED_FROM_BYTES = 500
"""Smaller files gain nothing."""


@dataclass(frozen=True, slots=True)
class ConsoleFile:
    """A file as it is sent. ``compressed`` is its gzip form, None if that is not smaller."""

    content: bytes
    compressed: bytes | None
    content_type: str
    etag: str
    cache_control: str


class ConsoleFiles:
    """The files of one folder. Each is read again when it has changed on disk."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._read: dict[str, tuple[tuple[int, int], ConsoleFile]] = {}

    def missing(self) -> list[str]:
        """Return the libraries that are not installed, by name and version."""
        listed = json.loads((self._folder / "libraries.json").read_text())["libraries"]
        return [f"{each['name']} {each['version']}" for each in listed if not self._is_installed(each)]

    def _is_installed(self, library: dict[str, str]) -> bool:
        return (self._folder / "lib" / f"{library['name'].rpartition('/')[2]}-{library['version']}").is_dir()

    def config(self) -> dict[str, Any]:
        """Return ``config.json``: the address of the API, and how to log in."""
        config: dict[str, Any] = json.loads((self._folder / "config.json").read_text())
        return config

    def find(self, path: str) -> ConsoleFile | None:
        """Return the file at a path below the console's address; None if there is none."""
        parts = PurePosixPath(path).parts
        if any(part in ("..", "/") or part.startswith(".") for part in parts) or "\x00" in path or "\\" in path:
            return None
        file = self._folder.joinpath(*parts)
        content_type = CONTENT_TYPES.get(file.suffix)
        if content_type is None:
            return None
        try:
            found = file.stat()
            version = found.st_mtime_ns, found.st_size
            kept = self._read.get(path)
            if kept is None or kept[0] != version:
                kept = self._read[path] = version, _as_sent(file.read_bytes(), content_type, parts[0] == "lib")
        except OSError:
            return None
        return kept[1]


def _as_sent(content: bytes, content_type: str, has_version: bool) -> ConsoleFile:
    compressed = gzip.compress(content, mtime=0) if len(content) >= _COMPRESSED_FROM_BYTES else None
    return ConsoleFile(
        content=content,
        compressed=compressed,
        content_type=content_type,
        etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"',
        cache_control=FOR_EVER if has_version else REVALIDATE,
    )
