"""Evaluate a syntax tree: the meaning of every expression.

One ``Evaluator`` serves one evaluation. Each node that it enters counts as a step, and every list, object and text
that it makes counts as memory, so that no expression runs or grows without end. The tree is never written to, and
neither is the input.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import COMPARED, UNDEFINED, WORK, Evaluation
from workflows.asl.jsonata.function_values import OPEN, Composed, Lambda, Partial, Transform, VariableScope
from workflows.asl.jsonata.limits import DEPTH_MAX, EvaluationFailed, check_size
from workflows.asl.jsonata.list_functions import lookup, merge_sort
from workflows.asl.jsonata.operators import OPERATORS, is_numeric, negate, truth
from workflows.asl.jsonata.registry import BuiltIn
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import (
    ConstructedList,
    FunctionValue,
    Sequence,
    double,
    is_number,
    precedes,
    same,
)

_FRAMES_A_LEVEL: Final = 30  # of Python, at most
sys.setrecursionlimit(max(sys.getrecursionlimit(), DEPTH_MAX * _FRAMES_A_LEVEL))


class Evaluator:
    """Evaluates nodes, and counts the work."""

    __slots__ = ("_evaluation",)

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

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
        evaluation = self._evaluation
        evaluation.depth += 1
        if evaluation.depth > DEPTH_MAX:
            advice = "Check for non-terminating recursive function"
            raise EvaluationFailed(f"Stack overflow error: {advice}. Depth={evaluation.depth} max={DEPTH_MAX}")
        evaluation.count_steps(1)
        result = _EVALUATE[node.type](self, node, item, scope)
        for stage in node.predicate or ():
            result = self._filter(stage.expression, result, scope)
        if node.group is not None and node.type != "path":
            result = self._grouped(node.group, result, scope)
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
            self._evaluation.count_steps(len(item) // WORK)
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
        self._evaluation.count_steps(1)
        if not isinstance(item, list):
            found.append(item)
        for child in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
            self._descend(child, found)

    def _unary(self, node: Node, item: Any, scope: VariableScope) -> Any:
        if node.value == "[":
            return self._array(node, item, scope)
        if node.value == "{":
            return self._grouped(node, item, scope)
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
                self._evaluation.count_steps(len(right) // COMPARED)
            elif operator in ("=", "!=") and isinstance(left, list | dict):
                self._evaluation.count_steps(self._evaluation.size_of(left) // COMPARED)

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

    # --- paths ---

    def _path(self, node: Node, item: Any, scope: VariableScope) -> Any:
        steps: list[Node] = node.steps or []
        current: Any = item if isinstance(item, list) and steps[0].type != "variable" else [item]
        result: Any = UNDEFINED
        tuples: Sequence | None = None
        as_tuples = False
        for number, step in enumerate(steps):
            as_tuples = as_tuples or step.tuple
            if number == 0 and step.cons_array:
                result = self.evaluate(step, current, scope)
            elif as_tuples:
                tuples = self._tuple_step(step, current, tuples, scope)
            else:
                result = self._step(step, current, scope, number == len(steps) - 1)
            if not as_tuples and (result is UNDEFINED or (isinstance(result, list) and not result)):
                break
            if step.focus is None:
                current = result if isinstance(result, list) else [result]
        if tuples is not None:
            result = tuples if node.tuple else Sequence(each["@"] for each in tuples)
        if node.keep_singleton_array:
            result = _kept(result)
        if node.group is not None:
            return self._grouped(node.group, result if tuples is None else tuples, scope)
        return result

    def _step(self, node: Node, items: list[Any], scope: VariableScope, is_last: bool) -> Any:
        if node.type == "sort":
            ordered = self._sorted(node, items, scope)
            return self._stages(node.stages, ordered, scope) if node.stages is not None else ordered
        results = []
        for item in items:
            result = self.evaluate(node, item, scope)
            for stage in node.stages or ():
                result = self._filter(stage.expression, result, scope)
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

    def _tuple_step(self, node: Node, items: list[Any], tuples: Sequence | None, scope: VariableScope) -> Sequence:
        """Make a step whose items carry variables: ``@$x``, ``#$i`` and the parents that ``%`` means."""
        if node.type == "sort":
            made = self._sorted_tuples(node, items, tuples, scope)
        else:
            made = Sequence(tuples=True)
            for each in [{"@": item} for item in items] if tuples is None else tuples:
                self._extend_tuple(node, each, scope, made)
        self._evaluation.count_steps(len(made) // WORK)
        self._evaluation.count_made(made)
        return self._stages(node.stages, made, scope) if node.stages is not None else made

    def _extend_tuple(self, node: Node, each: dict[str, Any], scope: VariableScope, made: Sequence) -> None:
        result = self.evaluate(node, each["@"], VariableScope(each, scope))
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

    def _stages(self, stages: list[Node], items: Any, scope: VariableScope) -> Any:
        for stage in stages:
            if stage.type == "index":
                for index, each in enumerate(items):
                    each[stage.value] = index
            else:
                items = self._filter(stage.expression, items, scope)
        return items

    def _filter(self, predicate: Node, value: Any, scope: VariableScope) -> Any:
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
            result = self.evaluate(predicate, context, inner)
            if isinstance(result, list) and all(map(is_numeric, result)):
                selected.extend(item for each in result if _is_index(each, index, len(items)))
            elif is_numeric(result):
                if _is_index(result, index, len(items)):
                    selected.append(item)
            elif truth(result):
                selected.append(item)
        return selected

    def _sorted(self, node: Node, items: list[Any], scope: VariableScope) -> Any:
        tuples = type(items) is Sequence and items.tuples

        def comes_after(first: Any, second: Any) -> bool:
            for term in node.terms or ():
                keys = []
                for item in (first, second):
                    context, inner = (item["@"], VariableScope(item, scope)) if tuples else (item, scope)
                    keys.append(self.evaluate(term.expression, context, inner))
                order = _order(keys, term.descending, node.position)
                if order:
                    return order > 0
            return False

        ordered = merge_sort(items, comes_after)
        return Sequence(ordered, tuples=True) if tuples else ordered

    def _sorted_tuples(self, node: Node, items: list[Any], tuples: Sequence | None, scope: VariableScope) -> Sequence:
        if tuples is not None:
            return self._sorted(node, tuples, scope)  # type: ignore[no-any-return]  # tuples stay tuples
        ordered = self._sorted(node, items, scope)
        return Sequence(
            ({"@": item, **({node.index: index} if node.index else {})} for index, item in enumerate(ordered)),
            tuples=True,
        )

    # --- objects ---

    def _grouped(self, node: Node, value: Any, scope: VariableScope) -> dict[str, Any]:
        """Make an object: group the items by key, then evaluate the value of each group."""
        tuples = type(value) is Sequence and value.tuples and bool(value)
        items: list[Any] = (value if isinstance(value, list) else [value]) or [UNDEFINED]
        groups: dict[str, tuple[Node, list[Any]]] = {}
        for item in items:
            context, inner = (item["@"], VariableScope(item, scope)) if tuples else (item, scope)
            for name, content in node.pairs or ():
                self._add_to_group(groups, self.evaluate(name, context, inner), content, item, node)
        self._evaluation.count_steps(len(items) // WORK)
        made = {}
        for key, (content, grouped) in groups.items():
            result = self._group_value(content, grouped, tuples, scope)
            if result is not UNDEFINED:
                made[key] = result
        return made

    def _add_to_group(self, groups: dict[str, Any], key: Any, content: Node, item: Any, node: Node) -> None:
        if key is UNDEFINED:
            return
        if not isinstance(key, str):
            raise JSONataError("T1003", node.position, value=key)
        known, grouped = groups.setdefault(key, (content, []))
        if known is not content:
            raise JSONataError("D1009", node.position, value=key)
        grouped.append(item)

    def _group_value(self, content: Node, grouped: list[Any], tuples: bool, scope: VariableScope) -> Any:
        if not tuples:
            return self.evaluate(content, _combined(grouped), scope)
        names = {name: _combined([each[name] for each in grouped if name in each]) for name in grouped[0]}
        return self.evaluate(content, names.pop("@"), VariableScope(names, scope))

    # --- functions ---

    def _lambda(self, node: Node, item: Any, scope: VariableScope) -> Any:
        return Lambda(self, node, item, scope)

    def _transform(self, node: Node, _item: Any, scope: VariableScope) -> Any:
        return Transform(self, node, scope)

    def _call(self, node: Node, item: Any, scope: VariableScope) -> Any:
        return self._called(node, item, scope, [])

    def _called(self, node: Node, item: Any, scope: VariableScope, first: list[Any]) -> Any:
        function = self.evaluate(node.procedure, item, scope)
        name = _written_name(node.procedure)
        if function is UNDEFINED and node.procedure.type == "path" and truth(_bound(scope, name)):
            raise JSONataError("T1005", node.position, token=name)
        arguments = [*first, *(self.evaluate(argument, item, scope) for argument in node.arguments or ())]
        try:
            return self.apply(function, arguments, item)
        except JSONataError as error:
            error.add(token=name)
            raise

    def apply(self, function: Any, arguments: list[Any], item: Any) -> Any:
        """Call a function, and then the calls at the end of functions, which do not grow the stack.

        Args:
            function: What is called; it need not be a function.
            arguments: Arguments as they are written.
            item: The context item, for functions that take it in the place of a missing argument.
        """
        result = self._apply_once(function, arguments, item)
        while isinstance(result, Lambda) and result.node.thunk:
            call = result.node.body
            following = self.evaluate(call.procedure, result.item, result.scope)
            arguments = [self.evaluate(argument, result.item, result.scope) for argument in call.arguments or ()]
            try:
                result = self._apply_once(following, arguments, item)
            except JSONataError as error:
                if call.procedure.type == "variable":
                    error.add(token=call.procedure.value)
                raise
        return result

    def _apply_once(self, function: Any, arguments: list[Any], item: Any) -> Any:
        if isinstance(function, BuiltIn):
            return function.call(arguments, item)
        if isinstance(function, Lambda):
            if function.signature is not None:
                arguments = function.signature.validate(arguments, item)
            names = [parameter.value for parameter in function.node.arguments or ()]
            padded = [*arguments, *[UNDEFINED] * (len(names) - len(arguments))]
            return self.evaluate(
                function.node.body, function.item, VariableScope(dict(zip(names, padded, strict=False)), function.scope)
            )
        if isinstance(function, FunctionValue):
            return function.apply(arguments)
        raise JSONataError("T1006")

    def _partial(self, node: Node, item: Any, scope: VariableScope) -> Any:
        arguments = [
            OPEN if argument.type == "operator" else self.evaluate(argument, item, scope)
            for argument in node.arguments or ()
        ]
        function = self.evaluate(node.procedure, item, scope)
        if isinstance(function, FunctionValue):
            return Partial(self, function, arguments)
        name = _written_name(node.procedure)
        known = function is UNDEFINED and node.procedure.type == "path" and truth(_bound(scope, name))
        raise JSONataError("T1007" if known else "T1008", node.position, token=name)

    def _apply(self, node: Node, item: Any, scope: VariableScope) -> Any:
        left = self.evaluate(node.lhs, item, scope)
        if node.rhs.type == "function":
            return self._called(node.rhs, item, scope, [left])
        function = self.evaluate(node.rhs, item, scope)
        if not isinstance(function, FunctionValue):
            raise JSONataError("T2006", node.position, value=function)
        if isinstance(left, FunctionValue):
            return Composed(left, function)
        return self.apply(function, [left], UNDEFINED)


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


def _bound(scope: VariableScope, name: Any) -> Any:
    value = scope.lookup(name) if isinstance(name, str) else UNDEFINED
    return True if isinstance(value, FunctionValue) else value


def _written_name(procedure: Node) -> Any:
    value = procedure.steps[0].value if procedure.type == "path" and procedure.steps else procedure.value
    return UNDEFINED if value is None else value


def _unwrapped(result: Sequence, node: Node) -> Any:
    """Turn a sequence into its single element, unless ``[]`` says that it stays a list."""
    if node.keep_array:
        result.keep = True
    if not result:
        return UNDEFINED
    return result[0] if len(result) == 1 and not result.keep else result


def _kept(result: Any) -> Any:
    if type(result) is ConstructedList:
        result = Sequence([result])
    if type(result) is Sequence:
        result.keep = True
    return result


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


def _is_index(number: float, index: int, length: int) -> bool:
    wanted = math.floor(double(number))
    return (wanted + length if wanted < 0 else wanted) == index


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
    "path": Evaluator._path,
    "lambda": Evaluator._lambda,
    "transform": Evaluator._transform,
    "function": Evaluator._call,
    "partial": Evaluator._partial,
    "apply": Evaluator._apply,
}
