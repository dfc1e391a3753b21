"""``expediter order credit``: what support does to repair an order that is not parked."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Annotated

import typer

from workflows.cli.inputs import amount_of
from workflows.cli.options import WAIT_S, As, Data, DryRun, Json, Key, OrderId, Url, Wait
from workflows.cli.outcomes import show_outcome

Reason = Annotated[str, typer.Option(help="Why. Kept in the order's history; colleagues and auditors read it.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands in the group ``order``."""
    app.command()(credit)


def credit(
    order: OrderId,
    *,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much less the customer pays, e.g. '5.00 EUR'.")],
    fault: Annotated[
        str, typer.Option(metavar="PARTY", help="The party at fault: customer, restaurant, courier or platform.")
    ],
    reason: Reason,
    wait: Wait = WAIT_S,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Lower what the customer pays, also after the delivery: what was captured is refunded.

    Exit code 1 if a second person must approve first, or if the refund was refused.
    """
    money = amount_of(amount, "--amount")
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    with connected(url, data, as_) as engine:
        done = engine.credit(order, money, fault, reason, dry_run=dry_run, key=key or str(uuid.uuid4()))
        show_outcome(engine, done, order, "credit", wait_s=wait, see=see, json=json)
