"""Documents in memory."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Literal

from workflows.event_store.documents import AnyVersion, Document, Expected, check_version


@dataclass(slots=True)
class _Partition:
    """Documents by sort key. ``keys`` are in order, so that reading a page does not read the whole partition."""

    documents: dict[str, Document] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def put(self, document: Document) -> None:
        if document.sk not in self.documents:
            insort(self.keys, document.sk)
        self.documents[document.sk] = document

    def delete(self, sk: str) -> None:
        if self.documents.pop(sk, None) is not None:
            del self.keys[bisect_left(self.keys, sk)]

    def page(self, limit: int, after: str | None) -> list[Document]:
        first = 0 if after is None else bisect_right(self.keys, after)
        return [self.documents[sk] for sk in self.keys[first : first + limit]]


class InMemoryDocuments:
    """Copies each document through JSON, as a real store does, so that it shares no object with the caller.

    Expired documents are kept, as DynamoDB may keep them for days: a reader must not depend on their deletion.
    """

    def __init__(self) -> None:
        self._partitions: defaultdict[str, _Partition] = defaultdict(_Partition)
        self._gate = threading.Lock()

    def get(self, pk: str, sk: str) -> Document | None:
        with self._gate:
            stored = self._partitions[pk].documents.get(sk)
        return _copy(stored) if stored else None

    def put(self, document: Document, expected: Expected) -> Document:
        document = _copy(document)
        with self._gate:
            partition = self._partitions[document.pk]
            replaced = partition.documents.get(document.sk)
            check_version(document.pk, document.sk, expected, replaced.version if replaced else None)
            document = replace(document, version=replaced.version + 1 if replaced else 1)
            partition.put(replace(document, expires_s=None))
        return _copy(document)

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        with self._gate:
            partition = self._partitions[pk]
            stored = partition.documents.get(sk)
            check_version(pk, sk, expected, stored.version if stored else None)
            partition.delete(sk)

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        with self._gate:
            page = self._partitions[pk].page(limit, after)
        return [_copy(document) for document in page]

    def every(self) -> tuple[Document, ...]:
        """Return all documents, the expired ones too."""
        with self._gate:
            return tuple(_copy(document) for kept in self._partitions.values() for document in kept.documents.values())


def _copy(document: Document) -> Document:
    return replace(document, body=json.loads(json.dumps(document.body)))
