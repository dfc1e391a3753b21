"""The syntax tree of an expression, and a walk through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final


@dataclass(slots=True, eq=False)
class Slot:
    """The place where a parent operator ``%`` finds its value: ``label`` is a name in the tuples of a path."""

    label: str
    level: int = 1


@dataclass(slots=True, eq=False)
class Node:
    """One node of a syntax tree. ``type`` decides which of the other fields have a value."""

    type: str
    value: Any = None
    position: int = 0
    lhs: Any = None
    rhs: Any = None
    expression: Any = None
    expressions: list[Node] | None = None
    pairs: list[tuple[Node, Node]] | None = None
    procedure: Any = None
    arguments: list[Node] | None = None
    signature: Any = None
    body: Any = None
    condition: Any = None
    then: Any = None
    otherwise: Any = None
    pattern: Any = None
    update: Any = None
    delete: Any = None
    steps: list[Node] | None = None
    terms: list[Node] | None = None
    descending: bool = False
    predicate: list[Node] | None = None
    stages: list[Node] | None = None
    group: Any = None
    focus: str | None = None
    index: str | None = None
    ancestor: Slot | None = None
    slot: Slot | None = None
    seeking_parent: list[Slot] | None = None
    tuple: bool = False
    cons_array: bool = False
    keep_array: bool = False
    keep_singleton_array: bool = False
    thunk: bool = False


_CHILDREN: Final = tuple(
    field.name
    for field in fields(Node)
    if field.name
    in ("lhs", "rhs", "procedure", "body", "condition", "then", "otherwise", "pattern", "update", "delete")
    or field.name
    in ("expression", "expressions", "pairs", "arguments", "steps", "terms", "predicate", "stages", "group")
)


def every_node(tree: Any) -> Iterator[Node]:
    """Yield each node of a syntax tree once."""
    pending, seen = [tree], set()
    while pending:
        node = pending.pop()
        if isinstance(node, list | tuple):
            pending.extend(node)
        elif isinstance(node, Node) and id(node) not in seen:
            seen.add(id(node))
            yield node
            pending.extend(child for _, child in children(node))


def children(node: Node) -> Iterator[tuple[str, Any]]:
    """Yield the nodes below a node, and lists of them, each with the name of its field."""
    for name in _CHILDREN:
        child = getattr(node, name)
        if child is not None:
            yield name, child
