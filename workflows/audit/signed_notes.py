"""Signed notes as of C2SP: a text with signatures below it, each by a key that has a name.

https://c2sp.org/signed-note. The signatures are Ed25519. A verifier key is published as text, ``name+id+key``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

_ED25519 = b"\x01"
"""The type of a signature, before the public key."""

_PUBLIC_BYTES, _ID_BYTES, _SIGNATURE_BYTES = 32, 4, 64


class NoteRefused(ValueError):
    """A note is not in the form of a signed note, or it is not signed by the expected key."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 public key and the name that it signs under."""

    name: str
    public: bytes

    @classmethod
    def of(cls, public: bytes) -> VerifierKey:
        """Name a key after itself, so that no two keys share a name."""
        return cls(f"expediter/{sha256(public).hexdigest()[:16]}", public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a published key. Raises NoteRefused."""
        try:
            name, _, rest = text.strip().partition("+")
            blob = b64decode(rest.partition("+")[2], validate=True)
            key = cls(name, blob.removeprefix(_ED25519))
        except (NotBase64, ValueError):
            raise NoteRefused("is not a verifier key: name+id+key") from None
        if len(key.public) != _PUBLIC_BYTES or key.text != text.strip():
            raise NoteRefused("is not a verifier key of Ed25519: name+id+key")
        return key

    @property
    def id(self) -> bytes:
        return sha256(f"{self.name}\n".encode() + _ED25519 + self.public).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    def check(self, note: str) -> str:
        """Return the text of a note that this key alone signed. Raises NoteRefused."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        body, separator, signature = note.partition("\n\n")
        start = f"— {self.name} "
        if not separator or not signature.startswith(start) or not signature.endswith("\n"):
            raise NoteRefused(f"is not signed by {self.name}")
        encoded = signature[len(start) : -1]
        try:
            blob = b64decode(encoded, validate=True)
        except (NotBase64, ValueError):
            blob = b""
        if len(blob) != _ID_BYTES + _SIGNATURE_BYTES or b64encode(blob).decode() != encoded or blob[:4] != self.id:
            raise NoteRefused(f"is not signed by {self.name}")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(blob[_ID_BYTES:], f"{body}\n".encode())
        except (InvalidSignature, ValueError):
            raise NoteRefused(f"its signature by {self.name} does not fit its text") from None
        return f"{body}\n"


class Signer(Protocol):
    """Signs with one private key. Both may raise SignerUnavailable."""

    @property
    def key(self) -> VerifierKey: ...

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature."""
        ...


class SignerUnavailable(Exception):
    """The private key could not be used for now. Retryable: yes."""


class LocalSigner:
    """Signs with a private key in memory."""

    def __init__(self, seed: bytes) -> None:
        """``seed``: 32 bytes, from which the key pair is derived."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerifierKey.of(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


def signed(text: str, signer: Signer) -> str:
    """Return the note with one signature.

    Args:
        text: Lines, each with its line end; none of them is empty.
    """
    blob = signer.key.id + signer.sign(text.encode())
    return f"{text}\n— {signer.key.name} {b64encode(blob).decode()}\n"
