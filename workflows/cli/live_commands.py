"""``expediter order watch`` and ``expediter events``: what happens, as it happens, and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.event_filters import (
    Correlation,
    EventTypes,
    FollowedEvents,
    OfOrder,
    PeopleOnly,
    RecordedBy,
    RecordedByRole,
    RecordedFrom,
    RecordedTo,
)
from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import time_if_given
from workflows.cli.options import As, Data, Json, OrderId, Url, printable_ascii
from workflows.cli.order_filters import Customer, Restaurant
from workflows.cli.search_commands import CursorOption, Limit
from workflows.cli.terminal import print_json, print_json_update

if TYPE_CHECKING:
    from workflows.client.live_json import LiveUpdateJson


def add_to(app: typer.Typer, orders: typer.Typer) -> None:
    """Add the commands."""
    orders.command()(watch)
    app.command()(events)


def watch(
    order: OrderId,
    *,
    since: Annotated[int, typer.Option(metavar="VERSION", min=0, help="Print the events after this version.")] = 0,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Print an order's events as they happen, until it has ended. With --json one update a line."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        _print(engine.follow(order, since), FollowedEvents(), json=json)


def events(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Print the events of all orders as they happen.")] = False,
    type_: EventTypes = None,
    actor: RecordedBy = None,
    actor_role: RecordedByRole = None,
    order: OfOrder = None,
    customer: Customer = None,
    restaurant: Restaurant = None,
    recorded_from: RecordedFrom = None,
    recorded_to: RecordedTo = None,
    correlation: Correlation = None,
    reason: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            callback=printable_ascii,
            help="Why an auditor reads the reasons of changes; it is recorded.",
        ),
    ] = None,
    people_only: PeopleOnly = False,
    limit: Limit = 20,
    cursor: CursorOption = None,
    topic: Annotated[
        str,
        typer.Option(
            metavar="TOPIC", help="With --follow: orders, incidents, customer/ID, restaurant/ID or courier/ID."
        ),
    ] = "orders",
    since: Annotated[
        int | None,
        typer.Option(metavar="POSITION", min=0, help="With --follow: begin after this position, as --json prints it."),
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the events of all orders, the newest first.

    With --follow print those of a topic as they happen, until it is interrupted; with --json one update a line. An
    update that has none of the events that are wanted is not printed.
    """
    from workflows.cli.connection import connected

    _check_options(context, _OF_LISTS if follow else _OF_FOLLOWING, "cannot be used with" if follow else "needs")
    if follow:
        wanted = FollowedEvents(
            types=type_ or (),
            actor=actor,
            actor_role=actor_role,
            order=order,
            customer=customer,
            restaurant=restaurant,
            correlation=correlation,
            people_only=people_only,
        )
        with connected(url, data, as_) as engine:
            _print(engine.live(topic, since), wanted, json=json)
        return
    with connected(url, data, as_) as engine:
        page = engine.events(
            type=type_ or (),
            actor=actor,
            actor_role=actor_role,
            order=order,
            customer=customer,
            restaurant=restaurant,
            recorded_from=time_if_given(recorded_from, "--from"),
            recorded_to=time_if_given(recorded_to, "--to"),
            correlation=correlation,
            people_only=people_only,
            reason=reason,
            limit=limit,
            cursor=cursor,
        )
    if json:
        print_json(page)
    else:
        from workflows.cli.search_pages import show_events

        show_events(page)


_OF_LISTS = {
    "recorded_from": "--from",
    "recorded_to": "--to",
    "reason": "--reason",
    "limit": "--limit",
    "cursor": "--cursor",
}
_OF_FOLLOWING = {"topic": "--topic", "since": "--since"}
"""Options that only a list, or only --follow, has: by the name of the parameter."""


def _check_options(context: typer.Context, without_effect: Mapping[str, str], problem: str) -> None:
    """Raise InvalidInput if an option was given that would have no effect."""
    for name, option in without_effect.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise InvalidInput(f"{option} {problem} --follow")


def _print(updates: Iterable[LiveUpdateJson], wanted: FollowedEvents, *, json: bool) -> None:
    if json:
        for update in updates:
            if (chosen := wanted.chosen(update)) is not None:
                print_json_update(chosen)
    else:
        from workflows.cli.live_pages import UpdateLines

        lines = UpdateLines(wanted)
        for update in updates:
            lines.show(update)
