"""Random numbers of one signal, all derived from the seed that the signal carries.

The same seed gives the same numbers in the same order. An unguessable seed gives unguessable task tokens.
"""

from __future__ import annotations

import hashlib
import uuid


class Dice:
    """Draws random numbers for one signal. The draws are counted, so each one differs."""

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def bytes32(self, purpose: str) -> bytes:
        """Draw 32 bytes that cannot be predicted without the seed."""
        self._drawn += 1
        return hashlib.sha256(f"{self._seed}/{purpose}/{self._drawn}".encode()).digest()

    def fraction(self, purpose: str) -> float:
        """Draw a number in [0, 1) with 53 random bits."""
        return (int.from_bytes(self.bytes32(purpose)[:8], "big") >> 11) / (1 << 53)

    def uuid4(self) -> str:
        """Draw a random UUID, version 4."""
        return str(uuid.UUID(bytes=self.bytes32("uuid")[:16], version=4))
