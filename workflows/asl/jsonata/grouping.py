"""Evaluate objects: ``{key: value}``, alone or after a path, whose items it groups."""

from __future__ import annotations

from typing import Any

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, WORK
from workflows.asl.jsonata.function_values import Evaluates, VariableScope
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import Sequence


def group(evaluator: Evaluates, node: Node, value: Any, scope: VariableScope) -> dict[str, Any]:
    """Make an object: group the items by key, then evaluate the value of each group."""
    tuples = type(value) is Sequence and value.tuples and bool(value)
    items: list[Any] = (value if isinstance(value, list) else [value]) or [UNDEFINED]
    groups: dict[str, tuple[Node, list[Any]]] = {}
    for item in items:
        context, inner = (item["@"], VariableScope(item, scope)) if tuples else (item, scope)
        for name, content in node.pairs or ():
            _add_to_group(groups, evaluator.evaluate(name, context, inner), content, item, node)
    evaluator.evaluation.count_steps(len(items) // WORK)
    made = {}
    for key, (content, grouped) in groups.items():
        result = _group_value(evaluator, content, grouped, tuples, scope)
        if result is not UNDEFINED:
            made[key] = result
    return made


def _add_to_group(groups: dict[str, Any], key: Any, content: Node, item: Any, node: Node) -> None:
    if key is UNDEFINED:
        return
    if not isinstance(key, str):
        raise JSONataError("T1003", node.position, value=key)
    known, grouped = groups.setdefault(key, (content, []))
    if known is not content:
        raise JSONataError("D1009", node.position, value=key)
    grouped.append(item)


def _group_value(evaluator: Evaluates, content: Node, grouped: list[Any], tuples: bool, scope: VariableScope) -> Any:
    if not tuples:
        return evaluator.evaluate(content, _combined(grouped), scope)
    names = {name: _combined([each[name] for each in grouped if name in each]) for name in grouped[0]}
    return evaluator.evaluate(content, names.pop("@"), VariableScope(names, scope))


def _combined(values: list[Any]) -> Any:
    """Combine the items of a group: one is itself, and several are one list."""
    return values[0] if len(values) == 1 else _flat(values)


def _flat(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if isinstance(value, list):
            flat.extend(value)
        elif value is not UNDEFINED:
            flat.append(value)
    return flat
