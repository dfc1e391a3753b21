"""``expediter bulk``: one action on several orders, planned first and begun with the plan's token."""

from __future__ import annotations

import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.inputs import amount_of, read_text
from workflows.cli.options import As, Data, Json, Key, Url
from workflows.cli.order_filters import OrderFilterOptions, takes_order_filters
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.cli.order_pages import Hint
    from workflows.client import ExpediterClient
    from workflows.client.incident_json import BulkJobJson, BulkPlanJson

ADVANCE_EVERY_S = 1.0
"""How often a job that is watched is advanced."""

_JOB_ACTIONS = frozenset({"show", "stop", "resume"})
_FAILED = ("parked_again", "refused", "needs_approval", "still_moving")
"""Outcomes that leave something to do."""


@takes_order_filters
def bulk(
    action: Annotated[
        str, typer.Argument(metavar="ACTION", help="retry, cancel, credit or note; or show, stop or resume with --job.")
    ],
    *,
    order: Annotated[list[str] | None, typer.Option(metavar="ID", help="May be given several times.")] = None,
    orders: Annotated[
        str | None, typer.Option("--orders", metavar="FILE|-", help="A file with an order's id in each line.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="CAUSE", help="All orders parked with this cause: expediter incidents list.")
    ] = None,
    filters: OrderFilterOptions,
    reason: Annotated[
        str | None, typer.Option(help="Why; the text of a note. Kept in each order's history: no names.")
    ] = None,
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Of a credit, e.g. '5.00 EUR'.")] = None,
    fault: Annotated[str | None, typer.Option(metavar="PARTY", help="The party at fault for a credit.")] = None,
    per_second: Annotated[float, typer.Option(metavar="N", help="Orders a second.")] = 1.0,
    token: Annotated[str | None, typer.Option(metavar="TOKEN", help="Begin what was planned under this token.")] = None,
    wait: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="How long to wait for the outcome.  [default: until it is done]"),
    ] = None,
    job: Annotated[str | None, typer.Option(metavar="JOB", help="The bulk job, bulk_...")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Plan only, as without --token.")] = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Plan an action on several orders, or begin it with the token of its plan. It continues without this command.

    The orders are those named, those of a group of incidents, or those that match all filters of expediter order list.
    Exit code 1 if the plan no longer holds, or if an order was parked again, refused, or needs a second person.
    """
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    if action in _JOB_ACTIONS:
        if job is None:
            raise InvalidInput("give the job with --job bulk_...")
        with connected(url, data, as_) as engine:
            if action == "show":
                _show_job(engine.bulk_job(job), json)
                return
            change = engine.stop_bulk_job if action == "stop" else engine.resume_bulk_job
            current = change(job, _needed(reason), dry_run=dry_run)
            if action == "resume" and not dry_run:
                _watch(engine, current, wait, see, json)
            else:
                _show_job(current, json)
        return
    reason = _needed(reason)
    chosen = [*(order or []), *(read_text(orders).split() if orders is not None else [])]
    filtered = filters.given()
    if sum(map(bool, (chosen, group, filtered))) != 1:
        raise InvalidInput(
            "choose the orders in one way: --order or --orders, --group, or filters such as --restaurant"
        )
    money = None if amount is None else amount_of(amount, "--amount")
    with connected(url, data, as_) as engine:
        done = engine.bulk(
            action,
            reason,
            order_ids=chosen or None,
            filter=filtered or None,
            group=group,
            amount=money,
            fault=fault,
            per_s=per_second,
            token=None if dry_run else token,
            key=key or str(uuid.uuid4()),
        )
        if done["plan"] is not None:
            _show_plan(done["plan"], see, json)
        elif done["job"] is not None:
            say(f"bulk job {done['job']['id']} of {len(done['job']['orders'])} orders begun, {per_second:g} a second")
            _watch(engine, done["job"], wait, see, json)


def _needed(reason: str | None) -> str:
    if reason is None:
        raise InvalidInput("give the reason with --reason; it is kept in the history")
    return reason


def _show_plan(plan: BulkPlanJson, see: Hint, json: bool) -> None:
    if json:
        print_json(plan)
    else:
        from workflows.cli.bulk_page import show_bulk_plan

        show_bulk_plan(plan)
    if not plan["orders"] and not plan["refused"]:
        raise CommandRefused(f"no order is like that; see {see('order list')}")
    if not plan["orders"]:
        raise CommandRefused(f"it is possible on none of these orders; see {see('incidents list')}")
    if not json:
        say(f"Begin it within 15 minutes by the same command with --token {plan['token']}")


def _watch(engine: ExpediterClient, job: BulkJobJson, wait_s: float | None, see: Hint, json: bool) -> None:
    """Advance a job until it is done or stopped, or the time is over. After Ctrl-C it continues without this command.

    Raises:
        CommandRefused: It was stopped, or some orders need something else.
    """
    from workflows.cli.bulk_page import bulk_progress

    later, stop, resume = (
        see(f"bulk {each} --job {job['id']}") for each in ("show", "stop --reason WHY", "resume --reason WHY")
    )
    deadline = None if wait_s is None else time.monotonic() + wait_s
    try:
        with bulk_progress() as shown:
            while job["state"] == "running" and (deadline is None or time.monotonic() < deadline):
                job = engine.advance_bulk_job(job["id"])
                shown(job)
                if job["state"] == "running":
                    time.sleep(ADVANCE_EVERY_S)
    except KeyboardInterrupt:
        say(f"the job continues; see {later}, stop it with {stop}")
        raise
    _show_job(job, json)
    if job["state"] == "running":
        say(f"the outcome is not known yet; see {later}")
    if job["state"] == "stopped":
        raise CommandRefused(f"stopped: {job['why']}; continue with {resume}")
    if any(job["counts"][outcome] for outcome in _FAILED):
        raise CommandRefused(f"not every order has ended well; see {see('incidents list')}")


def _show_job(job: BulkJobJson, json: bool) -> None:
    if json:
        print_json(job)
    else:
        from workflows.cli.bulk_page import show_bulk_job

        show_bulk_job(job)
