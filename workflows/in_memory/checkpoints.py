"""Checkpoint files in memory."""

from __future__ import annotations

from workflows.audit.checkpoint_store import CheckpointTaken


class InMemoryCheckpoints:
    """Keeps files by number."""

    def __init__(self) -> None:
        self.files: dict[int, bytes] = {}

    def newest(self) -> int:
        return max(self.files, default=0)

    def read(self, number: int, start: int = 0, length: int | None = None) -> bytes:
        content = self.files.get(number, b"")
        return content[start:] if length is None else content[start : start + length]

    def add(self, number: int, content: bytes) -> None:
        if number in self.files:
            raise CheckpointTaken(f"checkpoint {number} exists")
        self.files[number] = content
