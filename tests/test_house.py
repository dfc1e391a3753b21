"""The house: imports run in one direction, a class name stands for one idea, and every module is in a room.

import-linter holds the floors between the rooms (pyproject.toml). These tests hold what it cannot see.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOPS = ("domain", "workflows", "handlers")
HALL = {"__init__", "bearer", "clock", "engine", "executions", "settings", "time_budgets", "tracing"}
"""The modules that stand in ``workflows/`` itself: small ports that every room may use."""


@cache
def modules() -> dict[str, ast.Module]:
    """Parse every module: not at import, which every test process would do."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(path.read_text())
        for top in TOPS
        for path in (ROOT / top).rglob("*.py")
    }


def _imports(tree: ast.Module) -> Iterator[str]:
    """The modules of the house that a module imports, at any place in it, for types alone included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full_name = f"{node.module}.{alias.name}"
                if full_name in modules():
                    yield full_name
                elif node.module in modules():
                    yield node.module


def test_no_modules_import_one_another_in_a_circle():
    """A reader can start at the bottom of any room and never needs a module that is not explained yet."""
    graph = {name: set(_imports(tree)) - {name} for name, tree in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        raise AssertionError("these modules import one another: " + " -> ".join(circle.args[1])) from None


def test_a_class_name_stands_for_one_idea():
    """Searching for a class finds one class. A leading underscore does not make it another name."""
    places = defaultdict(list)
    for name, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(f"{name}:{node.lineno}")
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_every_module_of_workflows_is_in_a_room():
    """Only small ports that every room may use stand in the hall."""
    assert {path.stem for path in (ROOT / "workflows").glob("*.py")} <= HALL
