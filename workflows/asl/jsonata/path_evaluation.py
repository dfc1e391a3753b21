"""Evaluate paths: step by step, with the predicates that select elements of each step.

A step that binds variables to its items (``@$x``, ``#$i``) or is followed by a parent operator ``%`` makes *tuples*: an
object for each item, which has the item under ``@`` and the variables under their names.
"""

from __future__ import annotations

import math
from typing import Any

from workflows.asl.jsonata.evaluation import UNDEFINED, WORK
from workflows.asl.jsonata.function_values import Evaluates, VariableScope
from workflows.asl.jsonata.grouping import group
from workflows.asl.jsonata.operators import is_numeric, truth
from workflows.asl.jsonata.path_sorting import sort, sort_tuples
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import ConstructedList, Sequence, double


def path(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> Any:
    """Evaluate a path, with the object after it that groups its items."""
    steps: list[Node] = node.steps or []
    current: Any = item if isinstance(item, list) and steps[0].type != "variable" else [item]
    result: Any = UNDEFINED
    tuples: Sequence | None = None
    as_tuples = False
    for number, step in enumerate(steps):
        as_tuples = as_tuples or step.tuple
        if number == 0 and step.cons_array:
            result = evaluator.evaluate(step, current, scope)
        elif as_tuples:
            tuples = _tuple_step(evaluator, step, current, tuples, scope)
        else:
            result = _step(evaluator, step, current, scope, number == len(steps) - 1)
        if not as_tuples and (result is UNDEFINED or (isinstance(result, list) and not result)):
            break
        if step.focus is None:
            current = result if isinstance(result, list) else [result]
    if tuples is not None:
        result = tuples if node.tuple else Sequence(each["@"] for each in tuples)
    if node.keep_singleton_array:
        result = _kept(result)
    if node.group is not None:
        return group(evaluator, node.group, result if tuples is None else tuples, scope)
    return result


def _kept(result: Any) -> Any:
    if type(result) is ConstructedList:
        result = Sequence([result])
    if type(result) is Sequence:
        result.keep = True
    return result


def _step(evaluator: Evaluates, node: Node, items: list[Any], scope: VariableScope, is_last: bool) -> Any:
    if node.type == "sort":
        ordered = sort(evaluator, node, items, scope)
        return _stages(evaluator, node.stages, ordered, scope) if node.stages is not None else ordered
    results = []
    for item in items:
        result = evaluator.evaluate(node, item, scope)
        for stage in node.stages or ():
            result = select(evaluator, stage.expression, result, scope)
        if result is not UNDEFINED:
            results.append(result)
    if is_last and len(results) == 1 and isinstance(results[0], list) and type(results[0]) is not Sequence:
        return results[0]
    flat = Sequence()
    for result in results:
        if isinstance(result, list) and type(result) is not ConstructedList:
            flat.extend(result)
        else:
            flat.append(result)
    return flat


def _tuple_step(
    evaluator: Evaluates, node: Node, items: list[Any], tuples: Sequence | None, scope: VariableScope
) -> Sequence:
    """Make a step whose items carry variables: ``@$x``, ``#$i`` and the parents that ``%`` means."""
    if node.type == "sort":
        made = sort_tuples(evaluator, node, items, tuples, scope)
    else:
        made = Sequence(tuples=True)
        for each in [{"@": item} for item in items] if tuples is None else tuples:
            _extend_tuple(evaluator, node, each, scope, made)
    evaluator.evaluation.count_steps(len(made) // WORK)
    evaluator.evaluation.count_made(made)
    return _stages(evaluator, node.stages, made, scope) if node.stages is not None else made


def _extend_tuple(evaluator: Evaluates, node: Node, each: dict[str, Any], scope: VariableScope, made: Sequence) -> None:
    result = evaluator.evaluate(node, each["@"], VariableScope(each, scope))
    if result is UNDEFINED:
        return
    as_tuples = type(result) is Sequence and result.tuples
    for index, value in enumerate(result if isinstance(result, list) else [result]):
        if as_tuples:
            made.append({**each, **value})
            continue
        extended = {**each, (node.focus or "@"): value}
        if node.index is not None:
            extended[node.index] = index
        if node.ancestor is not None:
            extended[node.ancestor.label] = each["@"]
        made.append(extended)


def _stages(evaluator: Evaluates, stages: list[Node], items: Any, scope: VariableScope) -> Any:
    for stage in stages:
        if stage.type == "index":
            for index, each in enumerate(items):
                each[stage.value] = index
        else:
            items = select(evaluator, stage.expression, items, scope)
    return items


def select(evaluator: Evaluates, predicate: Node, value: Any, scope: VariableScope) -> Any:
    """Select elements: those that the predicate holds for, or those at the indexes that it gives."""
    tuples = type(value) is Sequence and value.tuples
    items: list[Any] = value if isinstance(value, list) else [value]
    selected = Sequence(tuples=tuples)
    if predicate.type == "number":
        index = math.floor(predicate.value)
        index += len(items) if index < 0 else 0
        element = items[index] if 0 <= index < len(items) else UNDEFINED
        if isinstance(element, list):
            return element
        if element is not UNDEFINED:
            selected.append(element)
        return selected
    for index, item in enumerate(items):
        context, inner = (item["@"], VariableScope(item, scope)) if tuples else (item, scope)
        result = evaluator.evaluate(predicate, context, inner)
        if isinstance(result, list) and all(map(is_numeric, result)):
            selected.extend(item for each in result if _is_index(each, index, len(items)))
        elif is_numeric(result):
            if _is_index(result, index, len(items)):
                selected.append(item)
        elif truth(result):
            selected.append(item)
    return selected


def _is_index(number: float, index: int, length: int) -> bool:
    wanted = math.floor(double(number))
    return (wanted + length if wanted < 0 else wanted) == index
