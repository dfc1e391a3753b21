"""Documents in memory."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import replace
from typing import Literal

from workflows.event_store.documents import AnyVersion, Document, Expected, check_version


class InMemoryDocuments:
    """Copies each document through JSON, as a real store does, so that it shares no object with the caller.

    Expired documents are kept, as DynamoDB may keep them for days: a reader must not depend on their deletion.
    """

    def __init__(self) -> None:
        self._partitions: defaultdict[str, dict[str, Document]] = defaultdict(dict)
        self._gate = threading.Lock()

    def get(self, pk: str, sk: str) -> Document | None:
        with self._gate:
            stored = self._partitions[pk].get(sk)
        return _copy(stored) if stored else None

    def put(self, document: Document, expected: Expected) -> Document:
        document = _copy(document)
        with self._gate:
            replaced = self._partitions[document.pk].get(document.sk)
            check_version(document.pk, document.sk, expected, replaced.version if replaced else None)
            document = replace(document, version=replaced.version + 1 if replaced else 1)
            self._partitions[document.pk][document.sk] = replace(document, expires_s=None)
        return _copy(document)

    def delete(self, pk: str, sk: str, expected: int | Literal[AnyVersion.ANY]) -> None:
        with self._gate:
            stored = self._partitions[pk].get(sk)
            check_version(pk, sk, expected, stored.version if stored else None)
            self._partitions[pk].pop(sk, None)

    def list(self, pk: str, *, limit: int = 100, after: str | None = None) -> list[Document]:
        with self._gate:
            partition = self._partitions[pk]
            page = [partition[sk] for sk in sorted(sk for sk in partition if after is None or sk > after)[:limit]]
        return [_copy(document) for document in page]

    def every(self) -> tuple[Document, ...]:
        """Return all documents, the expired ones too."""
        with self._gate:
            return tuple(_copy(document) for partition in self._partitions.values() for document in partition.values())


def _copy(document: Document) -> Document:
    return replace(document, body=json.loads(json.dumps(document.body)))
