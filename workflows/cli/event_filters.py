"""The options that choose events by a filter, for lists and for exports, and the same choice among live updates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from domain.identifiers import Role
from workflows.cli.failures import InvalidInput

if TYPE_CHECKING:
    from workflows.client.live_json import LiveUpdateJson
    from workflows.client.order_json import EventJson

EventTypes = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="E.g. OrderCancelled; repeat it for several.")
]
RecordedBy = Annotated[str | None, typer.Option(metavar="ID", help="Recorded by this person or service.")]
RecordedByRole = Annotated[
    str | None, typer.Option("--role", metavar="ROLE", help="Recorded by this role, e.g. support.")
]
OfOrder = Annotated[str | None, typer.Option(metavar="ORDER", help="Of this order.")]
RecordedFrom = Annotated[str | None, typer.Option("--from", metavar="TIME", help="Recorded at this time or later.")]
RecordedTo = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Recorded before this time.")]
Correlation = Annotated[str | None, typer.Option(metavar="TRACE", help="With this trace id.")]
PeopleOnly = Annotated[bool, typer.Option("--people-only", help="Not those of Expediter itself.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedEvents:
    """A filter of the events in live updates: an event has to match each field that is set, as in a list."""

    types: Collection[str] = ()
    actor: str | None = None
    actor_role: str | None = None
    order: str | None = None
    customer: str | None = None
    restaurant: str | None = None
    correlation: str | None = None
    people_only: bool = False

    def __post_init__(self) -> None:
        """Check the names, because an unknown one matches nothing. Raises InvalidInput."""
        from workflows.orders.event_names import event_type

        for name in self.types:
            try:
                event_type(name)
            except ValueError as error:
                raise InvalidInput(f"--type: {error}") from None
        if self.actor_role is not None and self.actor_role not in (roles := [role.value for role in Role]):
            raise InvalidInput(f"--role: must be one of {', '.join(roles)}")

    def chosen(self, update: LiveUpdateJson) -> LiveUpdateJson | None:
        """Return an update with its matching events alone; None if no event matches.

        An empty filter lets each update through, also one without events.
        """
        if self == FollowedEvents() or update.get("unreadable"):
            return update
        if not update.get("events") or not self._matches_order(update):
            return None
        events = [event for event in update["events"] if self._matches(event)]
        return {**update, "events": events} if events else None

    def _matches_order(self, update: LiveUpdateJson) -> bool:
        shown = update["order"]
        wanted = ((self.order, shown["id"]), (self.customer, shown["customer"]), (self.restaurant, shown["restaurant"]))
        return all(value is None or value == found for value, found in wanted)

    def _matches(self, event: EventJson) -> bool:
        actor = event["actor"]
        wanted = (
            (self.actor, actor["id"]),
            (self.actor_role, actor["role"]),
            (self.correlation, event["correlation"]),
        )
        return (
            all(value is None or value == found for value, found in wanted)
            and (not self.types or event["type"] in self.types)
            and not (self.people_only and actor["role"] == Role.SYSTEM.value)
        )
