"""What restaurants report about a ticket, over HTTP. Each report is recorded as a fact, however late it arrives."""

from __future__ import annotations

from typing import Any

from domain.order.events import ItemUnavailable, PreparationAccepted, PreparationReady, PreparationRejected
from handlers.http.api import Api
from handlers.http.models import AcceptBody, ItemUnavailableBody, RejectBody, TicketBody
from handlers.http.order_writes import MakeFact, report_route
from workflows.engine import engine
from workflows.incidents.approval_limits import read_limits
from workflows.orders.permissions import Action
from workflows.settings import read_keys

TAG = "Preparation"
PATH = "/orders/{order_id}/preparation"

api = Api()


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Lambda entry point."""
    engine(read_keys, read_limits)  # without the keys, personal fields would read as erased
    return api.resolve(event)


@report_route(api, f"{PATH}/accept", Action.ACCEPT, tag=TAG)
def accept_preparation(body: AcceptBody) -> MakeFact:
    """Accept the ticket and report when the meal will be ready."""
    return lambda ticket, at: PreparationAccepted(answers=ticket, ready_at=body.ready_at, at=at)


@report_route(api, f"{PATH}/reject", Action.REJECT, tag=TAG)
def reject_preparation(body: RejectBody) -> MakeFact:
    """Reject the ticket. The order is cancelled."""
    return lambda ticket, at: PreparationRejected(answers=ticket, reason=body.reason, at=at)


@report_route(api, f"{PATH}/item-unavailable", Action.ITEM_UNAVAILABLE, tag=TAG)
def report_item_unavailable(body: ItemUnavailableBody) -> MakeFact:
    """Report that fewer units of a line are available than were ordered. The customer does not pay for the others."""
    return lambda ticket, at: ItemUnavailable(answers=ticket, line=body.line, available=body.available, at=at)


@report_route(api, f"{PATH}/ready", Action.READY, tag=TAG)
def report_ready(body: TicketBody) -> MakeFact:
    """Report that the meal is ready for pickup."""
    return lambda ticket, at: PreparationReady(answers=ticket, at=at)
