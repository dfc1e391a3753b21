"""Checks of an expression before it runs, as Step Functions makes them when a state machine is created.

An expression has no context item: the input is ``$states.input`` and variables are ``$name``. A bare field name, ``$``
or ``$$`` at the top level is therefore refused, as are ``$eval`` and functions that do not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workflows.asl.jsonata.registry import BUILT_INS
from workflows.asl.jsonata.syntax_trees import Node, children, every_node

_INNER_CONTEXT = ("stages", "predicate", "group", "terms", "pattern", "update", "delete")


@dataclass(slots=True)
class Findings:
    """Results of inspecting one expression.

    ``problems`` are sentences. ``states_fields`` are the fields of ``$states`` that the expression reads; the empty
    name stands for all of them.
    """

    problems: list[str] = field(default_factory=list)
    states_fields: set[str] = field(default_factory=set)


def inspect(tree: Any) -> Findings:
    """Inspect a syntax tree."""
    findings = Findings()
    bound = _names_bound_in(tree)
    _walk(tree, True, bound, findings)
    return findings


def _walk(node: Any, at_top: bool, bound: set[str], findings: Findings) -> None:
    if isinstance(node, list | tuple):
        for item in node:
            _walk(item, at_top, bound, findings)
        return
    if not isinstance(node, Node):
        return
    _check_node(node, at_top, bound, findings)
    if node.steps is not None:
        _walk(node.steps[0], at_top, bound, findings)
        _walk(node.steps[1:], False, bound, findings)
        _walk(node.group, False, bound, findings)
        return
    for name, child in children(node):
        _walk(child, at_top and name not in _INNER_CONTEXT, bound, findings)


def _check_node(node: Any, at_top: bool, bound: set[str], findings: Findings) -> None:
    kind, value = node.type, node.value
    if kind == "name" and at_top:
        what = f"reads '{value}' at the top level; write $states.input.{value} or, a variable, ${value}"
        findings.problems.append(what)
    elif kind in ("wildcard", "descendant") and at_top:
        findings.problems.append(f"uses '{value}' at the top level; start from $states.input or a variable")
    elif kind == "variable" and value == "$":
        findings.problems.append("uses '$$', which has no value in a state machine; use $states.input")
    elif kind == "variable" and value == "" and at_top:
        findings.problems.append("uses '$' at the top level, where it has no value; use $states.input")
    elif kind == "variable" and value == "states" and "states" not in bound:
        findings.states_fields.add("")
    elif kind == "path" and _starts_at_states(node):
        findings.states_fields.add(_field_of_states(node))
    elif kind in ("function", "partial"):
        _check_call(node, bound, findings)


def _starts_at_states(node: Any) -> bool:
    return bool(node.steps[0].type == "variable" and node.steps[0].value == "states")


def _field_of_states(node: Any) -> str:
    if len(node.steps) > 1 and node.steps[1].type == "name":
        return str(node.steps[1].value)
    return ""


def _check_call(node: Any, bound: set[str], findings: Findings) -> None:
    procedure = node.procedure
    if procedure.type != "variable" or procedure.value in bound:
        return
    if procedure.value == "eval":
        findings.problems.append("calls $eval, which Step Functions does not have; use $parse")
    elif procedure.value not in BUILT_INS:
        findings.problems.append(f"calls ${procedure.value}, which is not a function of JSONata or Step Functions")


def _names_bound_in(tree: Any) -> set[str]:
    """Collect the names that the expression itself binds: ``:=``, parameters, ``@$x``, ``#$i``."""
    names: set[str] = set()
    for node in every_node(tree):
        if node.type == "bind":
            names.add(str(node.lhs.value))
        elif node.type == "lambda":
            names.update(str(parameter.value) for parameter in node.arguments or [])
        elif node.type == "index":
            names.add(str(node.value))
        names.update(name for name in (node.focus, node.index) if name)
    return names
