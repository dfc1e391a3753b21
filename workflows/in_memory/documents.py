"""Documents in memory."""

from __future__ import annotations

import json
import threading
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from workflows.asl.json_text import from_text
from workflows.event_store.documents import AnyVersion, Document, Expected, check_version


@dataclass(frozen=True, slots=True)
class _StoredBody:
    """A document without its keys: ``text`` is its body as JSON."""

    version: int
    text: str

    def document(self, pk: str, sk: str) -> Document:
        body: Any = from_text(self.text)
        return Document(pk, sk, body, self.version)


@dataclass(slots=True)
class _Partition:
    """Documents by sort key. ``keys`` are in order, so that reading a page does not read the whole partition."""

    stored: dict[str, _StoredBody] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def version(self, sk: str) -> int | None:
        return self.stored[sk].version if sk in self.stored else None

    def put(self, sk: str, stored: _StoredBody) -> None:
        if sk not in self.stored:
            insort(self.keys, sk)
        self.stored[sk] = stored

    def delete(self, sk: str) -> None:
        if self.stored.pop(sk, None) is not None:
            del self.keys[bisect_left(self.keys, sk)]

    def page(self, limit: int, after: str | None) -> list[tuple[str, _StoredBody]]:
        first = 0 if after is None else bisect_right(self.keys, after)
        return [(sk, self.stored[sk]) for sk in self.keys[first : first + limit]]


class InMemoryDocuments:
    """Keeps each body as JSON text, as a real store does, so that it shares no object with the caller.

    Expired documents are kept, as DynamoDB may keep them for days: a reader must not depend on their deletion.
    """

    def __init__(self) -> None:
        self._partitions: defaultdict[str, _Partition] = defaultdict(_Partition)
        self._gate = threading.Lock()

    def get(self, pk: str, sk: str) -> Document | None:
        with self._gate:
            stored = self._partitions[pk].stored.get(sk)
        return stored.document(pk, sk) if stored else None

    def put(self, document: Document, expected: Expected) -> Document:
        pk, sk, text = document.pk, document.sk, json.dumps(document.body)
        with self._gate:
            partition = self._partitions[pk]
            version = partition.version(sk)
            check_version(pk, sk, expected, version)
            stored = _StoredBody((version or 0) + 1, text)
            partition.put(sk, stored)
        return replace(stored.document(pk, sk), expires_s=document.expires_s)

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        with self._gate:
            partition = self._partitions[pk]
            check_version(pk, sk, expected, partition.version(sk))
            partition.delete(sk)

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        with self._gate:
            page = self._partitions[pk].page(limit, after)
        return [stored.document(pk, sk) for sk, stored in page]

    def every(self) -> tuple[Document, ...]:
        """Return all documents, the expired ones too."""
        with self._gate:
            pages = [(pk, partition.stored.copy()) for pk, partition in self._partitions.items()]
        return tuple(stored.document(pk, sk) for pk, page in pages for sk, stored in page.items())
