"""Data keys of customers. Destroying a customer's key erases the personal fields of all of their events."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DataKey:
    """An AES-256 key; every ciphertext names the ``id``, which says nothing about the customer."""

    id: str
    material: bytes = field(repr=False)


class KeyRing(Protocol):
    """Reads may be cached; a destroyed key is gone from the caches of the process that destroyed it at once."""

    def current(self, customer: str) -> DataKey:
        """The key to encrypt with, made on first use: two that ask at once get the same one."""
        ...

    def find(self, key_id: str) -> DataKey | None:
        """The key a ciphertext names; ``None`` once it was destroyed."""
        ...

    def destroy(self, customer: str) -> bool:
        """Erase: ``True`` when there was a key. A later ``current`` makes another one, with another id."""
        ...


class KeyRingUnavailable(Exception):
    """No answer from where the keys are. Retryable: yes."""


class KeysWithheld(RuntimeError):
    """A function that was given no keys was to write or erase what is personal. A bug of ours. Retryable: no."""


class NoKeys:
    """For functions that need nothing personal: what is sealed reads as erased, and none is written."""

    def current(self, customer: str) -> DataKey:
        raise KeysWithheld("this function has no keys, and was to store something personal")

    def find(self, key_id: str) -> None:
        return None

    def destroy(self, customer: str) -> bool:
        raise KeysWithheld("this function has no keys, and was to destroy one")


def new_data_key() -> DataKey:
    return DataKey(new_key_id(), secrets.token_bytes(32))


def new_key_id() -> str:
    """By chance, and so about nobody."""
    return secrets.token_hex(8)
