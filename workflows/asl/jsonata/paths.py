"""The second pass of parsing: chains of ``.``, ``[...]``, ``^(...)``, ``{...}``, ``@`` and ``#`` become paths.

A path is a list of steps with their predicates (*stages*), and a parent operator ``%`` gets the step whose input it
means. Calls at the end of a function become *thunks*, which are run without growing the stack.
"""

from __future__ import annotations

from typing import Final

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.syntax_trees import Node, Slot
from workflows.asl.jsonata.values import double, plain


class PathBuilder:
    """Rebuilds one tree of the parser."""

    def __init__(self) -> None:
        self._labels = 0

    def build(self, tree: Node) -> Node:
        """Return the tree that is evaluated. Raises JSONataError if the parts of a path do not go together."""
        built = self._build(tree)
        if built.type == "parent" or built.seeking_parent is not None:
            raise JSONataError("S0217", built.position, token=built.type)
        return built

    def _build(self, node: Node) -> Node:
        build = _BUILDERS.get(node.type)
        if build is None:
            raise JSONataError("S0207" if node.type == "(end)" else "S0206", node.position, token=node.value)
        built = build(self, node)
        if node.keep_array:
            built.keep_array = True
        return built

    def _build_all(self, owner: Node, nodes: list[Node] | None) -> list[Node]:
        return [self._child(owner, node) for node in nodes or ()]

    def _child(self, owner: Node, node: Node) -> Node:
        """Build a part of ``owner``, which then seeks the parents that the part seeks."""
        built = self._build(node)
        _push_ancestry(owner, built)
        return built

    # --- paths ---

    def _binary(self, node: Node) -> Node:
        build = _CHAINS.get(str(node.value))
        if build is not None:
            return build(self, node)
        built = Node(node.type, node.value, node.position)
        built.lhs = self._child(built, node.lhs)
        built.rhs = self._child(built, node.rhs)
        return built

    def _dot(self, node: Node) -> Node:
        left = self._build(node.lhs)
        path = left if left.type == "path" else Node("path", position=node.position, steps=[left])
        steps = _steps(path)
        if left.type == "parent" and left.slot is not None:
            path.seeking_parent = [left.slot]
        rest = self._build(node.rhs)
        if rest.type == "path":
            steps.extend(_steps(rest))
        else:
            if rest.predicate is not None:
                rest.stages, rest.predicate = rest.predicate, None
            steps.append(rest)
        for step in steps:
            if step.type in ("number", "value"):
                raise JSONataError("S0213", step.position, value=step.value)
            if step.type == "string":
                step.type = "name"
            if step.keep_array:
                path.keep_singleton_array = True
        for step in (steps[0], steps[-1]):
            if step.type == "unary" and step.value == "[":
                step.cons_array = True
        _resolve_ancestry(path)
        return path

    def _filter(self, node: Node) -> Node:
        built = self._build(node.lhs)
        step = _last_step(built)
        if step.group is not None:
            raise JSONataError("S0209", node.position)
        predicate = self._build(node.rhs)
        for slot in predicate.seeking_parent or ():
            if slot.level == 1:
                _seek_parent(step, slot)
            else:
                slot.level -= 1
        if predicate.seeking_parent is not None:
            _push_ancestry(step, predicate)
        stage = Node("filter", position=node.position, expression=predicate)
        if built.type == "path":
            step.stages = [*(step.stages or ()), stage]
        else:
            step.predicate = [*(step.predicate or ()), stage]
        return built

    def _group(self, node: Node) -> Node:
        built = self._build(node.lhs)
        if built.group is not None:
            raise JSONataError("S0210", node.position)
        pairs = [(self._build(key), self._build(value)) for key, value in node.pairs or ()]
        built.group = Node("group", position=node.position, pairs=pairs)
        return built

    def _order(self, node: Node) -> Node:
        built = self._build(node.lhs)
        path = built if built.type == "path" else Node("path", position=node.position, steps=[built])
        sort = Node("sort", position=node.position, terms=[])
        for term in node.terms or ():
            expression = self._child(sort, term.expression)
            _terms(sort).append(Node("term", position=term.position, expression=expression, descending=term.descending))
        _steps(path).append(sort)
        _resolve_ancestry(path)
        return path

    def _focus(self, node: Node) -> Node:
        built = self._build(node.lhs)
        step = _last_step(built)
        if step.stages is not None or step.predicate is not None:
            raise JSONataError("S0215", node.position)
        if step.type == "sort":
            raise JSONataError("S0216", node.position)
        if node.keep_array:
            step.keep_array = True
        step.focus = str(node.rhs.value)
        step.tuple = True
        return built

    def _index(self, node: Node) -> Node:
        built = self._build(node.lhs)
        step = _last_step(built)
        if built.type != "path":
            built = Node("path", position=node.position, steps=[step])
            if step.predicate is not None:
                step.stages, step.predicate = step.predicate, None
        if step.stages is None:
            step.index = str(node.rhs.value)
        else:
            step.stages.append(Node("index", str(node.rhs.value), node.position))
        step.tuple = True
        return built

    def _name(self, node: Node) -> Node:
        return Node("path", position=node.position, steps=[node], keep_singleton_array=node.keep_array)

    def _parent(self, node: Node) -> Node:
        self._labels += 1
        return Node("parent", node.value, node.position, slot=Slot(f"!{self._labels}"))

    # --- all other nodes ---

    def _bind(self, node: Node) -> Node:
        built = Node("bind", node.value, node.position, lhs=self._build(node.lhs))
        built.rhs = self._child(built, node.rhs)
        return built

    def _apply(self, node: Node) -> Node:
        built = Node("apply", node.value, node.position)
        built.lhs, built.rhs = self._build(node.lhs), self._build(node.rhs)
        built.keep_array = built.lhs.keep_array or built.rhs.keep_array
        return built

    def _unary(self, node: Node) -> Node:
        built = Node("unary", node.value, node.position)
        if node.value == "[":
            built.expressions = self._build_all(built, node.expressions)
        elif node.value == "{":
            built.pairs = [(self._child(built, key), self._child(built, value)) for key, value in node.pairs or ()]
        else:
            built.expression = self._build(node.expression)
            if built.expression.type == "number":
                built.expression.value = plain(-float(double(built.expression.value)))
                return built.expression  # type: ignore[no-any-return]  # a child is a node
            _push_ancestry(built, built.expression)
        return built

    def _call(self, node: Node) -> Node:
        built = Node(node.type, node.value, node.position)
        built.arguments = self._build_all(built, node.arguments)
        built.procedure = self._build(node.procedure)
        return built

    def _lambda(self, node: Node) -> Node:
        built = Node("lambda", position=node.position, arguments=node.arguments, signature=node.signature)
        built.body = _tail_calls(self._build(node.body))
        return built

    def _condition(self, node: Node) -> Node:
        built = Node("condition", position=node.position)
        built.condition, built.then = self._child(built, node.condition), self._child(built, node.then)
        if node.otherwise is not None:
            built.otherwise = self._child(built, node.otherwise)
        return built

    def _transform(self, node: Node) -> Node:
        built = Node("transform", position=node.position)
        built.pattern, built.update = self._build(node.pattern), self._build(node.update)
        if node.delete is not None:
            built.delete = self._build(node.delete)
        return built

    def _block(self, node: Node) -> Node:
        built = Node("block", position=node.position)
        built.expressions = self._build_all(built, node.expressions)
        built.cons_array = any(
            part.cons_array or (part.type == "path" and _steps(part)[0].cons_array) for part in built.expressions
        )
        return built

    def _itself(self, node: Node) -> Node:
        return node

    def _operator(self, node: Node) -> Node:
        """Build ``and``, ``or`` or ``in`` as a name, or the ``?`` of a partial application."""
        if node.value in ("and", "or", "in"):
            node.type = "name"
            return self._name(node)
        if node.value == "?":
            return node
        raise JSONataError("S0201", node.position, token=node.value)


