"""``expediter incidents``: orders that stand still because of a fault that is ours, and what a person can do."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.order_commands import As, Data, Json, OrderId, Url
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.client import ExpediterClient

app = typer.Typer(name="incidents", help="See and resolve orders that stand still.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; it is kept in the order's history.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")]
Key = Annotated[str | None, typer.Option(metavar="KEY", help="The same key again is the same request.")]

LOOK_EVERY_S = 1.0
"""How often a bulk retry that is watched is advanced."""


@app.command("list")
def list_(
    *,
    group: Annotated[str | None, typer.Option(metavar="CAUSE", help="Only this cause, e.g. KeyError.")] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the incidents: how many of which cause, and those that stand longest."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        found = engine.incidents(group)
    if json:
        print_json(found)
    else:
        from workflows.cli.incident_pages import show_incidents

        show_incidents(found)


@app.command()
def show(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show one incident: its cause, what is owed, how it came to it, and what each verb would do."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        found = engine.incident(order)
    if json:
        print_json(found)
    else:
        from workflows.cli.incident_pages import show_incident

        show_incident(found)


@app.command()
def retry(
    order: Annotated[str | None, typer.Argument(metavar="[ORDER]", help="The order's id, ord_...")] = None,
    *,
    reason: Annotated[
        str | None, typer.Option(help="Why; it is kept in each order's history, unsealed: no names.")
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="CAUSE", help="All with this cause, at a pace.")] = None,
    per_second: Annotated[float, typer.Option(metavar="N", help="Orders a second, with --group.")] = 1.0,
    resume: Annotated[str | None, typer.Option(metavar="RETRY", help="Go on with a bulk retry, retry_...")] = None,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Go on from the facts in a new run: one order, or all with one cause. Nothing recorded is done again."""
    if sum(given is not None for given in (order, group, resume)) != 1:
        raise InvalidInput("give one of ORDER, --group CAUSE and --resume RETRY")
    if reason is None and resume is None:
        raise InvalidInput("say why with --reason; it is kept in the history")
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        if order is not None:
            _told(engine.retry(order, reason or "", dry_run=dry_run, key=key), order, json)
        elif dry_run:
            _told_group(engine.begin_bulk_retry(group or "", reason or "", per_s=per_second, dry_run=True), json)
        else:
            begun = resume or _begin(engine, group or "", reason or "", per_second, key)
            if resume:
                engine.bulk_retry(resume, "resume")
            _watch(engine, begun, json)


@app.command()
def stop(
    retry: Annotated[str, typer.Argument(metavar="RETRY", help="The bulk retry, retry_...")],
    *,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Stop a bulk retry: no more orders are started, those that were go on."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        _told_group(engine.bulk_retry(retry, "stop"), json)


@app.command()
def resolve(
    order: OrderId,
    *,
    how: Annotated[
        str,
        typer.Option(
            metavar="cancel|abandon|write-off",
            help="cancel gives back what is held; abandon does not; write-off stops pursuing what one intent owes.",
        ),
    ],
    reason: Reason,
    intent: Annotated[int | None, typer.Option(metavar="N", help="Whose debt is written off.")] = None,
    fault: Annotated[
        str | None, typer.Option(help="Who answers for it: customer, restaurant, courier or platform.")
    ] = None,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """End an incident: cancel the order, abandon it, or write one debt off. Much money needs a second person."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        done = engine.resolve(
            order, how.replace("-", "_"), reason, fault=fault, intent=intent, dry_run=dry_run, key=key
        )
    _told(done, order, json)


@app.command()
def approve(
    order: OrderId,
    approval: Annotated[int, typer.Argument(metavar="APPROVAL", help="The number of the wish, as the incident shows.")],
    *,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Agree, as a second person, to what somebody else wished. It is done at once."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        _told(engine.approve(order, approval, dry_run=dry_run, key=key), order, json)


@app.command()
def note(
    order: OrderId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What others who look at the order should know.")],
    *,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Leave a note in an order's history, whatever state it is in."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        at = engine.get(order)["version"] + 1 if dry_run else 0
        done = {"order": order, "event": "NoteAdded", "version": at} if dry_run else engine.note(order, text, key=key)
    if json:
        print_json(done)
    elif dry_run:
        say(f"would record a note as version {at} of order {order}; nothing runs, no money moves")
    else:
        say(f"noted; see expediter order history {order}")


def _told(done: dict[str, Any], order: str, json: bool) -> None:
    """What was done, or would be."""
    if json:
        print_json(done)
    elif done["plan"] is not None:
        from workflows.cli.incident_pages import show_plan

        show_plan(done["plan"])
    else:
        for wish in done["approvals"]:
            number = wish["approval"]
            say(f"a second person has to agree: expediter incidents approve {order} {number} --as support:SOMEBODY")
        view = done["order"]
        say(f"order {order} is {view['status']}, run {view['run']}; see expediter order history {order}")


def _begin(engine: ExpediterClient, group: str, reason: str, per_s: float, key: str | None) -> str:
    begun = engine.begin_bulk_retry(group, reason, per_s=per_s, key=key or str(uuid.uuid4()))
    say(f"bulk retry {begun['id']} of {len(begun['orders'])} orders, {per_s:g} a second")
    return str(begun["id"])


def _watch(engine: ExpediterClient, retry_id: str, json: bool) -> None:
    """Advance it until it is done or stopped. Interrupted, it goes on by itself."""
    from workflows.cli.incident_pages import bulk_progress

    try:
        with bulk_progress() as shown:
            while (found := engine.bulk_retry(retry_id, "advance"))["state"] == "running":
                shown(found)
                time.sleep(LOOK_EVERY_S)
            shown(found)
    except KeyboardInterrupt:
        say(f"it goes on by itself; expediter incidents stop {retry_id} stops it, retry --resume {retry_id} shows it")
        raise
    _told_group(found, json)
    if found["state"] == "stopped":
        raise CommandRefused(f"stopped: {found['why']}; go on with expediter incidents retry --resume {retry_id}")
    if found["counts"]["parked_again"] or found["counts"]["refused"]:
        raise CommandRefused("some orders were parked again; see expediter incidents list")


def _told_group(found: dict[str, Any], json: bool) -> None:
    if json:
        print_json(found)
    else:
        from workflows.cli.incident_pages import show_bulk_retry

        show_bulk_retry(found)
