"""Write files that hold secrets: readable by their owner alone, and replaced as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write_private(file: Path, text: str) -> None:
    """Replace the content of a file; only one process may write it at a time.

    The text is durable before the file gets its name, so that a process killed at any time leaves the old content or
    the new one, never an empty secret.

    Raises:
        OSError: The folder cannot be written.
    """
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)  # a file left by another program would keep its permissions
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    new.replace(file)
