"""The segments of an archive in memory."""

from __future__ import annotations

from workflows.event_store.segments import SegmentDamaged, SegmentTaken


class InMemorySegments:
    """Keeps segments until the process ends."""

    def __init__(self) -> None:
        self.files: dict[int, bytes] = {}

    def newest(self) -> int:
        return max(self.files, default=0)

    def read(self, number: int, offset: int, length: int) -> bytes:
        if number not in self.files:
            raise SegmentDamaged(f"there is no segment {number}")
        return self.files[number][offset : offset + length]

    def write(self, number: int, content: bytes) -> None:
        if number in self.files:
            raise SegmentTaken(f"segment {number} exists")
        self.files[number] = content
