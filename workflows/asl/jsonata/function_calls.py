"""Evaluate functions: their definitions and calls, partial application, and the chain ``~>``."""

from __future__ import annotations

from typing import Any

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED
from workflows.asl.jsonata.function_values import OPEN, Composed, Evaluates, Lambda, Partial, Transform, VariableScope
from workflows.asl.jsonata.operators import truth
from workflows.asl.jsonata.registry import BuiltIn
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import FunctionValue


def define(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> Any:
    """Define a function."""
    return Lambda(evaluator, node, item, scope)


def transform(evaluator: Evaluates, node: Node, _item: Any, scope: VariableScope) -> Any:
    """Define a function that changes a copy: ``|pattern|update, delete|``."""
    return Transform(evaluator, node, scope)


def call(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> Any:
    """Evaluate a call."""
    return _called(evaluator, node, item, scope, [])


def _called(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope, first: list[Any]) -> Any:
    function = evaluator.evaluate(node.procedure, item, scope)
    name = _written_name(node.procedure)
    if function is UNDEFINED and node.procedure.type == "path" and truth(_bound(scope, name)):
        raise JSONataError("T1005", node.position, token=name)
    arguments = [*first, *(evaluator.evaluate(argument, item, scope) for argument in node.arguments or ())]
    try:
        return apply(evaluator, function, arguments, item)
    except JSONataError as error:
        error.add(token=name)
        raise


def apply(evaluator: Evaluates, function: Any, arguments: list[Any], item: Any) -> Any:
    """Call a function, and then the calls at the end of functions, which do not grow the stack.

    Args:
        function: What is called; it need not be a function.
        arguments: Arguments as they are written.
        item: The context item, for functions that take it in the place of a missing argument.
    """
    result = _apply_once(evaluator, function, arguments, item)
    while isinstance(result, Lambda) and result.node.thunk:
        last_call = result.node.body
        following = evaluator.evaluate(last_call.procedure, result.item, result.scope)
        arguments = [evaluator.evaluate(argument, result.item, result.scope) for argument in last_call.arguments or ()]
        try:
            result = _apply_once(evaluator, following, arguments, item)
        except JSONataError as error:
            if last_call.procedure.type == "variable":
                error.add(token=last_call.procedure.value)
            raise
    return result


def _apply_once(evaluator: Evaluates, function: Any, arguments: list[Any], item: Any) -> Any:
    if isinstance(function, BuiltIn):
        return function.call(arguments, item)
    if isinstance(function, Lambda):
        if function.signature is not None:
            arguments = function.signature.validate(arguments, item)
        names = [parameter.value for parameter in function.node.arguments or ()]
        padded = [*arguments, *[UNDEFINED] * (len(names) - len(arguments))]
        return evaluator.evaluate(
            function.node.body, function.item, VariableScope(dict(zip(names, padded, strict=False)), function.scope)
        )
    if isinstance(function, FunctionValue):
        return function.apply(arguments)
    raise JSONataError("T1006")


def apply_partially(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> Any:
    """Set some arguments of a function: ``$f(?, 1)``."""
    arguments = [
        OPEN if argument.type == "operator" else evaluator.evaluate(argument, item, scope)
        for argument in node.arguments or ()
    ]
    function = evaluator.evaluate(node.procedure, item, scope)
    if isinstance(function, FunctionValue):
        return Partial(evaluator, function, arguments)
    name = _written_name(node.procedure)
    known = function is UNDEFINED and node.procedure.type == "path" and truth(_bound(scope, name))
    raise JSONataError("T1007" if known else "T1008", node.position, token=name)


def chain(evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> Any:
    """Evaluate ``~>``: call the function on the right with the value on the left, or compose two functions."""
    left = evaluator.evaluate(node.lhs, item, scope)
    if node.rhs.type == "function":
        return _called(evaluator, node.rhs, item, scope, [left])
    function = evaluator.evaluate(node.rhs, item, scope)
    if not isinstance(function, FunctionValue):
        raise JSONataError("T2006", node.position, value=function)
    if isinstance(left, FunctionValue):
        return Composed(left, function)
    return apply(evaluator, function, [left], UNDEFINED)


def _bound(scope: VariableScope, name: Any) -> Any:
    value = scope.lookup(name) if isinstance(name, str) else UNDEFINED
    return True if isinstance(value, FunctionValue) else value


def _written_name(procedure: Node) -> Any:
    value = procedure.steps[0].value if procedure.type == "path" and procedure.steps else procedure.value
    return UNDEFINED if value is None else value
