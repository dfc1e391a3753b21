"""Data keys of customers. Destroying a customer's key erases the personal fields in all of their events."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DataKey:
    """An AES-256 key. Every ciphertext names its ``id``, which reveals nothing about the customer."""

    id: str
    material: bytes = field(repr=False)


class KeyRing(Protocol):
    """Reads may be cached. The process that destroys a key removes it from its own cache at once."""

    @property
    def forgotten_after_s(self) -> float:
        """Seconds for which other processes may still use a key that was destroyed, from their caches."""
        ...

    def current(self, customer: str) -> DataKey:
        """Return the key to encrypt with, created on first use. Concurrent first uses get the same key."""
        ...

    def find(self, key_id: str) -> DataKey | None:
        """Return the key that a ciphertext names; None if it was destroyed."""
        ...

    def key_id_of(self, customer: str) -> str | None:
        """Return the id of the customer's key, without creating one; None if there is none."""
        ...

    def destroy(self, customer: str, key_id: str) -> bool:
        """Destroy this key of the customer; return whether it existed. A later ``current`` creates a new key.

        A repeated call is safe: a key that the customer got since has another id and stays.
        """
        ...


class KeyRingUnavailable(Exception):
    """The store of the keys did not answer. Retryable: yes."""


class KeysWithheld(RuntimeError):
    """A function without access to keys tried to write or erase personal fields. A bug in this code. Retryable: no."""


class NoKeys:
    """The key ring of functions that need no personal fields: they read as erased and cannot be written."""

    forgotten_after_s = 0.0

    def current(self, customer: str) -> DataKey:
        raise KeysWithheld("this function has no access to keys and cannot store personal fields")

    def find(self, key_id: str) -> None:
        return None

    def key_id_of(self, customer: str) -> str | None:
        raise KeysWithheld("this function has no access to keys and cannot look for one")

    def destroy(self, customer: str, key_id: str) -> bool:
        raise KeysWithheld("this function has no access to keys and cannot destroy one")


def new_data_key() -> DataKey:
    """Return a key with a random id and random material."""
    return DataKey(new_key_id(), secrets.token_bytes(32))


def new_key_id() -> str:
    """Return a random id, so that it reveals nothing about the customer."""
    return secrets.token_hex(8)
