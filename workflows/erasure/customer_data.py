"""Everything that is kept about one customer, field by field. Auditors see which fields there are, not their values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from domain.identifiers import Actor, OrderId, Role
from domain.personal import Erased
from workflows.engine import Engine
from workflows.erasure.holdings import customer_orders, kept_deliveries
from workflows.erasure.state import ErasureState, phase_now
from workflows.erasure.views import receipt_view
from workflows.event_store.commits import History, Opaque
from workflows.live.positions import has_position
from workflows.orders.access import personal_fields, record_read
from workflows.orders.access_events import OrderShown
from workflows.orders.command_handling import Caller, load
from workflows.orders.json_values import money_json, plain
from workflows.orders.words import WITHHELD
from workflows.publishing.webhooks.views import delivery_view
from workflows.receipts.issuing import kept_receipts
from workflows.search.reading import in_snapshot, views_of
from workflows.search.refusals import NotACursor

if TYPE_CHECKING:  # importing the client costs a cold start
    from workflows.client.customer_json import CustomerDataJson, CustomerFieldJson, CustomerOrderJson
    from workflows.client.search_json import ListedReadJson

ROUTE: Final = "GET /customers/{customer_id}/data"
READS_SHOWN: Final = 100


def customer_data(
    engine: Engine, customer: str, state: ErasureState, caller: Caller, *, limit: int, cursor: str | None, reason: str
) -> CustomerDataJson:
    """Return a page of what is kept, and record that the caller was shown it.

    Raises:
        NotACursor: HTTP 400.
        NoViewsDatabase, ViewsUnavailable: HTTP 503.
        StreamUnavailable: The read could not be recorded, so nothing may be shown. Retryable: yes.
    """
    listed = customer_orders(engine, customer).all
    page, following = _page(listed, limit, cursor)
    orders = [_order(engine, order_id, caller.actor) for order_id in page]
    key_id = engine.keyring.key_id_of(customer)
    _record(engine, customer, orders, caller, reason)
    return {
        "customer": customer,
        "state": phase_now(state, key_id).value,
        "key_id": key_id,
        "orders": orders,
        "next": following,
        "deliveries": [] if cursor else [delivery_view(each) for each in kept_deliveries(engine, listed)],
        "reads": [] if cursor else _reads(engine, customer),
        "erasures": [receipt_view(receipt) for receipt in state.receipts],
    }


def _page(orders: Sequence[OrderId], limit: int, cursor: str | None) -> tuple[Sequence[OrderId], str | None]:
    """Return the orders behind a cursor, which is the last order of the page before, and the next cursor."""
    first = 0
    if cursor is not None:
        if OrderId(cursor) not in orders:
            raise NotACursor
        first = orders.index(OrderId(cursor)) + 1
    page = orders[first : first + limit]
    return page, page[-1] if first + limit < len(orders) else None


def _order(engine: Engine, order_id: OrderId, actor: Actor) -> CustomerOrderJson:
    history, order = load(engine.log_with_keys, order_id)
    assert order.placed is not None
    return {
        "id": order_id,
        "restaurant": order.placed.restaurant,
        "status": order.status.value,
        "placed_at": history.recorded[0].ts,
        "total": money_json(order.total),
        "receipts": kept_receipts(engine.documents, order_id),
        "courier_position": has_position(engine.documents, order_id),
        "fields": list(_fields(history, actor)),
    }


def _fields(history: History, actor: Actor) -> Iterator[CustomerFieldJson]:
    """Yield the personal fields that hold something, or held it before they were erased."""
    for recorded in history.recorded:
        event: Any = recorded.event
        if isinstance(event, Opaque):
            continue
        personal = personal_fields(type(event))
        for name in (each.name for each in fields(event) if each.name in personal):
            value = getattr(event, name)
            if value == "":
                continue
            is_shown = isinstance(value, Erased) or actor.role is not Role.AUDITOR
            yield {
                "version": recorded.version,
                "event": type(event).__name__,
                "field": name,
                "value": plain(value) if is_shown else WITHHELD,
            }


def _record(engine: Engine, customer: str, orders: Sequence[CustomerOrderJson], caller: Caller, reason: str) -> None:
    """Record the read, if it shows anything that was not erased."""
    shown = [field for order in orders for field in order["fields"] if field["value"] != str(Erased())]
    record_read(
        engine.log,
        caller,
        route=ROUTE,
        orders=[OrderShown(order_id=OrderId(order["id"]), customer=customer) for order in orders],
        fields=sorted({field["field"] for field in shown}),
        reason=reason,
        at=engine.clock.now(),
    )


def _reads(engine: Engine, customer: str) -> list[ListedReadJson]:
    def read(_: object, connection: Any) -> list[ListedReadJson]:
        from workflows.search.access_list import list_reads
        from workflows.search.filters import AccessFilter

        return list_reads(connection, AccessFilter(customer=customer), limit=READS_SHOWN, cursor=None).reads

    return in_snapshot(engine, views_of(engine), read)
