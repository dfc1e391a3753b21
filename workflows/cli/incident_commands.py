"""``expediter incidents``: orders that are parked because of a fault, and what support can do about them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from workflows.cli.options import WAIT_S, As, Data, DryRun, Json, Key, OrderId, Reason, Url, Wait
from workflows.cli.outcomes import show_outcome, show_recorded
from workflows.cli.plan_wording import advising
from workflows.cli.terminal import print_json

app = typer.Typer(name="incidents", help="Show and resolve parked orders.", no_args_is_help=True)

ApprovalNumber = Annotated[int, typer.Argument(metavar="NUMBER", help="The request's number, as the incident shows.")]


@app.command("list")
def list_(
    *,
    group: Annotated[str | None, typer.Option(metavar="CAUSE", help="Only this cause, e.g. KeyError.")] = None,
    assignee: Annotated[str | None, typer.Option(metavar="NAME", help="Only those that this person took on.")] = None,
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only those that no person took on.")] = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the incidents: how many of each cause, and the orders parked longest."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        listed = engine.incidents(group, assignee=assignee, unassigned=unassigned)
    if json:
        print_json(listed)
    else:
        from workflows.cli.incident_pages import show_incidents

        show_incidents(listed)


@app.command()
def approvals(
    *,
    approved: Annotated[
        bool, typer.Option("--approved", help="Those that were approved or rejected, the newest first.")
    ] = False,
    by_others: Annotated[bool, typer.Option("--by-others", help="Only requests that you may approve.")] = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the requests for more money than one person may decide on, those that wait longest first."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        listed = engine.approvals(open=not approved, by_others=by_others)
    if json:
        print_json(listed)
    else:
        from workflows.cli.incident_pages import show_approvals

        show_approvals(listed, partial(hint, url=url, data=data))


@app.command()
def show(order: OrderId, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show one incident: its cause, what is still held, its last events, and what each action would do."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        incident = engine.incident(order)
    if json:
        print_json(incident)
    else:
        from workflows.cli.incident_pages import show_incident

        show_incident(incident, partial(hint, url=url, data=data))


@app.command()
def retry(
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
    """Continue one parked order in a new run. Exit code 1 if it is parked again. For several: expediter bulk retry."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        done = engine.retry(order, reason, dry_run=dry_run, key=key)
        show_outcome(engine, done, order, "retry", wait_s=wait, see=partial(hint, url=url, data=data), json=json)


@app.command()
def resolve(
    order: OrderId,
    *,
    how: Annotated[
        str,
        typer.Option(
            metavar="cancel|abandon|write-off|confirm-report",
            help="cancel reverses what was done; abandon does not; write-off stops pursuing what one event holds; "
            "confirm-report lets a contested report take effect.",
        ),
    ],
    reason: Reason,
    intent: Annotated[
        int | None, typer.Option(metavar="EVENT", help="The event to write off or the report to confirm, by number.")
    ] = None,
    fault: Annotated[
        str | None,
        typer.Option(metavar="PARTY", help="The party at fault: customer, restaurant, courier or platform."),
    ] = None,
    wait: Wait = WAIT_S,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """End an incident. Exit code 1 if the amount is so large that a second person must approve first."""
    from workflows.cli.connection import connected, hint

    action = how.replace("-", "_")
    with connected(url, data, as_) as engine:
        done = engine.resolve(order, action, reason, fault=fault, intent=intent, dry_run=dry_run, key=key)
        see = partial(hint, url=url, data=data)
        show_outcome(engine, done, order, action, wait_s=wait, see=see, json=json)


@app.command()
def approve(
    order: OrderId,
    approval: ApprovalNumber,
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
    """Approve, as a second person, what another person requested. It is done at once."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        done = engine.approve(order, approval, reason, dry_run=dry_run, key=key)
        see = partial(hint, url=url, data=data)
        show_outcome(engine, done, order, "approve", wait_s=wait, see=see, json=json)


@app.command()
def reject(
    order: OrderId,
    approval: ApprovalNumber,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Reject what another person requested, or withdraw your own request. It has no effect then."""
    from workflows.cli.connection import connected, hint

    see = partial(hint, url=url, data=data)
    with connected(url, data, as_) as engine:
        done = engine.reject_request(order, approval, reason, dry_run=dry_run, key=key)
        show_outcome(engine, done, order, "reject", wait_s=0, see=see, json=json)


@app.command()
def claim(
    order: OrderId,
    *,
    reason: Reason,
    to: Annotated[str | None, typer.Option(metavar="NAME", help="Who takes it on.  [default: you]")] = None,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Take an incident on, for yourself or a colleague, so that others see that someone is at it."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        name = to or engine.me()["id"]
        done = engine.assign_incident(order, name, reason, dry_run=dry_run, key=key)
    advise = advising(order, partial(hint, url=url, data=data))
    show_recorded(done, "claim", f"{name} takes care of order {order}", advise, json)


@app.command()
def release(
    order: OrderId,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Release an incident that a person took on."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        done = engine.assign_incident(order, None, reason, dry_run=dry_run, key=key)
    advise = advising(order, partial(hint, url=url, data=data))
    show_recorded(done, "release", f"no person takes care of order {order} now", advise, json)


@app.command()
def note(
    order: OrderId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="For everyone who may read the order's history.")],
    *,
    dry_run: DryRun = False,
    key: Key = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Add a note to an order's history, whatever its status."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        done = engine.note(order, text, dry_run=dry_run, key=key)
    see = partial(hint, url=url, data=data)
    show_recorded(done, "note", f"noted; see {see(f'order history {order}')}", advising(order, see), json)
