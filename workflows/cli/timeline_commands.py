"""``expediter order timeline|runs``: what happened to an order, and what the engine did for it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from workflows.cli.inputs import version_or_time
from workflows.cli.options import AccessReason, As, Data, Json, OrderId, Url
from workflows.cli.terminal import print_json


def add_to(app: typer.Typer) -> None:
    """Register the commands in the group ``order``."""
    for command in (timeline, runs):
        app.command()(command)


def timeline(
    order: OrderId,
    *,
    at: Annotated[
        str | None, typer.Option(metavar="VERSION|TIME", help="Where it ends.  [default: the newest event]")
    ] = None,
    first: Annotated[int, typer.Option("--from", min=1, metavar="VERSION", help="The first event.")] = 1,
    reason: AccessReason = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show what happened to an order, what each event changed, and whether its hash chain holds."""
    moment = None if at is None else version_or_time(at, "--at")
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.timeline(order, first=first, at=moment, reason=reason)
        while page["next"] is not None:
            following = engine.timeline(order, first=page["next"], at=moment, reason=reason)
            page = {**following, "initial": page["initial"], "events": [*page["events"], *following["events"]]}
    if json:
        print_json(page)
    else:
        from workflows.cli.timeline_pages import show_changes

        show_changes(page)


def runs(
    order: OrderId,
    *,
    newest: Annotated[int, typer.Option(min=1, max=100, help="How many runs, from the last one back.")] = 10,
    execution: Annotated[
        str | None, typer.Option(metavar="ID", help="Print the events of this execution as JSON instead.")
    ] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Show the runs of an order: executions, the states they entered, errors, and where log and engine differ."""
    from workflows.cli.connection import connected, hint

    with connected(url, data, as_) as engine:
        if execution is not None:
            page = engine.execution_history(execution)
            while page["next"] is not None:
                following = engine.execution_history(execution, cursor=page["next"])
                page = {**following, "events": [*page["events"], *following["events"]]}
            print_json(page)
            return
        shown = engine.runs(order, newest=newest)
    if json:
        print_json(shown)
    else:
        from workflows.cli.timeline_pages import show_runs

        show_runs(shown, partial(hint, url=url, data=data))
