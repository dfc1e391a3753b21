"""Circuit breakers on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rich.text import Text

from workflows.cli.incident_pages import clock
from workflows.cli.terminal import data_console, table
from workflows.orders.words import actor, plain

View: TypeAlias = Mapping[str, Any]


def show_circuits(circuits: Sequence[View]) -> None:
    """Print one line for each circuit breaker."""
    rows = table("provider", "state", "since", "failed calls", "probes", "last probe's error")
    for circuit in circuits:
        since = clock(circuit["since"]) if circuit["since"] else ""
        state = Text(plain(circuit["state"]), "green" if circuit["state"] == "closed" else "bold red")
        failed = f"{circuit['failures']} of {circuit['calls']}"
        rows.add_row(circuit["dependency"], state, since, failed, str(circuit["probes"] or ""), circuit["probe_error"])
    data_console().print(rows)


def show_circuit(history: View) -> None:
    """Print a circuit breaker, the orders that wait for it, and its transitions."""
    show_circuits([history["circuit"]])
    _show_waiting(history)
    rows = table("when", "what", "by", "why")
    for each in history["transitions"]:
        data = each["data"]
        why = data.get("reason") or data.get("last_error") or (f"probe {data['probes']}" if "probes" in data else "")
        rows.add_row(clock(each["at"]), _TRANSITIONS.get(each["type"], each["type"]), actor(each["actor"]), why)
    console = data_console()
    console.print()
    console.print(rows if history["transitions"] else "no transitions in the last week")


def _show_waiting(history: View) -> None:
    """Print the orders that wait for the circuit, if there are some."""
    if not history["waiting"]:
        return
    rows = table("waiting order", "to", "since", "parked at")
    for wait in history["waiting"]:
        purpose = "give back" if wait["undoing"] else "go on"
        rows.add_row(wait["order_id"], purpose, clock(wait["since"]), clock(wait["until"]))
    console = data_console()
    console.print()
    console.print(rows)
    if history["waiting_more"]:
        console.print("More orders wait; the dry run of closing counts them.")


def show_circuit_plan(dependency: str, circuit: View, planned: View) -> None:
    """Print what opening or closing a circuit would do."""
    number = f"{planned['waiting']}{' or more' if planned['waiting'] == _COUNTED_MAX else ''}"
    waiting = f"{number} order{'' if planned['waiting'] == 1 else 's'}"
    data_console().print(f"Dry run: {_planned(dependency, circuit, planned, waiting)}", soft_wrap=True)


_COUNTED_MAX = 1000
"""The API counts no further."""


def _planned(dependency: str, circuit: View, planned: View, waiting: str) -> str:
    if not planned["events"]:
        return f"no effect, the circuit of {dependency} is {plain(planned['state'])} already; {waiting} wait for it."
    if planned["state"] == "held_open":
        return (
            f"the circuit of {dependency} goes from {plain(circuit['state'])} to held open: no calls and no probes "
            f"until a person closes it. {waiting} wait for it now; orders that need it will wait too."
        )
    return (
        f"the circuit of {dependency} goes from {plain(circuit['state'])} to closed: calls are made again, and "
        f"{waiting} that wait continue at a pace. It opens again by itself if calls fail."
    )


_TRANSITIONS = {
    "CircuitOpened": "opened: too many failures",
    "CircuitClosed": "closed: a probe succeeded",
    "CircuitHeldOpen": "held open by hand",
    "CircuitForcedClosed": "closed by hand",
}
