"""Walk the syntax trees of the library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_NO_CHILDREN = frozenset(
    {"type", "value", "position", "id", "token", "slot", "ancestor", "seekingParent", "outer_instance"}
)


def every_node(tree: Any) -> Iterator[Any]:
    """Yield each node of a syntax tree once."""
    pending, seen = [tree], set()
    while pending:
        node = pending.pop()
        if isinstance(node, list | tuple):
            pending.extend(node)
        elif hasattr(node, "type") and id(node) not in seen:
            seen.add(id(node))
            yield node
            pending.extend(child for _, child in children(node))


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield the nodes below a node, each with the name of its attribute."""
    for name, child in vars(node).items():
        if name in _NO_CHILDREN or name.startswith("_"):
            continue
        if isinstance(child, list | tuple) or hasattr(child, "type"):
            yield name, child
