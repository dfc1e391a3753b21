"""Small keyed records that the engine may lose: waits, breaker counters, checkpoints.

A document has a partition key, a sort key and a version that counts its writes; every write says which version it
replaces. ``indexes`` are the attributes an adapter may index; nothing that must be right is read through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal, Protocol


class AnyVersion(Enum):
    ANY = "any"


ANY: Final = AnyVersion.ANY
"""Expected version of a put or delete that does not care what is there."""

Expected = int | None | Literal[AnyVersion.ANY]
"""The version that is replaced; ``None`` when the document must not exist yet; ``ANY`` for either."""


@dataclass(frozen=True, slots=True)
class Document:
    """``body`` is what JSON can say. ``version`` is set by ``put``: 1 for the first write."""

    pk: str
    sk: str
    body: Mapping[str, Any]
    version: int = 0
    indexes: Mapping[str, str] = field(default_factory=dict)


class DocumentChanged(Exception):
    """Somebody else wrote the document first. Retryable: yes, after reading it again."""

    def __init__(self, pk: str, sk: str, expected: int | None, found: int | None) -> None:
        super().__init__(f"document {pk} / {sk} is at {_said(found)}, expected {_said(expected)}")
        self.pk = pk
        self.sk = sk
        self.expected = expected
        self.found = found


class DocumentsUnavailable(Exception):
    """No answer from the store; a write may or may not have happened. Retryable: yes."""


class Documents(Protocol):
    """Reads are consistent: they see every write that was acknowledged."""

    def get(self, pk: str, sk: str) -> Document | None: ...

    def put(self, document: Document, expected: Expected) -> Document:
        """Write and return what is stored, with its new version. Raises DocumentChanged."""
        ...

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        """Raises DocumentChanged when another version, or nothing, is there; with ``ANY`` nothing is no error."""
        ...

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        """The documents of a partition by sort key, from the first one past ``after``."""
        ...


def check_version(pk: str, sk: str, expected: Expected, found: int | None) -> None:
    """The rule of every adapter. Raises DocumentChanged."""
    if expected is not ANY and expected != found:
        raise DocumentChanged(pk, sk, expected, found)


def _said(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"
