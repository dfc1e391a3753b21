"""Evaluate a syntax tree: the meaning of every expression.

Values, variables, operators and conditions are here; paths, objects and functions have modules of their own.
One ``Evaluator`` serves one evaluation. Each node that it enters counts as a step, and every list, object and text
that it makes counts as memory, so that no expression runs or grows without end. The tree is never written to, and
neither is the input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from workflows.asl.jsonata import function_calls
from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import COMPARED, UNDEFINED, WORK, Evaluation
from workflows.asl.jsonata.function_values import VariableScope
from workflows.asl.jsonata.grouping import group
from workflows.asl.jsonata.limits import DEPTH_MAX, EvaluationFailed, check_size
from workflows.asl.jsonata.list_functions import lookup
from workflows.asl.jsonata.operators import OPERATORS, negate, truth
from workflows.asl.jsonata.path_evaluation import path, select
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import ConstructedList, Sequence

_FRAMES_A_LEVEL: Final = 30  # of Python, at most
sys.setrecursionlimit(max(sys.getrecursionlimit(), DEPTH_MAX * _FRAMES_A_LEVEL))


class Evaluator:
    """Evaluates nodes, and counts the work."""

    __slots__ = ("evaluation",)

    def __init__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation

    def evaluate(self, node: Node, item: Any, scope: VariableScope) -> Any:
        """Evaluate a node.

        Args:
            node: The node.
            item: The context item, the value of ``$``.
            scope: The variables.

        Raises:
            JSONataError: An error of JSONata.
            EvaluationFailed: A limit was exceeded.
        """
        evaluation = self.evaluation
        evaluation.depth += 1
        if evaluation.depth > DEPTH_MAX:
            advice = "Check for non-terminating recursive function"
            raise EvaluationFailed(f"Stack overflow error: {advice}. Depth={evaluation.depth} max={DEPTH_MAX}")
        evaluation.count_steps(1)
        result = _EVALUATE[node.type](self, node, item, scope)
        for stage in node.predicate or ():
            result = select(self, stage.expression, result, scope)
        if node.group is not None and node.type != "path":
            result = group(self, node.group, result, scope)
        evaluation.depth -= 1
        if isinstance(result, str | list | dict):
            check_size(result, len(result))
            if node.type in _MAKING and type(result) not in _READ.get(node.type, ()):
                evaluation.count_made(result)
        if type(result) is Sequence and not result.tuples:
            return _unwrapped(result, node)
        return result

    # --- values and variables ---

    def _literal(self, node: Node, _item: Any, _frame: VariableScope) -> Any:
        return node.value

    def _name(self, node: Node, item: Any, _frame: VariableScope) -> Any:
        if isinstance(item, dict):
            return item.get(node.value, UNDEFINED)
        if isinstance(item, list):
            self.evaluation.count_steps(len(item) // WORK)
        return lookup(item, node.value)

    def _variable(self, node: Node, item: Any, scope: VariableScope) -> Any:
        return item if node.value == "" else scope.lookup(node.value)

    def _ancestor(self, node: Node, _item: Any, scope: VariableScope) -> Any:
        return scope.lookup(node.slot.label) if node.slot is not None else UNDEFINED

    def _regex(self, node: Node, _item: Any, _frame: VariableScope) -> Any:
        return node.value

    def _wildcard(self, _node: Node, item: Any, _frame: VariableScope) -> Any:
        values = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        found = Sequence()
        for value in values:
            if isinstance(value, list):
                self._flatten(value, found)
            else:
                found.append(value)
        return list(found) if any(isinstance(value, list) for value in values) else found

    def _flatten(self, value: Any, into: list[Any]) -> None:
        for element in value:
            if isinstance(element, list):
                self._flatten(element, into)
            else:
                into.append(element)

    def _descendants(self, _node: Node, item: Any, _frame: VariableScope) -> Any:
        found = Sequence()
        if item is not UNDEFINED:
            self._descend(item, found)
        return found if len(found) != 1 else found[0]

    def _descend(self, item: Any, found: list[Any]) -> None:
        self.evaluation.count_steps(1)
        if not isinstance(item, list):
            found.append(item)
        for child in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            self._descend(child, found)

    def _unary(self, node: Node, item: Any, scope: VariableScope) -> Any:
        if node.value == "[":
            return self._array(node, item, scope)
        if node.value == "{":
            return group(self, node, item, scope)
        return negate(self.evaluate(node.expression, item, scope))

    def _array(self, node: Node, item: Any, scope: VariableScope) -> list[Any]:
        made: list[Any] = ConstructedList() if node.cons_array else []
        for part in node.expressions or ():
            value = self.evaluate(part, item, scope)
            if value is UNDEFINED:
                continue
            if isinstance(value, list) and part.value != "[":
                made.extend(value)
            else:
                made.append(value)
        return made

    def _binary(self, node: Node, item: Any, scope: VariableScope) -> Any:
        left = self.evaluate(node.lhs, item, scope)
        if node.value == "and":
            return truth(left) and truth(self.evaluate(node.rhs, item, scope))
        if node.value == "or":
            return truth(left) or truth(self.evaluate(node.rhs, item, scope))
        right = self.evaluate(node.rhs, item, scope)
        self._count_compared(node.value, left, right)
        try:
            return OPERATORS[node.value](left, right)
        except JSONataError as error:
            error.details["token"] = node.value
            raise

    def _count_compared(self, operator: str, left: Any, right: Any) -> None:
        if isinstance(right, list | dict):
            if operator == "in":
                self.evaluation.count_steps(len(right) // COMPARED)
            elif operator in ("=", "!=") and isinstance(left, list | dict):
                self.evaluation.count_steps(self.evaluation.size_of(left) // COMPARED)

    def _condition(self, node: Node, item: Any, scope: VariableScope) -> Any:
        if truth(self.evaluate(node.condition, item, scope)):
            return self.evaluate(node.then, item, scope)
        return UNDEFINED if node.otherwise is None else self.evaluate(node.otherwise, item, scope)

    def _block(self, node: Node, item: Any, scope: VariableScope) -> Any:
        inner = VariableScope({}, scope)
        result: Any = UNDEFINED
        for expression in node.expressions or ():
            result = self.evaluate(expression, item, inner)
        return result

    def _bind(self, node: Node, item: Any, scope: VariableScope) -> Any:
        value = self.evaluate(node.rhs, item, scope)
        scope.bind(node.lhs.value, value)
        return value

    def apply(self, function: Any, arguments: list[Any], item: Any) -> Any:
        """Call a function (see ``function_calls.apply``)."""
        return function_calls.apply(self, function, arguments, item)


def _unwrapped(result: Sequence, node: Node) -> Any:
    """Turn a sequence into its single element, unless ``[]`` says that it stays a list."""
    if node.keep_array:
        result.keep = True
    if not result:
        return UNDEFINED
    return result[0] if len(result) == 1 and not result.keep else result


_MAKING: Final = frozenset({"unary", "binary", "path", "wildcard", "descendant"})  # functions count what they make
_READ: Final[dict[str, tuple[type, ...]]] = {"path": (str, list, dict)}  # parts of what the path reads
_EVALUATE: Final[dict[str, Callable[[Evaluator, Node, Any, VariableScope], Any]]] = {
    "string": Evaluator._literal,
    "number": Evaluator._literal,
    "value": Evaluator._literal,
    "name": Evaluator._name,
    "variable": Evaluator._variable,
    "parent": Evaluator._ancestor,
    "regex": Evaluator._regex,
    "wildcard": Evaluator._wildcard,
    "descendant": Evaluator._descendants,
    "unary": Evaluator._unary,
    "binary": Evaluator._binary,
    "condition": Evaluator._condition,
    "block": Evaluator._block,
    "bind": Evaluator._bind,
    "path": path,
    "lambda": function_calls.define,
    "transform": function_calls.transform,
    "function": function_calls.call,
    "partial": function_calls.apply_partially,
    "apply": function_calls.chain,
}
