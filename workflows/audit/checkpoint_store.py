"""The place where checkpoint files are published, as a port.

It protects the log if those who can write to the log cannot change what is there.
"""

from __future__ import annotations

from typing import Protocol


class CheckpointsUnavailable(Exception):
    """The store of checkpoint files did not answer. Retryable: yes. HTTP: 503."""


class CheckpointTaken(Exception):
    """Another process published a checkpoint under this number first. Retryable: after reading it."""


class CheckpointStore(Protocol):
    """Holds files under the numbers 1, 2, 3 and so on. Every method may raise CheckpointsUnavailable."""

    def newest(self) -> int:
        """Return the highest number; 0 if there is none."""
        ...

    def read(self, number: int, start: int = 0, length: int | None = None) -> bytes:
        """Return the content of a file, or a part of it. A file that is missing reads as empty."""
        ...

    def add(self, number: int, content: bytes) -> None:
        """Store a file durably. Raises CheckpointTaken if the number is in use; the stored file stays as it is."""
        ...
