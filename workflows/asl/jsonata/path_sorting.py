"""Evaluate the sort of a path: ``^(...)`` with its terms."""

from __future__ import annotations

from typing import Any

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED
from workflows.asl.jsonata.function_values import Evaluates, VariableScope
from workflows.asl.jsonata.list_functions import merge_sort
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import Sequence, is_number, precedes, same


def sort(evaluator: Evaluates, node: Node, items: list[Any], scope: VariableScope) -> Any:
    """Sort the items of a path, which may be tuples."""
    tuples = type(items) is Sequence and items.tuples

    def comes_after(first: Any, second: Any) -> bool:
        for term in node.terms or ():
            keys = []
            for item in (first, second):
                context, inner = (item["@"], VariableScope(item, scope)) if tuples else (item, scope)
                keys.append(evaluator.evaluate(term.expression, context, inner))
            order = _order(keys, term.descending, node.position)
            if order:
                return order > 0
        return False

    ordered = merge_sort(items, comes_after)
    return Sequence(ordered, tuples=True) if tuples else ordered


def sort_tuples(
    evaluator: Evaluates, node: Node, items: list[Any], tuples: Sequence | None, scope: VariableScope
) -> Sequence:
    """Sort the items of a path into tuples: those that it has so far, or new ones."""
    if tuples is not None:
        return sort(evaluator, node, tuples, scope)  # type: ignore[no-any-return]  # tuples stay tuples
    ordered = sort(evaluator, node, items, scope)
    return Sequence(
        ({"@": item, **({node.index: index} if node.index else {})} for index, item in enumerate(ordered)),
        tuples=True,
    )


def _order(keys: list[Any], descending: bool, position: int) -> int:
    """Compare two sort keys: negative if the first comes first. An undefined one is the last in both directions."""
    left, right = keys
    if left is UNDEFINED or right is UNDEFINED:
        return (left is UNDEFINED) - (right is UNDEFINED)
    for key in keys:
        if not (isinstance(key, str) or is_number(key)):
            raise JSONataError("T2008", position, value=key)
    if isinstance(left, str) is not isinstance(right, str):
        raise JSONataError("T2007", position, value=left, value2=right)
    order = 0 if same(left, right) else -1 if precedes(left, right) else 1
    return -order if descending else order
