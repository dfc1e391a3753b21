"""Small keyed records that the engine may lose: waits, breaker counters, checkpoints, rows of open orders.

A document has a partition key, a sort key and a version that counts its writes; every write names the version that it
replaces.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeVar

import msgspec

from domain.picklable import Picklable

_log = logging.getLogger(__name__)

_Shape = TypeVar("_Shape")


class AnyVersion(Enum):
    ANY = "any"


ANY: Final = AnyVersion.ANY
"""Expected version of a put or delete that applies whatever is stored."""

Expected = int | None | Literal[AnyVersion.ANY]
"""The version to replace; None if the document must not exist yet; ``ANY`` for both."""


@dataclass(frozen=True, slots=True)
class Document:
    """``body`` is JSON. ``version`` is set by ``put``: 1 for the first write.

    ``expires_s`` (Unix time) is written and not read back: the store deletes the document some time after it, within
    days on DynamoDB. A reader that needs the exact moment keeps it in the body.
    """

    pk: str
    sk: str
    body: Mapping[str, Any]
    version: int = 0
    expires_s: int | None = None


class DocumentChanged(Picklable, Exception):
    """Another process wrote the document first. Retryable: yes, after reading it again."""

    def __init__(self, pk: str, sk: str, expected: int | None, found: int | None) -> None:
        super().__init__(f"document {pk} / {sk} is at {_in_words(found)}, expected {_in_words(expected)}")
        self.pk = pk
        self.sk = sk
        self.expected = expected
        self.found = found


class DocumentsUnavailable(Exception):
    """The store did not answer; a write may or may not have happened. Retryable: yes."""


class Documents(Protocol):
    """Reads are consistent: they see every write that was acknowledged."""

    def get(self, pk: str, sk: str) -> Document | None: ...

    def put(self, document: Document, expected: Expected) -> Document:
        """Write the document and return it as stored, with its new version.

        Raises:
            DocumentChanged: Another version than ``expected`` is stored.
        """
        ...

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        """Delete a document. With ``ANY`` a missing document is not an error.

        Raises:
            DocumentChanged: Another version than ``expected``, or nothing, is stored.
        """
        ...

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        """Return the next documents of a partition by sort key.

        Args:
            limit: The number of documents at most. Fewer are returned only at the end of the partition.
            after: The sort key behind which the page begins; None for the first page.
        """
        ...


def all_documents(documents: Documents, pk: str, *, page: int = 100) -> Iterator[Document]:
    """Yield every document of a partition by sort key, reading the next page when it is needed.

    Args:
        page: Documents in one read. A smaller page suits a caller that often stops early.
    """
    after = None
    while True:
        listed = documents.list(pk, limit=page, after=after)
        yield from listed
        if len(listed) < page:
            return
        after = listed[-1].sk


def body_as(document: Document | None, shape: type[_Shape]) -> _Shape | None:
    """Convert the body to a dataclass.

    Returns:
        None if there is no document, or if its body has another shape because another version of Expediter wrote it.
        Documents can be recomputed, so an upgrade does not convert them: the caller goes on as if there were none.
    """
    if document is None:
        return None
    try:
        return msgspec.convert(document.body, shape)
    except msgspec.ValidationError as error:
        _log.warning("document %s / %s is ignored, its shape is unknown: %s", document.pk, document.sk, error)
        return None


def check_version(pk: str, sk: str, expected: Expected, found: int | None) -> None:
    """Compare the stored version with the expected one, as every adapter does. Raises DocumentChanged."""
    if expected is not ANY and expected != found:
        raise DocumentChanged(pk, sk, expected, found)


def _in_words(version: int | None) -> str:
    return "no version" if version is None else f"version {version}"