_CHAINS: Final = {
    ".": PathBuilder._dot,
    "[": PathBuilder._filter,
    "{": PathBuilder._group,
    "^": PathBuilder._order,
    "@": PathBuilder._focus,
    "#": PathBuilder._index,
    ":=": PathBuilder._bind,
    "~>": PathBuilder._apply,
}
_BUILDERS: Final = {
    "binary": PathBuilder._binary,
    "unary": PathBuilder._unary,
    "function": PathBuilder._call,
    "partial": PathBuilder._call,
    "lambda": PathBuilder._lambda,
    "condition": PathBuilder._condition,
    "transform": PathBuilder._transform,
    "block": PathBuilder._block,
    "name": PathBuilder._name,
    "parent": PathBuilder._parent,
    "operator": PathBuilder._operator,
    **dict.fromkeys(("string", "number", "value", "wildcard", "descendant", "variable", "regex"), PathBuilder._itself),
}


def _steps(path: Node) -> list[Node]:
    assert path.steps is not None  # a path has steps
    return path.steps


def _terms(sort: Node) -> list[Node]:
    assert sort.terms is not None  # a sort has terms
    return sort.terms


def _last_step(node: Node) -> Node:
    return _steps(node)[-1] if node.type == "path" else node


def _tail_calls(node: Node) -> Node:
    """Turn calls at the end of a function into thunks."""
    if node.type == "function" and node.predicate is None:
        return Node("lambda", position=node.position, arguments=[], body=node, thunk=True)
    if node.type == "condition":
        node.then = _tail_calls(node.then)
        if node.otherwise is not None:
            node.otherwise = _tail_calls(node.otherwise)
    elif node.type == "block" and node.expressions:
        node.expressions[-1] = _tail_calls(node.expressions[-1])
    return node


