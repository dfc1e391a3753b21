"""Prints the list of views, and what became of a parked stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows.cli.terminal import data_console, say, table
from workflows.cli.wording import lag

if TYPE_CHECKING:
    from workflows.client.search_json import RetriedStreamJson


def show_views(summary: dict[str, Any]) -> None:
    """Print the views as a table, and the parked streams below it."""
    views = table("view", "version", "rows", "parked", "state", right=frozenset({"version", "rows", "parked"}))
    for view in summary["views"]:
        views.add_row(view["name"], str(view["version"]), str(view["rows"]), str(view["parked"]), _state(view))
    console = data_console()
    console.print(views)
    for each in summary["parked"]:
        console.print(f"parked: {each['stream']} in {each['view']} since {each['since']}: {each['error']}")
    if summary["lag_commits"]:
        say(f"the projector is {lag(summary)}")  # also after a rebuild without an engine: it does not move its position
    elif summary["lag_commits"] is not None:
        say("up to date with the log")


def show_retried(retried: RetriedStreamJson) -> None:
    """Print what became of a parked stream, one line a view."""
    views = table("view", "outcome")
    for each in retried["views"]:
        stored = "would be stored" if retried["dry_run"] else "stored"
        views.add_row(each["view"], stored if each["error"] is None else f"still parked: {each['error']}")
    if retried["views"]:
        data_console().print(views)
    else:
        say(f"{retried['stream']} is not parked in any view")


def _state(view: dict[str, Any]) -> str:
    if view["building"] is not None:
        return f"being built, {100 * view['building']:.0f} % of the log read"
    return "outdated: to be built again" if view["outdated"] else "current"
