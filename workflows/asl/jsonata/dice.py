"""Random numbers for one step, all drawn from the seed in its signal.

The same seed gives the same numbers in the same order, and a seed nobody can guess gives tokens nobody can guess.
"""

from __future__ import annotations

import hashlib
import uuid


class Dice:
    """Draws for one signal; every draw is numbered, so no two are alike."""

    __slots__ = ("_drawn", "_seed")

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def bytes32(self, purpose: str) -> bytes:
        """32 bytes nobody can predict without the seed."""
        self._drawn += 1
        return hashlib.sha256(f"{self._seed}/{purpose}/{self._drawn}".encode()).digest()

    def fraction(self, purpose: str) -> float:
        """A number in [0, 1), 53 bits."""
        return (int.from_bytes(self.bytes32(purpose)[:8], "big") >> 11) / (1 << 53)

    def uuid4(self) -> str:
        """A random UUID, version 4."""
        return str(uuid.UUID(bytes=self.bytes32("uuid")[:16], version=4))
