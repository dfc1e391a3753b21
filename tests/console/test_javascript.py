"""The console's JavaScript where node is: its pure part is tested, its types are checked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


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
