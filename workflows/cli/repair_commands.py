"""``expediter order credit``, ``refund-extra`` and ``pass-on``: what support does to an order, whatever its status."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import amount_of
from workflows.cli.options import WAIT_S, As, Data, DryRun, Json, Key, OrderId, PartyAtFault, Reason, Url, Wait
from workflows.cli.outcomes import show_outcome
from workflows.cli.plan_wording import FACT_DETAILS


def add_to(app: typer.Typer) -> None:
    """Register the commands in the group ``order``."""
    app.command()(credit)
    app.command("refund-extra")(refund_extra)
    app.command("pass-on")(pass_on)


def credit(
    order: OrderId,
    *,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="How much less the customer pays, e.g. '5.00 EUR'.")],
    fault: PartyAtFault,
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


def refund_extra(
    order: OrderId,
    capture: Annotated[str, typer.Argument(metavar="CAPTURE", help="The provider's id of the payment.")],
    *,
    amount: Annotated[str, typer.Option(metavar="AMOUNT", help="What the provider took, e.g. '42.50 EUR'.")],
    reason: Reason,
    wait: Wait = WAIT_S,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Refund a payment that the provider took without the order, e.g. because it took the money twice.

    The provider is asked first; only what it took for this order, and has not refunded, is refunded. "expediter books
    reconcile" names such payments. Exit code 1 if a second person must approve first, or if nothing was refunded.
    """
    money = amount_of(amount, "--amount")
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    with connected(url, data, as_) as engine:
        done = engine.refund_extra(order, capture, money, reason, dry_run=dry_run, key=key)
        show_outcome(engine, done, order, "refund_extra", wait_s=wait, see=see, json=json)


def pass_on(
    order: OrderId,
    fact: Annotated[
        str,
        typer.Argument(
            metavar="FACT",
            help="accepted, rejected, item-unavailable, ready, assigned, declined, picked-up, delivered or failed.",
        ),
    ],
    *,
    said_by: Annotated[str, typer.Option(metavar="TEXT", help="Who said so and how, e.g. 'the courier, by phone'.")],
    reason: Annotated[str, typer.Option(help="Why the party did not report it. Colleagues and auditors read it.")],
    ready_in: Annotated[int | None, typer.Option(min=0, metavar="MINUTES", help="For accepted.")] = None,
    line: Annotated[int | None, typer.Option(min=1, help="For item-unavailable.")] = None,
    available: Annotated[int | None, typer.Option(min=0, help="For item-unavailable: how many there are.")] = None,
    courier: Annotated[str | None, typer.Option(metavar="ID", help="For assigned, declined.")] = None,
    party_reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Their own reason, for rejected, declined, failed.")
    ] = None,
    fault: Annotated[
        str | None, typer.Option(metavar="PARTY", help="For failed: customer, restaurant, courier or platform.")
    ] = None,
    wait: Wait = WAIT_S,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Pass on what the restaurant or the courier said and did not report.

    Exit code 1 if a second person must approve first, or if the order was parked.
    """
    details = {
        name: value
        for name, value in (
            ("line", line),
            ("available", available),
            ("courier_id", courier),
            ("party_reason", party_reason),
            ("fault", fault),
        )
        if value is not None
    }
    ready_at = None if ready_in is None else datetime.now(UTC) + timedelta(minutes=ready_in)
    options = {
        "--ready-in": ready_in,
        "--line": line,
        "--available": available,
        "--courier": courier,
        "--party-reason": party_reason,
        "--fault": fault,
    }
    needed = [word for word in FACT_DETAILS.get(fact.replace("_", "-"), "").split() if word in options]
    missing = [option for option in needed if options[option] is None]
    if missing:
        raise InvalidInput(f"give {' and '.join(missing)} with {fact}; see expediter order pass-on --help")
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    named = fact.replace("-", "_")
    with connected(url, data, as_) as engine:
        done = engine.pass_on(
            order, named, said_by, reason, details=details, ready_at=ready_at, dry_run=dry_run, key=key
        )
        action = {"failed": "delivery_failed"}.get(named, named)  # as a request for a second person is called
        show_outcome(engine, done, order, action, wait_s=wait, see=see, json=json)
