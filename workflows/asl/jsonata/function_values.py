"""The functions that an expression makes, and the variables that they see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.evaluation import UNDEFINED, Evaluation
from workflows.asl.jsonata.list_functions import clone
from workflows.asl.jsonata.signatures import Signature
from workflows.asl.jsonata.syntax_trees import Node
from workflows.asl.jsonata.values import FunctionValue

OPEN: Final = object()  # an argument of a partial application that is not set
_TRANSFORMED: Final = Signature("<(oa):o>")


class Evaluates(Protocol):
    """The evaluator, as the modules that evaluate a kind of node use it. ``evaluation`` counts their work."""

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation in progress."""

    def evaluate(self, node: Node, item: Any, scope: VariableScope) -> Any:
        """Evaluate a node."""

    def apply(self, function: Any, arguments: list[Any], item: Any) -> Any:
        """Call a function."""


class VariableScope:
    """The variables of one scope. ``bindings`` is written to only by ``:=`` in this scope."""

    __slots__ = ("bindings", "parent")

    def __init__(self, bindings: Mapping[str, Any], parent: VariableScope | None = None) -> None:
        self.bindings = bindings
        self.parent = parent

    def lookup(self, name: str) -> Any:
        """Return the value of a variable, or UNDEFINED."""
        scope: VariableScope | None = self
        while scope is not None:
            if name in scope.bindings:
                return scope.bindings[name]
            scope = scope.parent
        return UNDEFINED

    def bind(self, name: str, value: Any) -> None:
        """Set a variable of this scope."""
        assert isinstance(self.bindings, dict)  # only the outermost frames hold the caller's mappings
        self.bindings[name] = value


class Lambda(FunctionValue):
    """A function that the expression defines, with the context item and the variables that it was defined with."""

    __slots__ = ("_evaluator", "item", "node", "scope", "signature")

    def __init__(self, evaluator: Evaluates, node: Node, item: Any, scope: VariableScope) -> None:
        self._evaluator = evaluator
        self.node = node
        self.item = item
        self.scope = scope
        self.signature: Signature | None = node.signature

    @property
    def arity(self) -> int:
        """The number of its parameters."""
        return len(self.node.arguments or ())

    def apply(self, arguments: list[Any]) -> Any:
        """Call it without a context item."""
        return self._evaluator.apply(self, arguments, None)


class Partial(FunctionValue):
    """A function some of whose arguments are set."""

    __slots__ = ("_arguments", "_evaluator", "_function")

    def __init__(self, evaluator: Evaluates, function: FunctionValue, arguments: list[Any]) -> None:
        self._evaluator = evaluator
        self._function = function
        self._arguments = arguments[: function.arity]

    @property
    def arity(self) -> int:
        """The number of arguments that are not set."""
        return sum(argument is OPEN for argument in self._arguments)

    def apply(self, arguments: list[Any]) -> Any:
        """Call the function with the set arguments and these."""
        more = iter(arguments)
        filled = [next(more, UNDEFINED) if argument is OPEN else argument for argument in self._arguments]
        return self._evaluator.apply(self._function, filled, UNDEFINED)


class Composed(FunctionValue):
    """Two functions, one after the other: ``$f ~> $g``."""

    __slots__ = ("_first", "_second")

    def __init__(self, first: FunctionValue, second: FunctionValue) -> None:
        self._first = first
        self._second = second

    @property
    def arity(self) -> int:
        """One."""
        return 1

    def apply(self, arguments: list[Any]) -> Any:
        """Call the first function, and the second with its result."""
        try:
            between = self._first.apply([*arguments, UNDEFINED][:1])
        except JSONataError as error:
            error.add(token="f")  # its name in the reference, where this is function($x) { $g($f($x)) }
            raise
        return self._second.apply([between])


class Transform(FunctionValue):
    """``|pattern|update, delete|``: copy an object and change what the pattern selects in it."""

    __slots__ = ("_evaluator", "_node", "_scope")

    def __init__(self, evaluator: Evaluates, node: Node, scope: VariableScope) -> None:
        self._evaluator = evaluator
        self._node = node
        self._scope = scope

    @property
    def arity(self) -> int:
        """One."""
        return 1

    def apply(self, arguments: list[Any]) -> Any:
        """Change a copy of the first argument."""
        (value,) = _TRANSFORMED.validate(arguments, UNDEFINED)
        if value is UNDEFINED:
            return UNDEFINED
        if not isinstance(self._scope.lookup("clone"), FunctionValue):
            raise JSONataError("T2013", self._node.position)
        copied = clone(value)
        selected = self._evaluator.evaluate(self._node.pattern, copied, self._scope)
        for each in selected if isinstance(selected, list) else [selected]:
            if each is not UNDEFINED:
                self._change(each)
        return copied

    def _change(self, selected: Any) -> None:
        update = self._evaluator.evaluate(self._node.update, selected, self._scope)
        if update is not UNDEFINED:
            if not isinstance(update, dict):
                raise JSONataError("T2011", self._node.update.position, value=update)
            if isinstance(selected, dict):
                selected.update(update)
        if self._node.delete is None:
            return
        names = self._evaluator.evaluate(self._node.delete, selected, self._scope)
        if names is UNDEFINED:
            return
        listed = names if isinstance(names, list) else [names]
        if not all(isinstance(name, str) for name in listed):
            raise JSONataError("T2012", self._node.delete.position, value=names)
        if isinstance(selected, dict):
            for name in listed:
                selected.pop(name, None)
