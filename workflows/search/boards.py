"""The boards of people: tickets, offers, and requests for a second person; the open ones with the oldest first.

The times by which they are sorted never change, so a row is in one page, once. Closed ones begin with the newest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, not_, or_, select, true

from domain.identifiers import Actor, Role
from domain.money import Money
from domain.order.delivery import OfferState
from workflows.orders.json_values import money_json
from workflows.projections.approvals import APPROVALS
from workflows.projections.offers import OFFERS, listed
from workflows.projections.tickets import TICKETS
from workflows.search.cursors import behind, decode
from workflows.search.filters import BoardFilter
from workflows.search.pages import page_of, read_page
from workflows.search.scopes import contains, offers_of, tickets_of

if TYPE_CHECKING:
    from workflows.client.search_json import ListedApprovalJson, ListedOfferJson, ListedTicketJson

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPage(Generic[T]):
    """Some tickets or offers as the API shows them, and the cursor of the next page; None on the last."""

    rows: list[T]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Board(Generic[T]):
    name: str
    table: Any
    keys: Sequence[ColumnElement[Any]]
    kinds: Sequence[type]
    of: ColumnElement[Any]
    shown: Callable[[RowMapping], T]

    def page(
        self, connection: Connection, wanted: BoardFilter, scope: ColumnElement[bool], limit: int, cursor: str | None
    ) -> BoardPage[T]:
        name = f"{self.name} {'open' if wanted.open else 'closed'}"
        descending = not wanted.open
        conditions = [scope, self.table.c.open == int(wanted.open)]
        if wanted.of is not None:
            conditions.append(self.of == wanted.of)
        if cursor is not None:
            conditions.append(behind(self.keys, decode(name, cursor, self.kinds), descending=descending))
        statement = page_of(select(self.table), conditions, self.keys, limit, descending=descending)
        page, following = read_page(connection, statement, limit, name, self.keys)
        return BoardPage(rows=[self.shown(row) for row in page], next=following)


def list_tickets(
    connection: Connection, actor: Actor, wanted: BoardFilter, *, limit: int, cursor: str | None
) -> BoardPage[ListedTicketJson]:
    """Return a page of a restaurant's tickets; of all for support, auditors and services. Raises NotACursor."""
    return _TICKETS.page(connection, wanted, tickets_of(actor), limit, cursor)


def list_offers(
    connection: Connection, actor: Actor, wanted: BoardFilter, *, limit: int, cursor: str | None
) -> BoardPage[ListedOfferJson]:
    """Return a page of the open offers that a courier may accept, or of those that the courier accepted.

    For support, auditors and services: of all. Raises NotACursor.
    """
    return _OFFERS.page(connection, wanted, _board_of(actor, wanted), limit, cursor)


def list_approvals(
    connection: Connection, actor: Actor, wanted: BoardFilter, *, limit: int, cursor: str | None
) -> BoardPage[ListedApprovalJson]:
    """Return a page of the requests that wait for a second person, or of the decided ones. Raises NotACursor."""
    own = and_(APPROVALS.c.by_role == actor.role.value, APPROVALS.c.by_id == actor.id)
    return _APPROVALS.page(connection, wanted, not_(own) if wanted.by_others else true(), limit, cursor)


def _board_of(actor: Actor, wanted: BoardFilter) -> ColumnElement[bool]:
    if actor.role is not Role.COURIER or not wanted.open:
        return offers_of(actor)
    earlier = OFFERS.alias()
    gave_back = exists().where(
        earlier.c.order_id == OFFERS.c.order_id,
        earlier.c.courier == actor.id,
        earlier.c.state == OfferState.DECLINED.value,
    )
    refused = or_(contains(OFFERS.c.declined_by, listed([actor.id])), gave_back)
    return and_(offers_of(actor), not_(refused))


def _ticket(row: RowMapping) -> ListedTicketJson:
    return {
        "order_id": row["order_id"],
        "version": row["version"],
        "restaurant": row["restaurant"],
        "ticket": row["ticket"],
        "state": row["state"],
        "open": bool(row["open"]),
        "order_status": row["order_status"],
        "placed_at": row["placed_at"],
        "sent_at": row["sent_at"],
        "accepted_at": row["accepted_at"],
        "ready_by": row["ready_by"],
        "ready_at": row["ready_at"],
        "courier": row["courier"],
        "lines": json.loads(row["lines"]),
    }


def _offer(row: RowMapping) -> ListedOfferJson:
    return {
        "order_id": row["order_id"],
        "version": row["version"],
        "offer": row["offer"],
        "attempt": row["attempt"],
        "state": row["state"],
        "open": bool(row["open"]),
        "restaurant": row["restaurant"],
        "courier": row["courier"],
        "order_status": row["order_status"],
        "offered_at": row["offered_at"],
        "assigned_at": row["assigned_at"],
        "ready_by": row["ready_by"],
    }


def _approval(row: RowMapping) -> ListedApprovalJson:
    return {
        "order_id": row["order_id"],
        "version": row["version"],
        "approval": row["approval"],
        "action": row["action"],
        "amount": money_json(Money(row["amount"], row["currency"])),
        "by": {"role": row["by_role"], "id": row["by_id"]},
        "open": bool(row["open"]),
        "order_status": row["order_status"],
        "requested_at": row["requested_at"],
        "given_at": row["given_at"],
        "given_by": row["given_by"],
        "rejected": bool(row["rejected"]),
    }


_TICKETS = _Board(
    name="tickets",
    table=TICKETS,
    keys=(TICKETS.c.sent_at, TICKETS.c.order_id),
    kinds=(str, str),
    of=TICKETS.c.restaurant,
    shown=_ticket,
)
_OFFERS = _Board(
    name="offers",
    table=OFFERS,
    keys=(OFFERS.c.offered_at, OFFERS.c.order_id, OFFERS.c.offer),
    kinds=(str, str, int),
    of=OFFERS.c.courier,
    shown=_offer,
)
_APPROVALS = _Board(
    name="approvals",
    table=APPROVALS,
    keys=(APPROVALS.c.requested_at, APPROVALS.c.order_id, APPROVALS.c.approval),
    kinds=(str, str, int),
    of=APPROVALS.c.by_id,
    shown=_approval,
)

LISTS: Mapping[str, Callable[..., BoardPage[Any]]] = {
    "tickets": list_tickets,
    "offers": list_offers,
    "approvals": list_approvals,
}
"""The lists by the name of their view."""
