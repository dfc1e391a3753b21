"""The public test suite of JSONata, each case compared with the reference implementation at our version.

``make setup`` fetches it; the suite is that of a later version than ours, so its own expectations do not count: where
they differ, the reference implementation decides.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.asl.jsonata_differences import difference_of
from tests.asl.jsonata_reference import REPOSITORY, Reference, Whole, missing, ours_on
from workflows.asl.jsonata import evaluator
from workflows.asl.jsonata.evaluation import UNDEFINED

EXAMPLES = int(os.environ.get("EXAMPLES", "150"))
SUITE = REPOSITORY / ".tools" / "jsonata-suite"
GROUPS = sorted(path.name for path in (SUITE / "groups").iterdir()) if (SUITE / "groups").is_dir() else []
CASES_MIN = 1_600
SLOW = {"flattening/large", "performance/case000", "performance/case001"}
"""They take seconds: ``EXAMPLES=1000`` runs them too."""
NOT_POSSIBLE = {"function-string/case029"}
"""The input as a whole, where it is a list, is the context of a function; expressions of machines have no input."""
WHY = missing() or (None if GROUPS else "the test suite of JSONata is not here: make setup fetches it")
pytestmark = pytest.mark.skipif(WHY is not None, reason=str(WHY))


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    """Share one process of node; let ``$`` be the whole input, also where it is a list."""
    process = Reference()
    variable = evaluator._EVALUATE["variable"]

    def of_whole(of: Any, node: Any, item: Any, scope: Any) -> Any:
        return item[0] if type(item) is Whole and node.value == "" else variable(of, node, item, scope)

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(evaluator._EVALUATE, "variable", of_whole)
        yield process
    process.close()


@pytest.mark.parametrize("group", GROUPS)
def test_every_case_of_the_public_suite_gives_what_the_reference_gives(group: str, reference: Reference) -> None:
    """Value, error code and error sentence, but for the differences that are listed by name."""
    for name, case in cases_of(group):
        if name in NOT_POSSIBLE or (name in SLOW and EXAMPLES < 1_000):
            continue
        source, variables, context = expression_of(group, case), case.get("bindings", {}), input_of(case)
        engine = ours_on(source, variables, context)
        if case.get("code") == "U1001":  # the suite stops an endless expression by a clock
            assert engine[0] == "error", name
            continue
        theirs = reference.answer(source, variables, context=context)
        if theirs != engine:
            assert difference_of(source, theirs, engine) is not None, f"{name}\n{source}\n{theirs}\n{engine}"


def test_the_suite_is_whole() -> None:
    """A part of it would prove less than this file says."""
    assert sum(len(list(cases_of(group))) for group in GROUPS) >= CASES_MIN


def cases_of(group: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the cases of a group with their names; a file holds one or a list of them."""
    for path in sorted((SUITE / "groups" / group).glob("*.json")):
        content = json.loads(path.read_text())
        for case in content if isinstance(content, list) else [content]:
            yield f"{group}/{path.stem}", case


def expression_of(group: str, case: dict[str, Any]) -> str:
    if "expr-file" in case:
        return Path(SUITE / "groups" / group / case["expr-file"]).read_text()
    return str(case["expr"])


def input_of(case: dict[str, Any]) -> Any:
    """Return the input of a case: its own, that of a data set, or none."""
    if "data" in case:
        return case["data"]
    if case.get("dataset") is None:
        return UNDEFINED
    return json.loads((SUITE / "datasets" / f"{case['dataset']}.json").read_text())
