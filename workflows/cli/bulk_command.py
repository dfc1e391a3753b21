"""``expediter bulk``: one action on several orders, planned first and begun with the plan's token."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.inputs import amount_of, read_text
from workflows.cli.options import As, Data, Json, Key, Url
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.cli.order_pages import Hint
    from workflows.client.incident_json import BulkPlanJson

_JOB_ACTIONS = frozenset({"show", "stop", "resume"})


def bulk(
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="retry, cancel, credit or note; or show, stop or resume with --job.")
    ],
    *,
    order: Annotated[list[str] | None, typer.Option(metavar="ID", help="May be given several times.")] = None,
    orders: Annotated[
        str | None, typer.Option("--orders", metavar="FILE|-", help="A file with an order's id in each line.")
    ] = None,
    cause: Annotated[str | None, typer.Option(metavar="CAUSE", help="All orders parked with this cause.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; the text of a note. Kept in each order's history.")] = None,
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Of a credit, e.g. '5.00 EUR'.")] = None,
    fault: Annotated[str | None, typer.Option(metavar="PARTY", help="The party at fault for a credit.")] = None,
    per_second: Annotated[float, typer.Option(metavar="N", help="Orders a second.")] = 1.0,
    token: Annotated[str | None, typer.Option(metavar="TOKEN", help="Begin what was planned under this token.")] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="The bulk job, bulk_...")] = None,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Plan an action on several orders, or begin it with the token of its plan. It continues without this command.

    Exit code 1 if the plan no longer holds, or if orders were parked again or refused.
    """
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    if action in _JOB_ACTIONS:
        if job is None:
            raise InvalidInput("give the job with --job bulk_...")
        with connected(url, data, as_) as engine:
            shown = engine.bulk_job(job, None if action == "show" else action)
        _show_job(shown, json)
        return
    if reason is None:
        raise InvalidInput("give the reason with --reason; it is kept in the history")
    chosen = [*(order or []), *(read_text(orders).split() if orders is not None else [])]
    money = None if amount is None else amount_of(amount, "--amount")
    with connected(url, data, as_) as engine:
        done = engine.bulk(
            action,
            reason,
            order_ids=chosen or None,
            cause=cause,
            amount=money,
            fault=fault,
            per_s=per_second,
            token=token,
            key=key or str(uuid.uuid4()),
        )
    if json:
        print_json(done)
    elif done["plan"] is not None:
        _show_plan(done["plan"], see)
    elif done["job"] is not None:
        say(f"bulk job {done['job']['id']} begun; see {see('bulk show')} --job {done['job']['id']}")


def _show_plan(plan: BulkPlanJson, see: Hint) -> None:
    from workflows.cli.bulk_page import show_bulk_job_plan

    show_bulk_job_plan(plan)
    if plan["orders"]:
        say(f"begin it within 15 minutes: the same command with --token {plan['token']}")
    else:
        raise CommandRefused(f"it is possible on none of these orders; see {see('incidents list')}")


def _show_job(shown: object, json: bool) -> None:
    if json:
        print_json(shown)
    else:
        from workflows.cli.bulk_page import show_bulk_job

        show_bulk_job(shown)
