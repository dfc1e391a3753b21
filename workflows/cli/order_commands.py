"""``expediter order``: place, look at and cancel orders, and travel in their time, through the HTTP API."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import read_json, read_text, version_or_time
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.client.order_json import PlaceJson

app = typer.Typer(name="order", help="Place, look at and cancel orders.", no_args_is_help=True)

OrderId = Annotated[str, typer.Argument(metavar="ORDER", help="The order's id, ord_...")]
Url = Annotated[str | None, typer.Option("--url", envvar="EXPEDITER_URL", help="Where the engine answers.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The engine's folder on this machine: its address and a token of it."),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="ROLE:ID", help="With --data, who you are.  [default: support, under your login name]"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="The API's JSON on stdout.")]

EXAMPLE: dict[str, Any] = {
    "restaurant": "trattoria-nonna",
    "lines": [
        {
            "sku": "pizza-margherita",
            "name": "Pizza Margherita",
            "quantity": 2,
            "unit_price": {"amount": "9.50", "currency": "EUR"},
            "options": [{"name": "Burrata", "price": {"amount": "2.00", "currency": "EUR"}}],
        }
    ],
    "delivery_fee": {"amount": "2.90", "currency": "EUR"},
    "tip": {"amount": "1.50", "currency": "EUR"},
    "payment_method": "pm_ok",
    "contact": {"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, 10969 Berlin"},
}
"""An order as the API takes it, to begin with."""


@app.command()
def place(
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="The order as JSON; - reads stdin.")] = None,
    *,
    example: Annotated[bool, typer.Option("--example", help="Place an example order instead.")] = False,
    show_example: Annotated[bool, typer.Option("--show-example", help="Print the example and place nothing.")] = False,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Idempotency-Key: the same key again is the same order.")
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Place an order, and print its id. With --data you are customer cus_1, unless --as says otherwise."""
    if show_example:
        print_json(EXAMPLE)
        return
    if (file is None) == (not example):
        raise InvalidInput("give a FILE, - for stdin, or --example; --show-example prints one to begin with")
    body = EXAMPLE if file is None else _order(read_json(read_text(file), file))
    from workflows.cli.connection import connected

    with connected(url, data, as_ or "customer:cus_1") as orders:
        view = orders.place(cast("PlaceJson", body), key or str(uuid.uuid4()))  # the engine judges it
    if json:
        print_json(view)
    else:
        print(view["id"])
        total = view["totals"]["total"]
        say(f"placed: {total['amount']} {total['currency']}; see expediter order history {view['id']}")


@app.command()
def show(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show an order as it is now."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as orders:
        view = orders.get(order)
    if json:
        print_json(view)
    else:
        from workflows.cli.order_pages import show_order

        show_order(view)


@app.command()
def history(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show an order's timeline: what happened, when, and who did it."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as orders:
        events = list(orders.history(order))
    if json:
        print_json({"order_id": order, "version": len(events), "events": events})
    else:
        from workflows.cli.order_pages import show_timeline

        show_timeline(events)


@app.command()
def replay(
    order: OrderId,
    *,
    at: Annotated[str, typer.Option(metavar="VERSION|TIME", help="E.g. 7, or 2026-03-01T18:30:00Z.")],
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show an order as it was at a version or a time, and, event by event, what changed on the way there."""
    moment = version_or_time(at, "--at")
    from workflows.cli.connection import connected

    with connected(url, data, as_) as orders:
        found = orders.replay(order, moment)
    if json:
        print_json(found)
    else:
        from workflows.cli.order_pages import show_replay

        show_replay(found)


@app.command()
def cancel(
    order: OrderId,
    *,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the order's history.")],
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Cancel an order that is not picked up yet. What was taken is given back."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as orders:
        view = orders.cancel(order, reason)
    if json:
        print_json(view)
    else:
        say(f"order {order} is {view['status']}; see expediter order history {order}")


def _order(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidInput("an order is a JSON object; expediter order place --show-example prints one")
    return body
