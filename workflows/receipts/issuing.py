"""Make receipts and keep them: the first one that was stored for an order and a version stays."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from domain.catalogue.events import Profile
from domain.catalogue.restaurant import evolve_restaurant, initial_restaurant
from domain.identifiers import OrderId, RestaurantId
from domain.order.events import OrderPlaced
from domain.order.refusals import Rejected
from workflows.event_store.commits import History
from workflows.event_store.documents import Document, DocumentChanged, Documents, all_documents
from workflows.event_store.event_log import EventLog
from workflows.event_store.streams import order_stream, restaurant_stream
from workflows.receipts.content import OCCASIONS, receipt_content, receipt_versions

if TYPE_CHECKING:
    from workflows.client.receipt_json import ReceiptJson

_log = logging.getLogger(__name__)

NOT_ISSUED = "a receipt could not be made; it is made when it is read"


class NoReceipt(Rejected):
    """The order has no receipt, or none for this version. Retryable: later. HTTP: 404."""

    def __init__(self, order_id: OrderId, versions: list[int]) -> None:
        have = f"it has receipts for versions {', '.join(map(str, versions))}" if versions else "it has none yet"
        super().__init__(f"A receipt is made when an order is completed and on each refund. Order {order_id}: {have}.")
        self.order_id = order_id


def issue_receipts(log: EventLog, documents: Documents, history: History, events: Iterable[object]) -> None:
    """Make the receipts of an order if one of its new events asks for one. A failure is logged and delays nothing."""
    if not any(isinstance(event, OCCASIONS) for event in events):
        return
    try:
        for version in receipt_versions(history):
            receipt_at(log, documents, history, version)
    except Exception:
        _log.exception(NOT_ISSUED, extra={"stream": history.stream})


def find_receipt(log: EventLog, documents: Documents, history: History, version: int | None) -> ReceiptJson:
    """Return the receipt for a version, or the newest one if None.

    Raises:
        NoReceipt: The order has none for that version.
    """
    versions = receipt_versions(history)
    if not versions or (version is not None and version not in versions):
        raise NoReceipt(OrderId(history.stream.partition("#")[2]), versions)
    return receipt_at(log, documents, history, versions[-1] if version is None else version)


def receipt_at(log: EventLog, documents: Documents, history: History, version: int) -> ReceiptJson:
    """Return the stored receipt for a version; if there is none, make and store it."""
    pk, sk = f"receipt/{history.stream}", str(version)
    stored = documents.get(pk, sk)
    if stored is None:
        body = receipt_content(history, version, profile_then(log, history))
        try:
            stored = documents.put(Document(pk, sk, body), expected=None)
        except DocumentChanged:  # another process was faster; its receipt is the one
            stored = documents.get(pk, sk)
            assert stored is not None
    return cast("ReceiptJson", stored.body)


def kept_receipts(documents: Documents, order_id: OrderId) -> list[int]:
    """Return the versions of an order that a receipt is kept for, oldest first."""
    return sorted(int(document.sk) for document in all_documents(documents, f"receipt/{order_stream(order_id)}"))


def profile_then(log: EventLog, history: History) -> Profile | None:
    """Return the profile that the restaurant had when the order was placed; None if it was not registered."""
    placed = history.recorded[0]
    assert isinstance(placed.event, OrderPlaced)
    restaurant = RestaurantId(placed.event.restaurant)
    its_history = log.load(restaurant_stream(restaurant))
    before = [recorded.event for recorded in its_history.recorded if recorded.ts <= placed.ts]
    return evolve_restaurant(initial_restaurant(restaurant), tuple(before)).profile  # type: ignore[arg-type]  # of it