# --- parent operators ------------------------------------------------------------------------------------------------


def _push_ancestry(owner: Node, part: Node) -> None:
    if part.seeking_parent is None and part.type != "parent":
        return
    slots = [] if part.seeking_parent is None else part.seeking_parent
    if part.type == "parent" and part.slot is not None:
        slots.append(part.slot)
    if owner.seeking_parent is None:
        owner.seeking_parent = slots
    else:
        owner.seeking_parent.extend(slots)


def _resolve_ancestry(path: Node) -> None:
    """Give each parent operator of the last step the step whose input it means."""
    steps = _steps(path)
    last = steps[-1]
    slots = last.seeking_parent if last.seeking_parent is not None else []
    if last.type == "parent" and last.slot is not None:
        slots.append(last.slot)
    for slot in slots:
        index = len(steps) - 2
        while slot.level > 0:
            if index < 0:
                path.seeking_parent = [*(path.seeking_parent or ()), slot]
                break
            step, index = steps[index], index - 1
            while index >= 0 and step.focus is not None and steps[index].focus is not None:
                step, index = steps[index], index - 1
            _seek_parent(step, slot)


def _seek_parent(node: Node, slot: Slot) -> None:
    """Mark the step that makes the value of ``slot``, if it is in ``node``."""
    if node.type in ("name", "wildcard"):
        slot.level -= 1
        if slot.level == 0:
            if node.ancestor is not None:
                slot.label = node.ancestor.label
            node.ancestor = slot
            node.tuple = True
    elif node.type == "parent":
        slot.level += 1
    elif node.type == "block":
        if node.expressions:
            node.tuple = True
            _seek_parent(node.expressions[-1], slot)
    elif node.type == "path":
        node.tuple = True
        steps = _steps(node)
        index = len(steps) - 1
        _seek_parent(steps[index], slot)
        while slot.level > 0 and index > 0:
            index -= 1
            _seek_parent(steps[index], slot)
    else:
        raise JSONataError("S0217", node.position, token=node.type)
