"""``expediter order watch`` and ``expediter events --follow``: what happens, as it happens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.options import As, Data, Json, OrderId, Url
from workflows.cli.terminal import print_json_update

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
        _print(engine.follow(order, since), json=json)


def events(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Print the events of all orders as they happen.")] = False,
    topic: Annotated[
        str, typer.Option(metavar="TOPIC", help="orders, incidents, customer/ID, restaurant/ID or courier/ID.")
    ] = "orders",
    since: Annotated[
        int | None, typer.Option(metavar="POSITION", min=0, help="Begin after this position, as --json prints it.")
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Print the events of many orders as they happen, until it is interrupted. With --json one update a line."""
    if not follow:
        raise InvalidInput("add --follow: only events to come can be printed")
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        _print(engine.live(topic, since), json=json)


def _print(updates: Iterable[LiveUpdateJson], *, json: bool) -> None:
    if json:
        for update in updates:
            print_json_update(update)
    else:
        from workflows.cli.live_pages import UpdateLines

        lines = UpdateLines()
        for update in updates:
            lines.show(update)
