"""``expediter circuits``: who outside is known to be down, and the operator's hand."""

from __future__ import annotations

from typing import Annotated

import typer

from workflows.cli.order_commands import As, Data, Json, Url
from workflows.cli.terminal import print_json, say

app = typer.Typer(name="circuits", help="See, open and close the circuits of those outside.", no_args_is_help=True)

Dependency = Annotated[str, typer.Argument(metavar="DEPENDENCY", help="payments, kitchen or couriers.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the circuit's history.")]


@app.command("list")
def list_(*, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List the circuits: closed, open, half open while a probe is under way, or held open by hand."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        found = engine.circuits()
    if json:
        print_json(found)
    else:
        from workflows.cli.incident_pages import show_circuits

        show_circuits(found["circuits"])


@app.command()
def show(dependency: Dependency, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show a circuit and what happened to it in the last week: when, why, and who."""
    _about(dependency, None, "", url=url, data=data, as_=as_, json=json)


@app.command("open")
def open_(
    dependency: Dependency, *, reason: Reason, url: Url = None, data: Data = None, as_: As = None, json: Json = False
) -> None:
    """Hold a circuit open: no calls and no probes, until somebody closes it. Orders wait."""
    _about(dependency, "open", reason, url=url, data=data, as_=as_, json=json)
    say(f"held open; expediter circuits close {dependency} lets the orders go on")


@app.command()
def close(
    dependency: Dependency, *, reason: Reason, url: Url = None, data: Data = None, as_: As = None, json: Json = False
) -> None:
    """Close a circuit: everybody may call, and those who wait are let go at a pace."""
    _about(dependency, "close", reason, url=url, data=data, as_=as_, json=json)


def _about(dependency: str, action: str | None, reason: str, *, url: Url, data: Data, as_: As, json: bool) -> None:
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        found = engine.circuit(dependency, action, reason)
    if json:
        print_json(found)
    else:
        from workflows.cli.incident_pages import show_circuit

        show_circuit(found)
