"""``expediter order list|search``, ``stats`` and ``accesses``: what the views have, for the role of the caller."""

from __future__ import annotations

from typing import Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import time_if_given
from workflows.cli.options import As, Data, Json, Url, printable_ascii
from workflows.cli.order_filters import Customer, OrderFilterOptions, Restaurant, takes_order_filters
from workflows.cli.terminal import print_json

Limit = Annotated[int, typer.Option(min=1, max=100, help="The most lines to print.")]
CursorOption = Annotated[
    str | None, typer.Option("--cursor", metavar="CURSOR", help="Continue where a page ended, as it says.")
]


def add_to(app: typer.Typer, orders: typer.Typer) -> None:
    """Add the commands."""
    orders.command("list")(list_orders)
    orders.command("search")(search)
    app.command("stats")(stats)
    app.command("accesses")(accesses)


@takes_order_filters
def list_orders(
    *,
    filters: OrderFilterOptions,
    sort: Annotated[str, typer.Option(help="-placed_at, placed_at, changed_at or waiting_since.")] = "-placed_at",
    limit: Limit = 20,
    cursor: CursorOption = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List orders, the newest first. All filters that are given must hold."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.orders(**filters.given(), sort=sort, limit=limit, cursor=cursor)
    if json:
        print_json(page)
    else:
        from workflows.cli.search_pages import show_orders

        show_orders(page)


def search(
    *,
    phone: Annotated[str | None, typer.Option(help="With or without the country; the last nine digits count.")] = None,
    email: Annotated[str | None, typer.Option(help="The whole address.")] = None,
    name: Annotated[str | None, typer.Option(help="One or several words of the name, in any order.")] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", callback=printable_ascii, help="Why; auditors read it. Do not name the customer."),
    ] = None,
    limit: Limit = 20,
    cursor: CursorOption = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Find a customer's orders by phone, e-mail address or name. For support."""
    if phone is None and email is None and name is None:
        raise InvalidInput("give --phone, --email or --name")
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.search_orders(phone=phone, email=email, name=name, limit=limit, cursor=cursor, reason=reason)
    if json:
        print_json(page)
    else:
        from workflows.cli.search_pages import show_orders

        show_orders(page)


def stats(
    *,
    placed_from: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Placed from then on.  [default: a day before]"),
    ] = None,
    placed_to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Placed before this time.  [default: now]")
    ] = None,
    restaurant: Restaurant = None,
    bucket: Annotated[str | None, typer.Option(metavar="hour|day", help="A line for each hour or day.")] = None,
    by_restaurant: Annotated[bool, typer.Option("--by-restaurant", help="A line for each restaurant.")] = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Count orders, their money, and how long each stage took."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        counted = engine.stats(
            placed_from=time_if_given(placed_from, "--from"),
            placed_to=time_if_given(placed_to, "--to"),
            restaurant=restaurant,
            bucket=bucket,
            by_restaurant=by_restaurant,
        )
    if json:
        print_json(counted)
    else:
        from workflows.cli.search_pages import show_stats

        show_stats(counted)


def accesses(
    *,
    actor: Annotated[str | None, typer.Option(metavar="ID", help="Only of this person or service.")] = None,
    order: Annotated[str | None, typer.Option(metavar="ID", help="Only of this order.")] = None,
    customer: Customer = None,
    read_from: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Read at this time or later.")] = None,
    read_to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Read before this time.")] = None,
    limit: Limit = 20,
    cursor: CursorOption = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List who was shown whose personal data, when and why, the newest first. For auditors."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.access_log(
            actor=actor,
            order=order,
            customer=customer,
            read_from=time_if_given(read_from, "--from"),
            read_to=time_if_given(read_to, "--to"),
            limit=limit,
            cursor=cursor,
        )
    if json:
        print_json(page)
    else:
        from workflows.cli.search_pages import show_accesses

        show_accesses(page)
