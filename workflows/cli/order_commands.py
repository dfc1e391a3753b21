"""``expediter order``: place, show and cancel orders, and show how they were, through the HTTP API."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import read_json, read_text, version_or_time, write_file
from workflows.cli.options import (
    WAIT_S,
    AccessReason,
    As,
    Data,
    DryRun,
    Json,
    Key,
    OrderId,
    Reason,
    Url,
    Wait,
    request_key,
)
from workflows.cli.outcomes import show_outcome
from workflows.cli.terminal import print_json, printable, say
from workflows.orders.words import money

if TYPE_CHECKING:
    from workflows.client.order_json import PlaceJson

app = typer.Typer(name="order", help="Place orders, show them, and report what happens to them.", no_args_is_help=True)

EXAMPLE: dict[str, Any] = {
    "restaurant": "trattoria-nonna",
    "items": [{"sku": "pizza-margherita", "quantity": 2, "options": ["burrata"]}],
    "tip": {"amount": "1.50", "currency": "EUR"},
    "payment_method": "pm_ok",
    "contact": {"name": "Ada Byron", "phone": "+49 30 1234567", "address": "Lindenstrasse 9, 10969 Berlin"},
}
"""An order from a menu of ``demo_data``."""


@app.command()
def place(
    file: Annotated[str | None, typer.Argument(metavar="FILE|-", help="The order as JSON; - reads stdin.")] = None,
    *,
    example: Annotated[bool, typer.Option("--example", help="Place an example order instead.")] = False,
    show_example: Annotated[bool, typer.Option("--show-example", help="Print the example and place nothing.")] = False,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", callback=request_key, help="Idempotency-Key: the same key again is the same order."
        ),
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Place an order and print its id. With --data the customer is cus_1, unless --as names another."""
    if show_example:
        print_json(EXAMPLE)
        return
    if (file is None) == (not example):
        raise InvalidInput("give a FILE, - for stdin, or --example; --show-example prints one to begin with")
    body = EXAMPLE if file is None else _order(read_json(read_text(file), file))
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_ or "customer:cus_1") as engine, _explained_example(example):
        view = engine.place(cast("PlaceJson", body), key or str(uuid.uuid4()))  # the engine checks the body
    if json:
        print_json(view)
    else:
        print(view["id"])
        see = hint(f"order history {view['id']}", url, data)
        say(f"placed: {money(view['totals']['total'])}; see {see}")


@contextmanager
def _explained_example(example: bool) -> Iterator[None]:
    """Say what the example order needs, if the engine has no such restaurant."""
    from workflows.client import ApiProblem

    try:
        yield
    except ApiProblem as problem:
        if example and problem.name == "RestaurantNotFound":
            problem.detail = (
                f"{problem.detail.rstrip('.')}; the example orders from restaurants that expediter up --demo-data "
                "registers before it prints its address: wait for that, start the engine again with --demo-data, or "
                "give a FILE with an order from a restaurant of expediter restaurant list"
            )
        raise


@app.command()
def show(
    order: OrderId,
    *,
    reason: AccessReason = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show an order as it is now."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        view = engine.get(order, reason=reason)
        events = list(engine.history(order, reason=reason)) if view["parked"] and not json else []  # why it is parked
    if json:
        print_json(view)
    else:
        from workflows.cli.order_pages import parked_event, show_order

        show_order(view, partial(hint, url=url, data=data), parked_event(events))


@app.command()
def history(
    order: OrderId,
    *,
    reason: AccessReason = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show an order's timeline: what happened, when, and who did it."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        events = list(engine.history(order, reason=reason))
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
    reason: AccessReason = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show an order as it was at a version or a time, and what each event until then changed."""
    moment = version_or_time(at, "--at")
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        replayed = engine.replay(order, moment, reason=reason)
    if json:
        print_json(replayed)
    else:
        from workflows.cli.order_pages import show_replay

        show_replay(replayed, partial(hint, url=url, data=data))


@app.command()
def ledger(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show an order's money in double entry: debits are positive, credits negative."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        booked = engine.ledger(order)
    if json:
        print_json(booked)
    else:
        from workflows.cli.ledger_pages import show_ledger

        show_ledger(booked)


@app.command()
def why(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Say why an order is where it is, what happens next by itself, and what each action would do."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        explained = engine.why(order)
    if json:
        print_json(explained)
    else:
        from workflows.cli.incident_pages import show_why

        show_why(explained, partial(hint, url=url, data=data))


@app.command()
def receipt(
    order: OrderId,
    *,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="Of the order, when it was made.  [default: the newest]")
    ] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write it as PDF.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write it as HTML.")] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show an order's receipt, or write it to a file. It is made on completion and on each refund."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        made = engine.receipt(order, version=version)
    if json:
        print_json(made)
        return
    from workflows.receipts.sheet import sheet_of
    from workflows.receipts.text import receipt_text

    sheet = sheet_of(made)
    if pdf is None and html is None:
        for line in receipt_text(sheet).splitlines():
            print(printable(line))
    if pdf is not None:
        from workflows.receipts.pdf import receipt_pdf

        write_file(pdf, receipt_pdf(sheet))
    if html is not None:
        from workflows.receipts.html import receipt_html

        write_file(html, receipt_html(sheet).encode())


@app.command()
def cancel(
    order: OrderId,
    *,
    reason: Reason,
    wait: Wait = WAIT_S,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Cancel an order that is not picked up yet. Its payment is released or refunded."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        done = engine.cancel(order, reason, dry_run=dry_run, key=key)
        show_outcome(engine, done, order, "cancel", wait_s=wait, see=partial(hint, url=url, data=data), json=json)


def _order(body: Any) -> dict[str, Any]:
    """Return the body if it is a JSON object; the engine checks the rest. Raises InvalidInput."""
    if not isinstance(body, dict):
        raise InvalidInput("an order is a JSON object; expediter order place --show-example prints one")
    return body
