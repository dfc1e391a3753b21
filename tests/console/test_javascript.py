"""The console's JavaScript: its lines fit. Where node is, its pure part is tested and its types are checked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
COLUMNS_MAX = 120


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node here: the console's core is tested and its types are checked with it")
    return found


def test_the_pure_part_of_the_console_keeps_its_rules(node: str) -> None:
    """Money, times, searches, patches, graphs: tests/console/core/core.test.mjs."""
    ended = subprocess.run(
        [node, "--test", "tests/console/core/core.test.mjs"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


def test_the_types_of_the_console_fit(node: str) -> None:
    """JSDoc is checked by TypeScript in its strict mode, without a build."""
    compiler = next((REPOSITORY / ".tools" / "console").glob("typescript-*/lib/tsc.js"), None)
    if compiler is None:
        pytest.skip("no TypeScript here: make setup")
    ended = subprocess.run(
        [node, compiler, "-p", "console/jsconfig.json"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout


def test_no_line_of_the_console_is_too_long_to_read_and_to_compare() -> None:
    """An element, a tag or a rule that does not fit has its children, attributes or declarations line by line."""
    folder = REPOSITORY / "console"
    too_long = [
        f"{file.relative_to(REPOSITORY)}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
        for file in sorted(folder.rglob("*"))
        if file.suffix in (".css", ".js") and not file.is_relative_to(folder / "lib")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > COLUMNS_MAX
    ]
    assert not too_long, "\n".join(too_long)
