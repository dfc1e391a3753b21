"""JSONata as Step Functions documents it, proven against the reference implementation at the same version."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.asl.jsonata_differences import DIFFERENCES, Difference, difference_of
from tests.asl.jsonata_expressions import EXPRESSIONS, VALUES
from tests.asl.jsonata_reference import REPOSITORY, WITHIN_S, Reference, missing, ours

EXAMPLES = int(os.environ.get("EXAMPLES", "150"))
pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))
VARIABLES: dict[str, Any] = json.loads(Path(__file__).with_name("jsonata_cases.json").read_text())
CASES = Path(__file__).with_name("jsonata_cases.txt").read_text()
SECTIONS = {name: body.split("\n") for name, body in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", CASES, re.MULTILINE)}


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    """Share one process of node between the tests."""
    process = Reference()
    yield process
    process.close()


@pytest.mark.parametrize("section", SECTIONS)
def test_expressions_give_what_the_reference_gives(section: str, reference: Reference) -> None:
    """Value, error code and error sentence, for the hand-written expressions of ``jsonata_cases.txt``."""
    for source in filter(None, SECTIONS[section]):
        check(source, VARIABLES, reference)


@settings(max_examples=EXAMPLES, deadline=None)
@given(source=EXPRESSIONS, x=VALUES, y=VALUES, value=VALUES)
def test_generated_expressions_give_what_the_reference_gives(
    source: str, x: Any, y: Any, value: Any, reference: Reference
) -> None:
    """All operators, paths and functions, on any JSON: nulls at every depth, halves, large numbers, callbacks."""
    check(source, {"x": x, "y": y, "states": {"input": value, "context": {}}}, reference)


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(number=st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70))
def test_numbers_become_the_text_that_the_reference_writes(number: float, reference: Reference) -> None:
    """Whole numbers to 2^53 and beyond, fractions, and very large and small ones."""
    for source in ("$string($x)", "'' & $x", "$round($x, 2)", "$formatBase($x, 16)", "$formatNumber($x, '#,##0.00')"):
        check(source, {"x": float(number), "states": {}}, reference)


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(moment=st.integers(-(10**14), 10**15))
def test_times_have_the_parts_that_the_reference_writes(moment: int, reference: Reference) -> None:
    """Weeks, months of weeks, days of years and years, of times before 1970 and after 9999 too."""
    for picture in ("[W] [w] [X] [x] [d] [F] [FNn]", "[Y]-[M]-[D] [H]:[m]:[s].[f] [h] [P]"):
        check(f"$fromMillis($x, '{picture}')", {"x": moment, "states": {}}, reference)
    check("$toMillis($fromMillis($x))", {"x": moment, "states": {}}, reference)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_each_listed_difference_exists(difference: Difference, reference: Reference) -> None:
    """A difference that has gone must leave the list, or the list would hide others."""
    theirs = reference.answer(difference.example, VARIABLES, within_s=1 if difference.name == "endless" else WITHIN_S)
    engine = ours(difference.example, VARIABLES)
    assert theirs != engine
    assert difference_of(difference.example, theirs, engine) is not None


def test_the_documentation_lists_the_differences() -> None:
    """A reader finds there what the test accepts."""
    page = (REPOSITORY / "docs" / "jsonata.md").read_text()
    assert re.findall(r"^\| \*\*(.+?)\*\* \|", page, re.MULTILINE) == [each.name for each in DIFFERENCES]


def check(source: str, variables: dict[str, Any], reference: Reference) -> None:
    """Compare the outcomes of one expression."""
    theirs, engine = reference.answer(source, variables), ours(source, variables)
    if theirs != engine:
        assert difference_of(source, theirs, engine) is not None, f"{source}\n{theirs}\n{engine}"
