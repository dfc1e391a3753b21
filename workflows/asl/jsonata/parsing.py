"""Parse an expression and compile its regular expressions, or refuse it with its place and JSONata's sentence."""

from __future__ import annotations

from workflows.asl.jsonata.errors import JSONataError
from workflows.asl.jsonata.limits import SOURCE_MAX, InvalidExpression
from workflows.asl.jsonata.parser import parse_tree
from workflows.asl.jsonata.regexes import Regex
from workflows.asl.jsonata.syntax_trees import Node, every_node


def parse(source: str) -> Node:
    """Parse an expression.

    Raises:
        InvalidExpression: It is not JSONata 2.0.6, is nested too deeply or longer than ``SOURCE_MAX``, or holds a
            regular expression that does not compile.
    """
    if len(source) > SOURCE_MAX:
        raise InvalidExpression(f"has {len(source)} characters; the maximum is {SOURCE_MAX}")
    try:
        tree = parse_tree(source)
    except JSONataError as error:
        place = "" if error.position is None else f", at character {error.position} of '{source}'"
        raise InvalidExpression(f"{error}{place}") from error
    except RecursionError as error:
        raise InvalidExpression("is nested too deeply") from error
    for node in every_node(tree):
        if node.type == "regex" and isinstance(node.value, tuple):
            node.value = Regex(*node.value)
    return tree
