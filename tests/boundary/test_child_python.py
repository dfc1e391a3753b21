"""Python processes that this program starts import its modules, whatever lies in the working folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflows.boundary.child_python import start_module
from workflows.cli import main as cli

ROOT = Path(__file__).parents[2]
SPAWNING = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from workflows.boundary.child_python import keep_children_out_of_the_working_folder

if __name__ == "__main__":
    keep_children_out_of_the_working_folder()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(pool.submit(abs, -1).result())
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A working folder whose files have the names of modules, and end a process that imports them."""
    folder = tmp_path / "hostile"
    for name in ("json", "pickle", "socket", "domain", "workflows", "multiprocessing"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("raise SystemExit('imported from the working folder')")
    return folder


@pytest.mark.parametrize("module", ["json.tool", "domain.money", "workflows.clock"])
def test_a_started_module_imports_nothing_from_the_working_folder(hostile: Path, module: str) -> None:
    """Neither of the standard library nor of ours."""
    process = start_module(
        module, cwd=hostile, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _, errors = process.communicate("[]", timeout=30)
    assert (process.returncode, errors) == (0, "")


def test_a_process_that_a_library_starts_imports_nothing_from_the_working_folder(hostile: Path, tmp_path: Path) -> None:
    """``multiprocessing`` starts Python with the working folder first in its path."""
    script = tmp_path / "spawning.py"
    script.write_text(SPAWNING)
    ran = subprocess.run(
        [sys.executable, str(script)],
        cwd=hostile,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ran.returncode, ran.stdout) == (0, "1\n"), ran.stderr


def test_the_command_line_keeps_its_children_out_of_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setattr(sys, "argv", ["expediter", "--version"])
    with pytest.raises(SystemExit):
        cli.main()
    assert os.environ["PYTHONSAFEPATH"] == "1"


def test_python_is_started_in_one_place() -> None:
    """But for the child that runs queries, which imports nothing of ours (``-I``)."""
    starting = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "workflows").rglob("*.py")
        if "sys.executable" in path.read_text(encoding="utf-8")
    }
    assert starting == {"workflows/boundary/child_python.py", "workflows/queries/sqlite.py"}
