"""The Task states of the machine that the engine starts, as ``Machine.State``.

The other machines of the template serve executions that began with an earlier definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workflows.embedded.template import Template
from workflows.simulation.releases import definitions

MACHINE = "OrderMachine"


def task_states(template: Template) -> dict[str, Mapping[str, Any]]:
    """Collect the raw definitions of its Task states, in the order of the definition."""
    return {f"{MACHINE}.{name}": state for name, state in _tasks(definitions(template)[MACHINE].raw)}


def first_state(template: Template) -> str:
    """Name the state that its executions begin with."""
    return f"{MACHINE}.{definitions(template)[MACHINE].raw['StartAt']}"


def circuit_waits(template: Template) -> frozenset[str]:
    """Collect the Task states that wait for a circuit to close."""
    return frozenset(
        step for step, state in task_states(template).items() if "'await_circuit" in str(state["Arguments"])
    )


def _tasks(scope: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in scope["States"].items():
        if state["Type"] == "Task":
            yield name, state
        for inner in (*state.get("Branches", ()), *filter(None, [state.get("ItemProcessor")])):
            yield from _tasks(inner)
