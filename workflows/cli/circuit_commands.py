"""``expediter circuits``: the circuit breakers of the providers, and opening and closing them by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from workflows.cli.options import As, Data, DryRun, Json, Key, Url
from workflows.cli.terminal import print_json, say

app = typer.Typer(name="circuits", help="Show, open and close the circuit breakers of providers.", no_args_is_help=True)

Dependency = Annotated[str, typer.Argument(metavar="PROVIDER", help="payments, kitchen or couriers.")]
Reason = Annotated[str, typer.Option(help="Why. Kept in the circuit's history.")]


@app.command("list")
def list_(*, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List the circuit breakers: closed, open, half open during a probe, or held open by hand."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        listed = engine.circuits()
    if json:
        print_json(listed)
    else:
        from workflows.cli.circuit_pages import show_circuits

        show_circuits(listed["circuits"])


@app.command()
def show(dependency: Dependency, *, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """Show a circuit breaker, the orders that wait for it, and its transitions of the last week."""
    _show(dependency, None, "", url=url, data=data, as_=as_, json=json)


@app.command("open")
def open_(
    dependency: Dependency,
    *,
    reason: Reason,
    key: Key = None,
    dry_run: DryRun = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Hold a circuit open: no calls and no probes until it is closed by hand. Orders wait."""
    from workflows.cli.connection import hint

    _show(dependency, "open", reason, key=key, dry_run=dry_run, url=url, data=data, as_=as_, json=json)
    if not json and not dry_run:
        say(f"held open; orders continue after {hint(f'circuits close {dependency} --reason WHY', url, data)}")


@app.command()
def close(
    dependency: Dependency,
    *,
    reason: Reason,
    key: Key = None,
    dry_run: DryRun = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Close a circuit: calls are made again, and waiting orders continue at a pace."""
    from workflows.cli.connection import hint

    _show(dependency, "close", reason, key=key, dry_run=dry_run, url=url, data=data, as_=as_, json=json)
    if not json and not dry_run:
        say(f"closed; it opens again by itself if calls fail: {hint(f'circuits show {dependency}', url, data)}")


def _show(
    dependency: str,
    action: str | None,
    reason: str,
    *,
    key: str | None = None,
    dry_run: bool = False,
    url: Url,
    data: Data,
    as_: As,
    json: bool,
) -> None:
    """Send the action, if there is one, and print the circuit breaker, or what would happen to it."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        history = engine.circuit(dependency, action, reason, dry_run=dry_run, key=key)
    if json:
        print_json(history)
    elif history["plan"] is not None:
        from workflows.cli.circuit_pages import show_circuit_plan

        show_circuit_plan(dependency, history["circuit"], history["plan"])
    else:
        from workflows.cli.circuit_pages import show_circuit

        show_circuit(history)
