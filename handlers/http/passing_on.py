"""The body of a report that support passes on. What it needs depends on the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from domain.identifiers import CourierId, Role
from domain.order.commands import OnBehalf
from domain.order.deciding import LINES_MAX
from domain.order.events import (
    CourierAssigned,
    CourierDeclined,
    DeliveryFailed,
    Fact,
    Fault,
    ItemUnavailable,
    OrderDelivered,
    OrderPickedUp,
    PreparationAccepted,
    PreparationReady,
    PreparationRejected,
)
from handlers.http.models import QUANTITY_MAX, example
from handlers.http.values import CourierName, Instant, IntentVersion, Long, OfField, Strict
from workflows.orders.permissions import Action


class PassOnBody(Strict):
    """A report of a restaurant or courier, who said so, and why they did not report it themselves.

    ``fact`` decides which other fields are needed: ``accepted`` needs ``ready_at``; ``item_unavailable`` needs ``line``
    and ``available``; ``rejected``, ``declined`` and ``failed`` need ``party_reason``, their own reason; ``assigned``
    needs ``courier_id``; ``failed`` needs ``fault``. ``answers`` is the number of the ticket or offer, by default the
    current one. Neither ``said_by`` nor ``reason`` should name the customer.
    """

    model_config = example(
        fact="delivered", said_by="courier-3, by phone", reason="the courier's phone was broken", dry_run=True
    )

    fact: Literal[
        "accepted", "rejected", "item_unavailable", "ready", "assigned", "declined", "picked_up", "delivered", "failed"
    ]
    said_by: Long
    reason: Long
    answers: IntentVersion | None = None
    ready_at: Instant | None = None
    line: Annotated[int, Field(ge=1, le=LINES_MAX)] | None = None
    available: Annotated[int, Field(ge=0, le=QUANTITY_MAX)] | None = None
    courier_id: CourierName | None = None
    party_reason: Long | None = None
    fault: Literal["customer", "restaurant", "courier", "platform"] | None = None
    dry_run: bool = False

    def model_post_init(self, _: Any) -> None:
        """Check that the fields are those that the report needs."""
        report = _REPORTS[self.fact]
        for name in _DETAILS:
            given = getattr(self, name) is not None
            if name in report.needs and not given:
                raise OfField(name, f"is required for {self.fact}")
            if given and name not in (*report.needs, *report.takes):
                raise OfField(name, f"is not used for {self.fact}; leave it out")

    @property
    def action(self) -> Action:
        """What the party would have done."""
        return _REPORTS[self.fact].action

    @property
    def on_behalf(self) -> OnBehalf:
        return OnBehalf(party=_REPORTS[self.fact].party, said_by=self.said_by, reason=self.reason)

    def made(self, intent: int, at: datetime) -> Fact:
        """Make the fact that answers the intent."""
        report = _REPORTS[self.fact]
        details = {report.names.get(name, name): getattr(self, name) for name in (*report.needs, *report.takes)}
        if "fault" in details:
            details["fault"] = Fault(details["fault"])
        if details.get("courier") is not None:
            details["courier"] = CourierId(details["courier"])
        fact: Fact = report.kind(answers=intent, at=at, **details)
        return fact


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartyReport:
    kind: type[Any]
    action: Action
    party: Role
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=lambda: {"party_reason": "reason", "courier_id": "courier"})


_DETAILS = ("ready_at", "line", "available", "courier_id", "party_reason", "fault")
_KITCHEN, _COURIER = Role.RESTAURANT, Role.COURIER
_REPORTS = {
    "accepted": _PartyReport(kind=PreparationAccepted, action=Action.ACCEPT, party=_KITCHEN, needs=("ready_at",)),
    "rejected": _PartyReport(kind=PreparationRejected, action=Action.REJECT, party=_KITCHEN, needs=("party_reason",)),
    "item_unavailable": _PartyReport(
        kind=ItemUnavailable, action=Action.ITEM_UNAVAILABLE, party=_KITCHEN, needs=("line", "available")
    ),
    "ready": _PartyReport(kind=PreparationReady, action=Action.READY, party=_KITCHEN),
    "assigned": _PartyReport(kind=CourierAssigned, action=Action.ASSIGN, party=_COURIER, needs=("courier_id",)),
    "declined": _PartyReport(
        kind=CourierDeclined, action=Action.DECLINE, party=_COURIER, needs=("party_reason",), takes=("courier_id",)
    ),
    "picked_up": _PartyReport(kind=OrderPickedUp, action=Action.PICK_UP, party=_COURIER),
    "delivered": _PartyReport(kind=OrderDelivered, action=Action.DELIVER, party=_COURIER),
    "failed": _PartyReport(kind=DeliveryFailed, action=Action.FAIL, party=_COURIER, needs=("party_reason", "fault")),
}
