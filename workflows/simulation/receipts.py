"""The receipts of a world: each that was stored is the one that the log gives, and a missing one is made when read."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.event_store.documents import Documents
from workflows.event_store.event_log import EventLog
from workflows.event_store.replay import BrokenStream, histories
from workflows.event_store.streams import order_id_in
from workflows.receipts.content import receipt_content, receipt_versions
from workflows.receipts.issuing import profile_then, receipt_at


def receipt_violations(log: EventLog, documents: Documents) -> Iterator[str]:
    """Describe every receipt that differs from what its order's events say."""
    for history in histories(log):
        if isinstance(history, BrokenStream) or order_id_in(history.stream) is None:
            continue
        for version in receipt_versions(history):
            expected = receipt_content(history, version, profile_then(log, history))
            if receipt_at(log, documents, history, version) != expected:
                yield f"{history.stream}: the receipt for version {version} is not that of its events"
