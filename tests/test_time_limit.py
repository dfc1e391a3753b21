"""No test holds up a run: what pytest does with one that hangs, as pyproject.toml configures it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

CONFIGURATION = Path(__file__).parents[1] / "pyproject.toml"
HANGING = """
from threading import Event
from hypothesis import given, strategies

def test_an_example_hangs_each_time():
    @given(strategies.just(1))
    def example_that_hangs(number):
        Event().wait()
    example_that_hangs()

def test_afterwards():
    pass
"""


def test_a_test_that_hangs_fails_with_its_stack_and_the_others_still_run(tmp_path: Path):
    """Also within Hypothesis, which repeats an example that raised, and in a worker, whose output is not shown."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    options = ["-c", str(CONFIGURATION), "--rootdir", str(tmp_path), "-p", "no:cacheprovider"]
    run = [sys.executable, "-m", "pytest", *options, "-n", "1", "-o", "faulthandler_timeout=1", str(tmp_path)]
    ended = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "1 failed, 1 passed" in ended.stdout
    assert "crashed while running 'test_hanging.py::test_an_example_hangs_each_time'" in ended.stdout
    assert "in example_that_hangs" in ended.stderr, "the stack"


def test_the_limit_is_longer_than_the_longest_wait_of_a_test():
    """The longest are those for a deployment and for orders of an engine that is killed again and again."""
    from tests.deployment.deployment import READY_WITHIN_S
    from tests.embedded.test_killing import DEADLINE_S

    limit_s = tomllib.loads(CONFIGURATION.read_text())["tool"]["pytest"]["ini_options"]["faulthandler_timeout"]
    assert max(READY_WITHIN_S, DEADLINE_S) * 1.2 < limit_s
