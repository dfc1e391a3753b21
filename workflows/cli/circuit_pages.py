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
    """Print a circuit breaker and its transitions."""
    show_circuits([history["circuit"]])
    rows = table("when", "what", "by", "why")
    for each in history["transitions"]:
        data = each["data"]
        why = data.get("reason") or data.get("last_error") or (f"probe {data['probes']}" if "probes" in data else "")
        rows.add_row(clock(each["at"]), _TRANSITIONS.get(each["type"], each["type"]), actor(each["actor"]), why)
    console = data_console()
    console.print()
    console.print(rows if history["transitions"] else "no transitions in the last week")


_TRANSITIONS = {
    "CircuitOpened": "opened: too many failures",
    "CircuitClosed": "closed: a probe succeeded",
    "CircuitHeldOpen": "held open by hand",
    "CircuitForcedClosed": "closed by hand",
}
