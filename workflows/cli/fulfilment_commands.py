"""``expediter order accept|reject|ready|assign|pick-up|deliver|fail``: what restaurants and couriers report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import time_of
from workflows.cli.options import WAIT_S, As, Data, Json, OrderId, PartyAtFault, Reason, Url, Wait
from workflows.cli.outcomes import await_outcome, show_order
from workflows.cli.terminal import print_json

if TYPE_CHECKING:
    from workflows.client import ExpediterClient
    from workflows.client.order_json import OrderJson

READY_IN_MINUTES = 20


def add_to(app: typer.Typer) -> None:
    """Register the commands in the group ``order``."""
    for command in (accept, reject, ready, assign, deliver, fail):
        app.command()(command)
    app.command("pick-up")(pick_up)


def accept(
    order: OrderId,
    *,
    ready_in: Annotated[
        int | None,
        typer.Option(min=0, metavar="MINUTES", help=f"When the meal is ready.  [default: {READY_IN_MINUTES}]"),
    ] = None,
    ready_at: Annotated[str | None, typer.Option(metavar="TIME", help="The same as a time with an offset.")] = None,
    wait: Wait = WAIT_S,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Report that the restaurant accepts the order."""
    if ready_in is not None and ready_at is not None:
        raise InvalidInput("give one of --ready-in and --ready-at")
    minutes = READY_IN_MINUTES if ready_in is None else ready_in
    moment = datetime.now(UTC) + timedelta(minutes=minutes) if ready_at is None else time_of(ready_at, "--ready-at")
    _report(order, lambda engine: engine.accept(order, moment), wait_s=wait, url=url, data=data, as_=as_, json=json)


def reject(
    order: OrderId,
    *,
    reason: Reason,
    wait: Wait = WAIT_S,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Report that the restaurant rejects the order."""
    _report(order, lambda engine: engine.reject(order, reason), wait_s=wait, url=url, data=data, as_=as_, json=json)


def ready(
    order: OrderId, *, wait: Wait = WAIT_S, url: Url = None, data: Data = None, as_: As = None, json: Json = False
) -> None:
    """Report that the meal is ready for pickup."""
    _report(order, lambda engine: engine.ready(order), wait_s=wait, url=url, data=data, as_=as_, json=json)


def assign(
    order: OrderId,
    *,
    courier: Annotated[
        str | None, typer.Option(metavar="ID", help="The courier, e.g. cou_1. A courier leaves it out.")
    ] = None,
    wait: Wait = WAIT_S,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Assign a courier to the delivery."""
    _report(order, lambda engine: engine.assign(order, courier), wait_s=wait, url=url, data=data, as_=as_, json=json)


def pick_up(
    order: OrderId, *, wait: Wait = WAIT_S, url: Url = None, data: Data = None, as_: As = None, json: Json = False
) -> None:
    """Report that the courier picked the meal up."""
    _report(order, lambda engine: engine.pick_up(order), wait_s=wait, url=url, data=data, as_=as_, json=json)


def deliver(
    order: OrderId, *, wait: Wait = WAIT_S, url: Url = None, data: Data = None, as_: As = None, json: Json = False
) -> None:
    """Report that the customer has the meal."""
    _report(order, lambda engine: engine.deliver(order), wait_s=wait, url=url, data=data, as_=as_, json=json)


def fail(
    order: OrderId,
    *,
    reason: Reason,
    fault: PartyAtFault,
    wait: Wait = WAIT_S,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Report that the delivery failed. The customer gets the money back."""
    _report(
        order, lambda engine: engine.fail(order, reason, fault), wait_s=wait, url=url, data=data, as_=as_, json=json
    )


def _report(
    order: str,
    report: Callable[[ExpediterClient], OrderJson],
    *,
    wait_s: float,
    url: Url,
    data: Data,
    as_: As,
    json: bool,
) -> None:
    """Send the report, and print what came of it: of the calls that follow it, e.g. the capture after a delivery."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        view = await_outcome(engine, report(engine), "report", wait_s)
    if json:
        print_json(view)
    else:
        show_order(view, order, "report", partial(hint, url=url, data=data))
