"""Parse an expression: the grammar of JSONata 2.0.6, by operator precedence (Pratt)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.lexer import BINDING, Lexer
from workflows.asl.jsonata.paths import PathBuilder
from workflows.asl.jsonata.signatures import Signature
from workflows.asl.jsonata.syntax_trees import Node

_UNARY: Final = 70  # how strongly a minus sign binds
_END: Final = "(end)"


def parse_tree(source: str) -> Node:
    """Parse an expression.

    Raises:
        JSONataError: It is not JSONata 2.0.6.
        RecursionError: It is nested too deeply.
    """
    return PathBuilder().build(_Parser(source).parse())


@dataclass(frozen=True, slots=True)
class _Symbol:
    """The current token. ``id`` is that of its rule: the operator itself, or the kind of token."""

    id: str
    type: str
    value: Any
    position: int

    @property
    def binding(self) -> int:
        return _BINDING.get(self.id, 0)


class _Parser:
    def __init__(self, source: str) -> None:
        self._lexer = Lexer(source)
        self._length = len(source)
        self.now = _Symbol(_END, _END, _END, 0)

    def parse(self) -> Node:
        self.advance()
        tree = self.expression(0)
        if self.now.id != _END:
            raise JSONataError("S0201", self.now.position, token=self.now.value)
        return tree

    def advance(self, expected: str | None = None, *, after_operand: bool = False) -> _Symbol:
        """Go to the next token, from the expected one."""
        if expected is not None and self.now.id != expected:
            code = "S0203" if self.now.id == _END else "S0202"
            raise JSONataError(code, self.now.position, token=self.now.value, value=expected)
        token = self._lexer.next(after_operand=after_operand)
        if token is None:
            self.now = _Symbol(_END, _END, _END, self._length)
        elif token.type == "operator":
            if token.value in ("!", "~"):
                raise JSONataError("S0204", token.position, token=token.value)
            self.now = _Symbol(token.value, token.type, token.value, token.position)
        else:
            self.now = _Symbol(_KINDS[token.type], token.type, token.value, token.position)
        return self.now

    def expression(self, binding: int) -> Node:
        """Parse an expression up to an operator that binds no stronger than ``binding``."""
        symbol = self.now
        self.advance(after_operand=True)
        left = _PREFIX.get(symbol.id, _Parser._refuse)(self, symbol)
        while binding < self.now.binding:
            symbol = self.now
            self.advance()
            left = _INFIX[symbol.id](self, symbol, left)
        return left

    def _refuse(self, symbol: _Symbol) -> Node:
        raise JSONataError("S0211", symbol.position, token=symbol.value)

    # --- prefixes ---

    def _terminal(self, symbol: _Symbol) -> Node:
        return Node(symbol.type, symbol.value, symbol.position)

    def _negative(self, symbol: _Symbol) -> Node:
        return Node("unary", "-", symbol.position, expression=self.expression(_UNARY))

    def _wildcard(self, symbol: _Symbol) -> Node:
        return Node("wildcard", symbol.value, symbol.position)

    def _descendant(self, symbol: _Symbol) -> Node:
        return Node("descendant", symbol.value, symbol.position)

    def _parent(self, symbol: _Symbol) -> Node:
        return Node("parent", symbol.value, symbol.position)

    def _block(self, symbol: _Symbol) -> Node:
        expressions = []
        while self.now.id != ")":
            expressions.append(self.expression(0))
            if self.now.id != ";":
                break
            self.advance(";")
        self.advance(")", after_operand=True)
        return Node("block", "(", symbol.position, expressions=expressions)

    def _array(self, symbol: _Symbol) -> Node:
        items = self._several("]", self._array_item)
        self.advance("]", after_operand=True)
        return Node("unary", "[", symbol.position, expressions=items)

    def _array_item(self) -> Node:
        item = self.expression(0)
        if self.now.id != "..":
            return item
        position = self.now.position
        self.advance("..")
        return Node("binary", "..", position, lhs=item, rhs=self.expression(0))

    def _object(self, symbol: _Symbol) -> Node:
        return Node("unary", "{", symbol.position, pairs=self._pairs())

    def _pairs(self) -> list[tuple[Node, Node]]:
        pairs = self._several("}", self._pair)
        self.advance("}", after_operand=True)
        return pairs

    def _pair(self) -> tuple[Node, Node]:
        key = self.expression(0)
        self.advance(":")
        return key, self.expression(0)

    def _several(self, closing: str, parse_one: Callable[[], Any]) -> list[Any]:
        parsed: list[Any] = []
        if self.now.id != closing:
            parsed.append(parse_one())
            while self.now.id == ",":
                self.advance(",")
                parsed.append(parse_one())
        return parsed

    def _transform(self, symbol: _Symbol) -> Node:
        node = Node("transform", "|", symbol.position, pattern=self.expression(0))
        self.advance("|")
        node.update = self.expression(0)
        if self.now.id == ",":
            self.advance(",")
            node.delete = self.expression(0)
        self.advance("|")
        return node

    # --- infixes ---

    def _binary(self, symbol: _Symbol, left: Node) -> Node:
        right = self.expression(symbol.binding)
        return Node("binary", symbol.value, symbol.position, lhs=left, rhs=right)

    def _bind(self, symbol: _Symbol, left: Node) -> Node:
        if left.type != "variable":
            raise JSONataError("S0212", left.position, token=left.value)
        return Node("binary", ":=", symbol.position, lhs=left, rhs=self.expression(symbol.binding - 1))

    def _bind_step(self, symbol: _Symbol, left: Node) -> Node:
        node = self._binary(symbol, left)
        if node.rhs.type != "variable":
            raise JSONataError("S0214", node.rhs.position, token=symbol.value)
        return node

    def _call(self, symbol: _Symbol, left: Node) -> Node:
        node = Node("function", "(", symbol.position, procedure=left, arguments=[])
        node.arguments = self._several(")", lambda: self._argument(node))
        self.advance(")", after_operand=True)
        if left.type == "name" and left.value in ("function", "\u03bb"):
            self._lambda(node)
        return node

    def _argument(self, call: Node) -> Node:
        if self.now.id != "?":
            return self.expression(0)
        call.type = "partial"
        placeholder = self._terminal(self.now)
        self.advance("?")
        return placeholder

    def _lambda(self, node: Node) -> None:
        assert node.arguments is not None  # a call has a list
        for index, argument in enumerate(node.arguments):
            if argument.type != "variable":
                raise JSONataError("S0208", argument.position, token=argument.value, value=index + 1)
        node.type = "lambda"
        if self.now.id == "<":
            node.signature = self._signature()
        self.advance("{")
        node.body = self.expression(0)
        self.advance("}")

    def _signature(self) -> Signature:
        depth, text, begin = 1, "<", self.now.position
        while depth > 0 and self.now.id not in ("{", _END):
            symbol = self.advance()
            depth += (symbol.id == "<") - (symbol.id == ">")
            text += str(symbol.value)
        self.advance(">")
        try:
            return Signature(text)
        except JSONataError as error:
            error.position = begin
            raise

    def _filter(self, symbol: _Symbol, left: Node) -> Node:
        if self.now.id == "]":
            step = left
            while step.type == "binary" and step.value == "[":
                step = step.lhs
            step.keep_array = True
            self.advance("]")
            return left
        node = Node("binary", "[", symbol.position, lhs=left, rhs=self.expression(0))
        self.advance("]", after_operand=True)
        return node

    def _order(self, symbol: _Symbol, left: Node) -> Node:
        self.advance("(")
        terms = [self._term()]
        while self.now.id == ",":
            self.advance(",")
            terms.append(self._term())
        self.advance(")")
        return Node("binary", "^", symbol.position, lhs=left, terms=terms)

    def _term(self) -> Node:
        term = Node("term", position=self.now.position, descending=self.now.id == ">")
        if self.now.id in ("<", ">"):
            self.advance(self.now.id)
        term.expression = self.expression(0)
        return term

    def _group(self, symbol: _Symbol, left: Node) -> Node:
        return Node("binary", "{", symbol.position, lhs=left, pairs=self._pairs())

    def _condition(self, symbol: _Symbol, left: Node) -> Node:
        node = Node("condition", "?", symbol.position, condition=left, then=self.expression(0))
        if self.now.id == ":":
            self.advance(":")
            node.otherwise = self.expression(0)
        return node


_KINDS: Final = {
    "name": "(name)",
    "variable": "(name)",
    "string": "(literal)",
    "number": "(literal)",
    "value": "(literal)",
    "regex": "(regex)",
}
_PREFIX: Final[dict[str, Callable[[_Parser, _Symbol], Node]]] = {
    **dict.fromkeys((*_KINDS.values(), _END, "and", "or", "in"), _Parser._terminal),
    "-": _Parser._negative,
    "*": _Parser._wildcard,
    "**": _Parser._descendant,
    "%": _Parser._parent,
    "(": _Parser._block,
    "[": _Parser._array,
    "{": _Parser._object,
    "|": _Parser._transform,
}
_INFIX: Final[dict[str, Callable[[_Parser, _Symbol, Node], Node]]] = {
    **dict.fromkeys(
        (".", "+", "-", "*", "/", "%", "=", "<", ">", "!=", "<=", ">=", "&", "and", "or", "in", "~>"), _Parser._binary
    ),
    "(": _Parser._call,
    "[": _Parser._filter,
    "^": _Parser._order,
    "{": _Parser._group,
    ":=": _Parser._bind,
    "@": _Parser._bind_step,
    "#": _Parser._bind_step,
    "?": _Parser._condition,
}
_BINDING: Final = {operator: BINDING[operator] for operator in _INFIX}
