"""A machine as a graph, made from its definition: for a page that draws it.

Positions are not in it: they depend on the width of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from domain.order import events as e
from workflows.runs.machines import Machines

if TYPE_CHECKING:  # importing the client costs a function's cold start
    from workflows.client.run_json import LayoutEdgeJson, LayoutGroupJson, LayoutJson, LayoutNodeJson

State: TypeAlias = Mapping[str, Any]

TAKES: Mapping[str, tuple[type[Any], type[Any]]] = {
    "authorize": (e.PaymentAuthorizationRequested, e.PaymentVoidRequested),
    "settle": (e.PaymentCaptureRequested, e.PaymentRefundRequested),
    "request_preparation": (e.PreparationRequested, e.PreparationCancellationRequested),
    "request_courier": (e.CourierRequested, e.CourierReleaseRequested),
}
"""By action: the intent that it performs, and the intent that takes it back. ``compensate`` performs the latter."""

COMPENSATE, FIND_REASON = "compensate", "find_reason"


def layout(definition: Mapping[str, Any], machines: Machines) -> LayoutJson:
    """Return the nodes, edges and groups of a machine.

    Args:
        definition: In the Amazon States Language, with its ARNs in place.
        machines: By their ARN in the definition a node names the machine that it starts.
    """
    states = dict(_states(definition, None))
    edges = [edge for name, (state, _) in states.items() for edge in _edges(name, state)]
    paths = _paths(definition["StartAt"], states, edges)
    arns: dict[str, Any] = {arn: name.value for name, arn in machines.items()}
    return {
        "start": definition["StartAt"],
        "nodes": [_node(name, state, group, paths[name], arns) for name, (state, group) in states.items()],
        "edges": edges,
        "groups": [group for name, (state, _) in states.items() for group in _groups(name, state)],
    }


def _states(scope: Mapping[str, Any], group: str | None) -> Iterator[tuple[str, tuple[State, str | None]]]:
    """Yield each state with the group that it is in. Names are unique in a machine."""
    for name, state in scope["States"].items():
        yield name, (state, group)
        for number, branch in enumerate(state.get("Branches", ())):
            yield from _states(branch, f"{name}/{number}")


def _groups(name: str, state: State) -> Iterator[LayoutGroupJson]:
    for number, branch in enumerate(state.get("Branches", ())):
        yield {"id": f"{name}/{number}", "of": name, "start": branch["StartAt"], "nodes": list(branch["States"])}


def _edges(name: str, state: State) -> Iterator[LayoutEdgeJson]:
    if "Next" in state:
        yield {"from": name, "to": state["Next"], "kind": "next", "label": ""}
    for branch in state.get("Branches", ()):
        yield {"from": name, "to": branch["StartAt"], "kind": "branch", "label": ""}
    for rule in state.get("Choices", ()):
        condition = str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
        yield {"from": name, "to": rule["Next"], "kind": "choice", "label": condition}
    if "Default" in state:
        yield {"from": name, "to": state["Default"], "kind": "default", "label": ""}
    for catcher in state.get("Catch", ()):
        yield {"from": name, "to": catcher["Next"], "kind": "catch", "label": ", ".join(catcher["ErrorEquals"])}


def _paths(
    start: str, states: Mapping[str, tuple[State, str | None]], edges: list[LayoutEdgeJson]
) -> Mapping[str, Any]:
    """Return for each state whether it is on the way forward, on the way back, or reached by an error alone.

    The way back begins where the reason of an error is looked up: what only that leads to is on it.
    """
    back = {name for name, (state, _) in states.items() if _action(state) == FIND_REASON}
    forward = _reached({start}, [edge for edge in edges if edge["kind"] != "catch"], back)
    behind = _reached(forward, edges, back)
    return {
        name: "forward" if name in forward else "exception" if name in behind else "compensation" for name in states
    }


def _reached(begin: set[str], edges: list[LayoutEdgeJson], never: set[str]) -> set[str]:
    reached, new = set(begin), set(begin)
    while new:
        new = {edge["to"] for edge in edges if edge["from"] in new} - reached - never
        reached |= new
    return reached


def _node(name: str, state: State, group: str | None, path: Any, arns: Mapping[str, Any]) -> LayoutNodeJson:
    action = _action(state)
    takes, undone_by = TAKES.get(action or "", (None, None))
    arguments = state.get("Arguments", {})
    return {
        "id": name,
        "type": state["Type"],
        "comment": str(state.get("Comment", "")),
        "path": path,
        "group": group,
        "end": bool(state.get("End")) or state["Type"] in {"Succeed", "Fail"},
        "action": action,
        "waits_for_token": str(state.get("Resource", "")).endswith(".waitForTaskToken"),
        "starts": arns.get(str(arguments.get("StateMachineArn", ""))),
        "takes": None if takes is None else takes.__name__,
        "undone_by": None if undone_by is None else undone_by.__name__,
        "undoes": [taken.__name__ for taken, _ in TAKES.values()] if action == COMPENSATE else [],
    }


def _action(state: State) -> str | None:
    """Return the action that a task asks for, which its arguments have in a JSONata expression."""
    match = re.search(r"'action': '(\w+)'", str(state.get("Arguments", "")))
    return match[1] if match else None
