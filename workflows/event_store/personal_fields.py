"""Encrypt personal fields with the customer's data key, and decrypt them while the key exists.

AES-256-GCM with a random 96-bit nonce. The stream, event type and field name are authenticated with the text, so a
ciphertext cannot be moved to another place.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from domain.personal import Erased
from workflows.event_store.keyring import DataKey

ERASED = {"key": "", "sealed": ""}
"""Stored for a field whose value was already erased when the event was written."""

_NONCE_BYTES = 12  # the nonce size that GCM is specified for


class PersonalFieldForged(Exception):
    """A ciphertext was changed or moved to another field or stream. Retryable: no."""


class Vault:
    """Encrypt and decrypt the fields of one event. ``place`` is (stream, event type).

    A sealed field is ``{"key": id, "sealed": base64 of nonce and ciphertext}``.
    """

    def __init__(self, find: Callable[[str], DataKey | None], place: tuple[str, str]) -> None:
        self._find = find
        self._place = place

    def with_only(self, key: DataKey | None) -> Vault:
        """Return a vault for the same place that finds only ``key``, or no key for None."""
        return Vault(lambda key_id: key if key is not None and key.id == key_id else None, self._place)

    def seal(self, field: str, text: bytes, key: DataKey) -> dict[str, str]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # most functions on AWS have no keys

        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = AESGCM(key.material).encrypt(nonce, text, self._bound_to(field))
        return {"key": key.id, "sealed": b64encode(nonce + ciphertext).decode()}

    def open(self, field: str, sealed: dict[str, Any]) -> bytes | Erased:
        """Return the text, or ``Erased()`` if the key was destroyed. Raises PersonalFieldForged."""
        key = self._find(sealed["key"]) if sealed["key"] else None
        if key is None:
            return Erased()
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        blob = b64decode(sealed["sealed"], validate=True)
        try:
            return AESGCM(key.material).decrypt(blob[:_NONCE_BYTES], blob[_NONCE_BYTES:], self._bound_to(field))
        except InvalidTag:
            raise PersonalFieldForged(
                f"the sealed field {field} was changed, was written for another place, or its key was replaced"
            ) from None

    def _bound_to(self, field: str) -> bytes:
        return "".join(f"{len(part)}:{part}" for part in (*self._place, field)).encode()


def is_sealed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"key", "sealed"}


def key_ids(ev: str) -> Iterator[str]:
    """Yield the id of the key of each encrypted field in the text of a commit that can be decoded."""
    if '"sealed"' in ev:
        yield from _named_in(_read(ev))


_read = msgspec.json.Decoder().decode


def _named_in(root: Any) -> Iterator[str]:
    """Walk a JSON value of any depth and content: an event of an unknown type may hold anything."""
    values = [root]
    while values:
        value = values.pop()
        if is_sealed(value) and isinstance(value["key"], str):
            if value["key"]:  # empty if the field was erased before it was written
                yield value["key"]
        elif isinstance(value, dict):
            values += value.values()
        elif isinstance(value, list):
            values += value
